/** Puts what was built into the store and points its names at it. */
import { sha256, type Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Index } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Store } from '../../store/store.ts';
import type { BuiltImage } from '../built-image.ts';
import type { BuildResult } from '../options.ts';

/**
 * One image is named itself; of several an index is made, which is named. `names` are normalised. All layers are in the
 * store already.
 */
export function putImages(store: Store, built: readonly BuiltImage[], names: readonly string[]): Pick<BuildResult, 'imageId' | 'digest' | 'images'> {
  const images = built.map(({ image, platform }) => {
    const config = store.blobs.put(image.configBytes);
    const manifest = store.blobs.put(image.manifestBytes);
    const descriptor: Descriptor = { mediaType: mediaTypes.manifest, digest: manifest.digest, size: manifest.size };
    // The images of an index are no images of their own in lists.
    if (built.length === 1) store.images.put({ descriptor, imageId: config.digest, manifest: manifest.digest });
    return { platform: formatPlatform(platform), imageId: config.digest, digest: manifest.digest };
  });
  const [first] = images;
  let { digest } = first!;
  if (built.length > 1) digest = putIndex(store, built, first!);
  for (const name of names) store.images.tag(name, digest);
  return { imageId: first!.imageId, digest, images };
}

function putIndex(store: Store, built: readonly BuiltImage[], first: { imageId: Digest; digest: Digest }): Digest {
  const index: Index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: built.map(({ image, platform }) => ({
      mediaType: mediaTypes.manifest,
      digest: sha256(image.manifestBytes),
      size: image.manifestBytes.length,
      platform,
    })),
  };
  const { digest, size } = store.blobs.put(Buffer.from(JSON.stringify(index, null, 2)));
  store.images.put({ descriptor: { mediaType: mediaTypes.index, digest, size }, imageId: first.imageId, manifest: first.digest });
  return digest;
}
