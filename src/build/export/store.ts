/** Keeps what was built in the store and points its names at it. */
import type { Store, StoredImage } from '../../store/store.ts';
import type { Formed } from './form-image.ts';

/** One image is named itself; of several an index is, and the images that it lists are no images of their own. `names` are normalised. */
export function keepImage(store: Store, { descriptor, imageId, manifest }: Formed, names: readonly string[]): void {
  store.images.put({ descriptor, imageId, manifest });
  for (const name of names) store.images.tag(name, descriptor.digest);
}

/** The same as a stored image, for an output that leaves the store's images as they are. */
export function unkeptImage({ descriptor, imageId, manifest }: Formed): StoredImage {
  return { descriptor, imageId, manifest, names: [], repoDigests: [], updated: 0 };
}
