/** From which other repositories of a registry a blob can be taken over, as far as the store knows. */
import type { Digest } from '../oci/digest.ts';
import { compressionOf } from '../oci/media-types.ts';
import type { Reference } from '../oci/reference.ts';
import type { Store } from '../store/store.ts';
import { readImage } from './read.ts';

export interface MountSources {
  /** Path of a repository on the same registry that is known to have the blob. */
  repositoryOf(digest: Digest): string | undefined;
}

const mostImages = 500;

/** Looks at the images that the registry is known to have, when first asked. */
export function createMountSources(store: Store, target: Reference): MountSources {
  let known: Map<Digest, string> | undefined;
  return {
    repositoryOf(digest) {
      known ??= collect(store, target);
      return known.get(digest);
    },
  };
}

function collect(store: Store, target: Reference): Map<Digest, string> {
  const known = new Map<Digest, string>();
  for (const image of store.images.list().slice(0, mostImages)) {
    const path = image.repoDigests.map((name) => splitRepository(name)).find(({ domain, path: other }) => domain === target.domain && other !== target.path)?.path;
    if (path === undefined) continue;
    try {
      for (const { descriptor, diffId } of readImage(store, image).layers) {
        known.set(descriptor.digest, path);
        if (compressionOf(descriptor.mediaType) !== 'none') continue;
        for (const variant of store.layers.variants(diffId)) if (variant.maker !== undefined) known.set(variant.descriptor.digest, path);
      }
    } catch {
      // An image whose documents are damaged knows nothing.
    }
  }
  return known;
}

/** `domain/path@digest`. */
function splitRepository(name: string): { domain: string; path: string } {
  const bare = name.slice(0, name.lastIndexOf('@'));
  const slash = bare.indexOf('/');
  return { domain: bare.slice(0, slash), path: bare.slice(slash + 1) };
}
