/** How the storage is: whether it can be written to, and how much is in it. */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Storage, Totals } from '../storage.ts';
import type { Core } from './core.ts';
import { ownFolder } from './paths.ts';

/** Rows that are counted before others have their turn. */
const batch = 10_000;

export function createState({ db, root }: Core): Pick<Storage, 'ready' | 'totals'> {
  const count = (table: string): number => db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n;
  return {
    async ready() {
      const file = join(root, ownFolder, 'tmp', `ready-${randomUUID()}`);
      try {
        await writeFile(file, 'ready');
      } finally {
        await rm(file, { force: true });
      }
      db.get('SELECT 1 FROM repositories LIMIT 1');
    },
    async totals() {
      const totals: Totals = { repositories: count('repositories'), manifests: count('manifests'), tags: count('tags'), uploads: count('uploads'), collected: db.get<{ ended: number }>('SELECT ended FROM collection')!.ended, blobs: 0, bytes: 0 };
      for (let last: string | null = ''; last !== null; ) {
        const part: { blobs: number; bytes: number | null; last: string | null } = db.get(
          `SELECT count(*) AS blobs, sum(size) AS bytes, max(digest) AS last
           FROM (SELECT digest, size FROM blobs WHERE digest > ? AND state = 1 ORDER BY digest LIMIT ${batch})`, last)!;
        totals.blobs += part.blobs;
        totals.bytes += part.bytes ?? 0;
        last = part.last;
        await breathe();
      }
      return totals;
    },
  };
}
