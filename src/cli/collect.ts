/** Limits of the build cache from the configuration file, kept after each build. */
import { SiruError } from '../base/errors.ts';
import { readConfigurationFile } from '../remote/configuration.ts';
import type { PruneOptions, Store } from '../store/store.ts';
import type { Call } from './call.ts';
import { parseDuration, parseSize } from './units.ts';

export interface CacheLimits {
  /** Bytes. */
  maxSize?: number;
  minFree?: number;
  /** Milliseconds. */
  maxAge?: number;
}

const form = '{ "cache": { "max-size": "20GB", "min-free": "10GB", "max-age": "720h" } }';

/** `cache` of the configuration file. Throws CONFIG. */
export function cacheLimits(environment: Call['environment']): CacheLimits {
  const found = readConfigurationFile(environment);
  if (!found?.text.includes('"cache"')) return {};
  const fail = (path: string, problem: string): never => {
    throw new SiruError('CONFIG', `${found.file}: ${path}: ${problem}`, { hint: `the form is ${form}` });
  };
  let cache: unknown;
  try {
    ({ cache } = JSON.parse(found.text) as { cache?: unknown });
  } catch (error) {
    throw new SiruError('CONFIG', `${found.file}: ${String((error as Error).message)}`, { cause: error });
  }
  if (cache === undefined) return {};
  if (typeof cache !== 'object' || cache === null || Array.isArray(cache)) return fail('$.cache', 'not an object');
  const limits: CacheLimits = {};
  for (const [key, value] of Object.entries(cache)) {
    const path = `$.cache[${JSON.stringify(key)}]`;
    const number = typeof value !== 'string' ? undefined : key === 'max-age' ? parseDuration(value) : parseSize(value);
    if (!['max-size', 'min-free', 'max-age'].includes(key)) fail(path, 'unknown member');
    if (number === undefined) fail(path, key === 'max-age' ? 'not a duration such as "720h"' : 'not a size such as "20GB"');
    if (key === 'max-size') limits.maxSize = number;
    else if (key === 'min-free') limits.minFree = number;
    else limits.maxAge = number;
  }
  return limits;
}

/** A look at totals; collects only where a limit is passed. Others that work with the store are not waited for: the next build does it. */
export async function keepLimits(call: Call, store: Store, { maxSize, minFree, maxAge }: CacheLimits): Promise<void> {
  const over = await store.overLimits({ maxSize, minFree, maxAge });
  if (!over.age && !over.size) return;
  const { treeRemover } = await import('./tree-remover.ts');
  await using remover = treeRemover(store);
  const how: PruneOptions = { patience: 0, removeTrees: remover.removeTrees };
  try {
    if (over.age) await store.prune({ ...how, all: true, only: 'cache', until: maxAge }, call.context());
    if (over.size) await store.prune({ ...how, ...(maxSize !== undefined && { maxUsed: maxSize }), ...(minFree !== undefined && { minFree }) }, call.context());
  } catch (error) {
    if (call.debug) call.tell(`warning: the limits of the cache are not kept: ${String(error)}\n`);
  }
}
