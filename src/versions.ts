/** Versions as calls of the library: tags that follow them, and what is out of date. */
import { contextOf } from './base/context.ts';
import type { PushOptions } from './exchange.ts';
import type { Followed } from './images/follow-version.ts';
import type { OutdatedImage } from './images/outdated.ts';
import type { PushResult } from './images/push.ts';
import { parseReferenceWithTag } from './oci/reference.ts';

export { tagVersion } from './images/follow-version.ts';

/**
 * Pushes a version (`reference` has one as its tag), and `1.10`, `1` and `latest` where the registry has nothing newer. `results`
 * has what was pushed under each name. Throws USAGE, and what push throws.
 */
export async function pushVersion(options: PushOptions): Promise<Followed & { results: [string, PushResult][] }> {
  const [{ createRemote }, { pushVersion: follow }, { resolveImage }] = await Promise.all([import('./remote/client.ts'), import('./images/follow-version.ts'), import('./images/resolve.ts')]);
  await using remote = createRemote({ registries: options.registries });
  const { store, compression, level } = options;
  const image = resolveImage(store, options.image ?? options.reference);
  return await follow({ store, remote, image, reference: parseReferenceWithTag(options.reference), compression, level }, contextOf(options));
}

export interface OutdatedOptions extends Pick<PushOptions, 'store' | 'registries' | 'signal' | 'onEvent'> {
  /** Lock files whose images are looked at too. */
  lockFiles?: readonly string[];
}

/** What the tags of the store's images, and of lock files, have moved to; a registry that cannot be asked is told in its entries. Throws LOCK. */
export async function outdated(options: OutdatedOptions): Promise<OutdatedImage[]> {
  const [{ createRemote }, { findOutdated, usedImages }] = await Promise.all([import('./remote/client.ts'), import('./images/outdated.ts')]);
  await using remote = createRemote({ registries: options.registries });
  const { store, lockFiles = [] } = options;
  const { usedByLock } = await import('./build/lock/used-images.ts');
  return await findOutdated([...usedImages(store), ...lockFiles.flatMap(usedByLock)], remote, store, contextOf(options));
}
