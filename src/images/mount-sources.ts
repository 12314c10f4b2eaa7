/** Where on a registry a blob is already, as far as the store has seen. */
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Store } from '../store/store.ts';

export interface MountSources {
  /** Path of another repository on the registry that had the blob when it was last seen. */
  repositoryOf(digest: Digest): string | undefined;
  /** True when the repository itself had it so lately that it need not be asked. */
  isThere(digest: Digest): boolean;
}

/** Milliseconds for which a registry's word that it has a blob is taken without asking again. */
const trusted = 3600 * 1000;

export function createMountSources(store: Store, { domain, path }: Reference): MountSources {
  return {
    repositoryOf: (digest) => store.registries.repositoriesOf(domain, digest).find(({ repository }) => repository !== path)?.repository,
    isThere(digest) {
      const age = Date.now() - (store.registries.repositoriesOf(domain, digest).find(({ repository }) => repository === path)?.at ?? 0);
      return age >= 0 && age < trusted;
    },
  };
}
