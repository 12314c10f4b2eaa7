/**
 * FROM an image: from the store when it is there for the platform, else from its registry. Which image a name means, the lock file
 * says when the build has one: its registry is not asked for the name then.
 */
import { SiruError } from '../base/errors.ts';
import type { Context } from '../base/context.ts';
import { nearest } from '../dockerfile/suggest.ts';
import { readImage, type Image } from '../images/read.ts';
import { isIndex } from '../oci/media-types.ts';
import { formatPlatform, matchesPlatform, normalizePlatform, type Platform } from '../oci/platform.ts';
import { familiarReference, formatReference, parseReferenceWithTag, type Reference } from '../oci/reference.ts';
import { NotExecuted } from '../solver/step.ts';
import type { Store, StoredImage } from '../store/store.ts';
import type { Revalidated } from './revalidate.ts';
import type { SharedSession } from './shared-session.ts';

/** What looking for an image needs of the build; the graph is for hints. */
export type BaseParts = Pick<SharedSession, 'store' | 'options' | 'remote' | 'base' | 'solver' | 'heads' | 'pins'> & { graph?: { stages: readonly { name?: string }[] } };

export interface BaseImage {
  /** Normalised reference. */
  name: string;
  image: Image;
  /** What it is for, when that is another platform than the one that was asked for. */
  otherPlatform?: Platform;
  /** True when it came from a registry just now. */
  pulled: boolean;
}

/**
 * A name means one image within a build, even if another process gives it to another one meanwhile. As in BuildKit, an image
 * of a registry that is for one platform alone is taken for every platform: its caller warns. Throws LOCK, OFFLINE and what
 * pulling throws (NOT_FOUND, NETWORK, AUTH, PLATFORM, DIGEST, ...).
 */
export async function openBaseImage(session: BaseParts, text: string, platform: Platform, context: Context): Promise<BaseImage> {
  const reference = parseReferenceWithTag(text);
  const key = `${formatReference(reference)} ${formatPlatform(platform)}`;
  return session.base(key, () => findOrPull(session, text, reference, platform, context));
}

async function findOrPull(session: BaseParts, text: string, reference: Reference, platform: Platform, context: Context): Promise<BaseImage> {
  const name = formatReference(reference);
  const { store, options, pins } = session;
  if (pins && reference.digest === undefined) return (await import('./lock/pinned-base.ts')).findPinned(session, pins, reference, platform, context);
  const asks = options.pull || options.revalidate !== undefined;
  const head: Revalidated = asks ? await (await import('./revalidate.ts')).revalidate(session, reference, context) : { fresh: true };
  const { image: here, other } = storedBase(store, reference, platform);
  if (here && head.fresh) return { name, image: here, pulled: false };
  if (options.offline) throw (await import('./lock/pinned-base.ts')).offlineError(familiarReference(reference), platform);
  if (session.solver.lookOnly) throw new NotExecuted(`the pull of ${familiarReference(reference)}`);
  let stored;
  const { pullImage } = await import('../images/pull.ts');
  try {
    stored = await pullImage({ store, remote: await session.remote(), reference, platform, takeSingle: true, policy: 'always', ...(head.digest && { head: head.digest }) }, context);
  } catch (error) {
    throw explained(error, other ?? meant(session, text, reference));
  }
  return pulledBase(store, name, stored, platform);
}

/** What a pull brought. */
export function pulledBase(store: Store, name: string, stored: StoredImage, platform: Platform): BaseImage {
  if (isIndex(stored.descriptor.mediaType)) return { name, image: readImage(store, stored, platform), pulled: true };
  const image = readImage(store, stored);
  return { name, image, pulled: true, ...otherThan(platform, image) };
}

/** For an image that is taken whatever it is for. */
export function otherThan(platform: Platform, image: Image): Pick<BaseImage, 'otherPlatform'> {
  return matchesPlatform(platform, image.config) ? {} : { otherPlatform: platformOf(image) };
}

/** The image as the store has it for the platform; `other` tells of one that it has for another. */
export function storedBase(store: Store, reference: Reference, platform: Platform): { image?: Image; other?: string } {
  const stored = reference.digest ? store.images.byId(reference.digest)[0] : store.images.byName(formatReference(reference));
  if (!stored) return {};
  try {
    return { image: readImage(store, stored, platform) };
  } catch (error) {
    // Kept for another platform only, or damaged: its registry may have what is wanted.
    if (!(error instanceof SiruError) || !['PLATFORM', 'NOT_FOUND', 'DIGEST'].includes(error.code)) throw error;
    return error.code === 'PLATFORM' ? { other: `In the store ${error.message.replace(stored.descriptor.digest, familiarReference(reference))}.` } : {};
  }
}

function platformOf({ config: { os, architecture, variant } }: Image): Platform {
  return normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

/** What is called almost as an image that could not be had: a stage, a named context, or an image of the store. */
function meant({ graph, options, store }: BaseParts, text: string, reference: Reference): string | undefined {
  const stage = nearest(text, (graph?.stages ?? []).flatMap(({ name }) => name ?? []));
  if (stage !== undefined) return `Did you mean the stage ${stage}?`;
  const context = nearest(text, Object.keys(options.buildContexts ?? {}));
  if (context !== undefined) return `Did you mean the context ${context}?`;
  const wanted = familiarReference(reference);
  const names = store.images.list().flatMap((image) => image.names.map((name) => familiarReference(parseReferenceWithTag(name))));
  const image = nearest(wanted, names.filter((name) => name !== wanted));
  return image === undefined ? undefined : `Did you mean ${image}, which is in the store?`;
}

/** The error with another hint before its own. */
export function explained(error: unknown, first: string | undefined): unknown {
  if (!(error instanceof SiruError) || error.code === 'CANCELLED' || first === undefined) return error;
  const own = error.hint === undefined || error.hint === '' ? '' : ` ${error.hint[0]!.toUpperCase()}${error.hint.slice(1)}`;
  return new SiruError(error.code, error.message, { hint: first + own, cause: error });
}
