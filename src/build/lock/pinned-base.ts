/** FROM an image as the lock file has it. */
import { isSiruError, SiruError } from '../../base/errors.ts';
import type { Context } from '../../base/context.ts';
import { readImage, type Image } from '../../images/read.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import { familiarReference, formatReference, type Reference } from '../../oci/reference.ts';
import { NotExecuted } from '../../solver/step.ts';
import type { Store } from '../../store/store.ts';
import { explained, otherThan, pulledBase, type BaseImage, type BaseParts } from '../base-image.ts';
import type { Pins } from './pins.ts';

/** The image of this very digest, whatever its name means by now. It gets no name in the store: the lock has it. */
export async function findPinned(session: BaseParts, pins: Pins, reference: Reference, platform: Platform, context: Context): Promise<BaseImage> {
  const { store, options } = session;
  const name = formatReference(reference);
  const digest = pins.image(reference, platform);
  const image = imageHere(store, digest);
  if (image) return { name, image, pulled: false, ...otherThan(platform, image) };
  const familiar = familiarReference(reference);
  if (options.offline) throw offlineError(familiar, platform, digest);
  if (session.solver.lookOnly) throw new NotExecuted(`the pull of ${familiar}`);
  const { pullImage } = await import('../../images/pull.ts');
  try {
    const stored = await pullImage({ store, remote: await session.remote(), reference: { ...reference, digest }, platform, takeSingle: true }, context);
    return pulledBase(store, name, stored, platform);
  } catch (error) {
    throw isSiruError(error) && error.code === 'NOT_FOUND' ? explained(error, `${pins.file} names it. If its registry has it no more: siru lock --update ${familiar}.`) : error;
  }
}

/** What an offline build says of an image that is not here. */
export function offlineError(name: string, platform: Platform, digest?: Digest): SiruError {
  const what = `image ${name} for ${formatPlatform(platform)}${digest === undefined ? '' : ` (${digest})`}`;
  return new SiruError('OFFLINE', `${what} is not here, and nothing may be fetched`, { hint: `Pull it, or build once without --offline: siru pull --platform ${formatPlatform(platform)} ${digest === undefined ? name : `${name.replace(/:[^/:]*$/, '')}@${digest}`}` });
}

/** The image of a manifest when all of it is here. */
export function imageHere(store: Store, digest: Digest): Image | undefined {
  try {
    const image = readImage(store, digest);
    return image.layers.every(({ descriptor, diffId }) => store.blobs.has(descriptor.digest) || store.layers.get(diffId) !== undefined) ? image : undefined;
  } catch (error) {
    if (error instanceof SiruError && ['NOT_FOUND', 'DIGEST'].includes(error.code)) return undefined;
    throw error;
  }
}
