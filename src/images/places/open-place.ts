/** Opens what a name of a place means. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { hostPlatform } from '../../oci/platform.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatReference, parseReferenceWithTag } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { Store } from '../../store/store.ts';
import { resolveImage } from '../resolve.ts';
import { archiveTarget } from './archive-target.ts';
import { openTree } from './file-tree.ts';
import { layoutTarget } from './layout-target.ts';
import { openLayoutSource } from './layout-source.ts';
import type { PlaceName } from './parse-place.ts';
import type { Source, Target } from './place.ts';
import { registrySource, registryTarget } from './registry-place.ts';
import { storeSource, storeTarget } from './store-place.ts';
import type { UnnamedImage } from './store-place.ts';

export interface PlaceTools {
  remote: Remote;
  /** Opened when a place needs it: the store itself, archives of docker, and a registry, of whose uploads it remembers how far they are. */
  store?: () => Promise<Store>;
  /** The one that is copied. */
  platform?: Platform;
}

/** Throws NOT_FOUND, AMBIGUOUS, LAYER, DOCUMENT. */
export async function openSource(name: PlaceName, tools: PlaceTools, context: Context): Promise<Source> {
  switch (name.kind) {
    case 'registry':
      return registrySource(tools.remote, name.reference);
    case 'store':
    case 'docker-archive': {
      const { store, image, text } = await storedImage(name, tools, context);
      return storeSource(store, image, text);
    }
    default:
      return await openLayoutSource(await openTree(name.path, tools.store ?? noStore, context), name);
  }
}

/** An image whose blobs are in the store: one that it keeps, or one that an archive of docker brings. */
export async function storedImage(name: Extract<PlaceName, { kind: 'store' | 'docker-archive' }>, { store: open = noStore, platform }: PlaceTools, context: Context): Promise<{ store: Store; image: UnnamedImage; text: string }> {
  const store = await open();
  if (name.kind === 'store') return { store, image: resolveImage(store, name.name), text: `store:${name.name}` };
  const { readImages } = await import('../load.ts');
  const images = await readImages({ store, source: name.path, platform }, context);
  const wanted = name.tag === undefined ? undefined : formatReference(parseReferenceWithTag(name.tag));
  const found = wanted === undefined ? images : images.filter(({ names }) => names.includes(wanted));
  if (found.length !== 1) {
    const there = images.flatMap(({ names }) => names);
    throw new SiruError(found.length === 0 ? 'NOT_FOUND' : 'AMBIGUOUS', found.length === 0 ? `${name.path} has no image ${name.tag}` : `${name.path} has ${found.length} images`, {
      hint: there.length > 0 ? `name one: docker-archive:${name.path}:NAME; it has ${there.slice(0, 10).join(', ')}` : undefined,
    });
  }
  return { store, image: found[0]!.image, text: `docker-archive:${name.path}` };
}

/** Throws USAGE, REFERENCE. */
export async function openTarget(name: PlaceName, { remote, store, platform }: PlaceTools): Promise<Target> {
  switch (name.kind) {
    case 'registry':
      return registryTarget(remote, name.reference, store);
    case 'store':
      return storeTarget({ store: await (store ?? noStore)(), name: name.name, platform });
    case 'docker-archive': {
      const opened = await (store ?? noStore)();
      const names = name.tag === undefined ? [] : [formatReference(parseReferenceWithTag(name.tag))];
      return storeTarget({
        store: opened, name: name.path, platform,
        async done(image, context) {
          const { saveImages } = await import('../save.ts');
          const stored = { ...image, names, repoDigests: [], updated: 0 };
          await saveImages({ store: opened, items: [{ image: stored, names }], platform: platform ?? hostPlatform() }, name.path, context);
        },
      });
    }
    case 'oci-archive':
      if (name.digest !== undefined) throw new SiruError('USAGE', 'an archive that is written has no digest in its name', { hint: `write oci-archive:${name.path}:TAG` });
      return archiveTarget(name);
    default:
      return layoutTarget(name);
  }
}

function noStore(): Promise<Store> {
  return Promise.reject(new SiruError('USAGE', 'this goes through a store, and none was given'));
}
