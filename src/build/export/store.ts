/** Puts an assembled image into the store and points its names at it. */
import type { Digest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Store } from '../../store/store.ts';

export interface AssembledImage {
  configBytes: Uint8Array;
  manifestBytes: Uint8Array;
}

/** `names` are normalised. All layers are in the store already. */
export function putImage(store: Store, image: AssembledImage, names: string[]): { imageId: Digest; digest: Digest } {
  const config = store.blobs.put(image.configBytes);
  const manifest = store.blobs.put(image.manifestBytes);
  store.images.put({
    descriptor: { mediaType: mediaTypes.manifest, digest: manifest.digest, size: manifest.size },
    imageId: config.digest,
    manifest: manifest.digest,
  });
  for (const name of names) store.images.tag(name, manifest.digest);
  return { imageId: config.digest, digest: manifest.digest };
}
