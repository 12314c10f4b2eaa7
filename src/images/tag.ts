/** Gives an image another name. */
import { SiruError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, parseReferenceWithTag } from '../oci/reference.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { resolveImage } from './resolve.ts';

/** Names the image that `source` means; gives the normalised name, and the image that had it before, if another. */
export function tagImage(store: Store, source: string, target: string): { image: StoredImage; name: string; before?: Digest } {
  const image = resolveImage(store, source);
  const name = parseTagName(target);
  const before = store.images.tag(name, image.descriptor.digest);
  return before !== undefined && before !== image.descriptor.digest ? { image, name, before } : { image, name };
}

/** The normalised form of a name that an image is to get. Throws REFERENCE, also for one with a digest. */
export function parseTagName(text: string): string {
  const reference = parseReferenceWithTag(text);
  if (reference.digest !== undefined) throw new SiruError('REFERENCE', `a name to give may have no digest: ${text}`);
  return formatReference(reference);
}
