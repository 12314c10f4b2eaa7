/** Whether the store may be over its limits: a look at totals, before anything is worked out. */
import { freeBytes } from './choose-garbage.ts';
import type { Core } from './core.ts';
import { listFailed } from './failed.ts';
import { layerBytes } from './garbage.ts';
import type { Store } from './store.ts';

type Limits = Parameters<Store['overLimits']>[0];

/** Cache mounts are not measured for a look: they are when something is collected. */
export function overLimits(core: Core, { maxSize, minFree, maxAge }: Limits): { size: boolean; age: boolean } {
  const { db, root } = core;
  const sum = (sql: string): number => db.get<{ n: number | null }>(sql)?.n ?? 0;
  const large = maxSize !== undefined &&
    sum('SELECT sum(size) AS n FROM blobs') + sum(`SELECT sum(${layerBytes}) AS n FROM layers`) - imageBytes(sum) + listFailed(core).reduce((total, { bytes }) => total + bytes, 0) > maxSize;
  const old = maxAge === undefined ? 0 : Date.now() - maxAge;
  return {
    size: large || (minFree !== undefined && freeBytes(root) < minFree),
    age: maxAge !== undefined && db.get('SELECT 1 FROM records WHERE evicted = 0 AND used < ? LIMIT 1', old) !== undefined,
  };
}

/** What images need is no cache. */
function imageBytes(sum: (sql: string) => number): number {
  return sum('SELECT sum(size) AS n FROM blobs WHERE digest IN (SELECT digest FROM image_blobs)') +
    sum(`SELECT sum(${layerBytes}) AS n FROM layers WHERE diff_id IN (SELECT diff_id FROM image_layers)`);
}
