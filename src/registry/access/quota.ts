/** How many bytes repositories and namespaces may have. */
import { humanSize } from '../../base/human-size.ts';
import { Refusal } from '../refusal.ts';
import type { Repositories } from '../storage.ts';
import type { QuotaConfiguration } from './configuration.ts';
import { fits, parsePattern } from './pattern.ts';

export interface Quotas {
  /** Bytes that may still come. Throws a Refusal (DENIED) when `bytes` are more. */
  reserve(repository: string, bytes: number): Promise<number>;
}

/** Undefined when there are none. */
export function createQuotas(configured: readonly QuotaConfiguration[] | undefined, usage: Repositories['usage']): Quotas | undefined {
  if (configured === undefined || configured.length === 0) return undefined;
  const quotas = configured.map(({ repositories = [], namespaces = [], size }) => ({ repositories: repositories.map(parsePattern), namespaces: namespaces.map(parsePattern), size }));
  return {
    async reserve(repository, bytes) {
      let room = Infinity;
      const check = async (what: string, which: { name: string } | { prefix: string }, size: number): Promise<void> => {
        const used = await usage(which);
        if (used + bytes > size) {
          throw new Refusal('DENIED', `the quota of ${what} is ${humanSize(size)}: ${humanSize(used)} are used, ${humanSize(bytes)} do not fit`, { detail: { quota: size, used, bytes } });
        }
        room = Math.min(room, size - used);
      };
      for (const { repositories, namespaces, size } of quotas) {
        if (repositories.some((pattern) => fits(pattern, repository))) await check(`the repository ${repository}`, { name: repository }, size);
        for (const namespace of namespacesOf(repository)) {
          if (namespaces.some((pattern) => fits(pattern, namespace))) await check(`the namespace ${namespace}`, { prefix: `${namespace}/` }, size);
        }
      }
      return room;
    },
  };
}

function* namespacesOf(repository: string): Generator<string> {
  for (let slash = repository.indexOf('/'); slash >= 0; slash = repository.indexOf('/', slash + 1)) yield repository.slice(0, slash);
}
