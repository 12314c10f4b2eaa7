/** History of builds: which there were, what each step came to, and what the steps wrote. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../oci/digest.ts';
import type { Core } from './core.ts';
import { createLog, logPath } from './logs.ts';
import type { BaseLayer, BuildEntry, BuildQuery, Builds } from './store.ts';

/** Builds that are remembered. */
export const mostBuilds = 10_000;
/** How long, in days. */
export const mostDays = 90;
/** Bytes of all logs together. The logs of the newest build stay in any case. */
export const mostLogBytes: number = 1024 * 1024 * 1024;

const day = 24 * 3600 * 1000;
/** How old a note of a base may be before it is written again. */
const freshBase = day;
/** Builds that are read at once when they are looked through. */
const page = 16;

interface Row {
  number: number;
  entry: string;
}

/** Bounds that tests make smaller. */
export interface BuildBounds {
  builds: number;
  days: number;
  logBytes: number;
}

export function createBuilds(core: Core, bounds: BuildBounds = { builds: mostBuilds, days: mostDays, logBytes: mostLogBytes }): Builds {
  const { db, root } = core;
  const read = ({ number, entry }: Row): BuildEntry => ({ ...(JSON.parse(entry) as BuildEntry), number });

  const list = ({ limit = mostBuilds, place, directory, name, before }: BuildQuery = {}): BuildEntry[] => {
    const conditions: [sql: string, value: string | number][] = [];
    if (name !== undefined) conditions.push(['number IN (SELECT number FROM build_names WHERE name = ?)', name]);
    if (place !== undefined) conditions.push(['place = ?', place]);
    if (directory !== undefined) conditions.push(['directory = ?', directory]);
    if (before !== undefined) conditions.push(['number < ?', before]);
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`;
    return db.all<Row>(`SELECT number, entry FROM builds${where} ORDER BY number DESC LIMIT ?`, ...conditions.map(([, value]) => value), limit).map(read);
  };

  return {
    add(build) {
      const { number: _, ...entry } = build;
      const gone: string[] = [];
      db.transaction(() => {
        const { id, started, place, directory, references, logBytes = 0 } = build;
        db.run(
          'INSERT OR REPLACE INTO builds (id, entry, started, place, directory, log_bytes) VALUES (?, ?, ?, ?, ?, ?)',
          id, JSON.stringify(entry), Math.round(started), place ?? null, directory ?? null, logBytes,
        );
        const { number } = db.get<{ number: number }>('SELECT number FROM builds WHERE id = ?', id)!;
        for (const name of references) db.run('INSERT OR IGNORE INTO build_names (name, number) VALUES (?, ?)', name, number);
        // The plus keeps SQLite from going through all numbers instead of the few beginnings.
        const beyond = [
          ...db.all<{ number: number; id: string }>('SELECT number, id FROM builds WHERE number <= ?', number - bounds.builds),
          ...db.all<{ number: number; id: string }>('SELECT number, id FROM builds WHERE started < ? AND +number < ?', Date.now() - bounds.days * day, number),
        ];
        for (const old of beyond) {
          forget(core, old.number);
          gone.push(old.id);
        }
        if (beyond.length > 0) db.run('DELETE FROM base_layers WHERE used < ?', Date.now() - (bounds.days + 1) * day);
        if (logBytes > 0) gone.push(...dropLogs(core, number, bounds.logBytes));
      });
      for (const id of gone) removeLogs(root, id);
    },
    list,
    find(prefix, limit = 2) {
      if (!/^[\da-f][\da-f-]*$/i.test(prefix)) return [];
      const from = prefix.toLowerCase();
      return db.all<Row>('SELECT number, entry FROM builds WHERE id >= ? AND id < ? ORDER BY id LIMIT ?', from, `${from}~`, limit).map(read);
    },
    *earlier({ place, number }) {
      if (place === undefined) return;
      for (let before = number ?? Number.MAX_SAFE_INTEGER; ; ) {
        const some = list({ place, before, limit: page });
        yield* some;
        if (some.length < page) return;
        before = some.at(-1)!.number!;
      }
    },
    remove(id) {
      const row = db.get<{ number: number }>('SELECT number FROM builds WHERE id = ?', id);
      if (row === undefined) return false;
      db.transaction(() => forget(core, row.number));
      removeLogs(root, id);
      return true;
    },
    baseLayers(digest) {
      const row = db.get<{ layers: string }>('SELECT layers FROM base_layers WHERE digest = ?', digest);
      return row && (JSON.parse(row.layers) as [Digest, string?][]).map(([diffId, by]): BaseLayer => (by === undefined ? { diffId } : { diffId, by }));
    },
    noteBase(digest, layers) {
      const now = Date.now();
      const used = db.get<{ used: number }>('SELECT used FROM base_layers WHERE digest = ?', digest)?.used;
      if (used !== undefined && used > now - freshBase) return;
      if (used !== undefined) db.run('UPDATE base_layers SET used = ? WHERE digest = ?', now, digest);
      else db.run('INSERT OR REPLACE INTO base_layers (digest, layers, used) VALUES (?, ?, ?)', digest, JSON.stringify(layers().map(({ diffId, by }) => (by === undefined ? [diffId] : [diffId, by]))), now);
    },
    writeLog: (build, step) => createLog(root, build, step),
    logFile: (build, step) => logPath(root, build, step),
  };
}

function forget({ db }: Core, number: number): void {
  db.run('DELETE FROM build_names WHERE number = ?', number);
  db.run('DELETE FROM builds WHERE number = ?', number);
}

/** Forgets the logs of the oldest builds until the rest is within the bound; gives their IDs. */
function dropLogs({ db }: Core, newest: number, most: number): string[] {
  let bytes = db.get<{ bytes: number }>('SELECT sum(log_bytes) AS bytes FROM builds WHERE log_bytes > 0')!.bytes;
  if (bytes <= most) return [];
  const dropped: string[] = [];
  type LogRow = { number: number; id: string; log_bytes: number };
  for (const { number, id, log_bytes } of db.all<LogRow>('SELECT number, id, log_bytes FROM builds WHERE log_bytes > 0 AND number < ? ORDER BY number', newest)) {
    if (bytes <= most) break;
    db.run('UPDATE builds SET log_bytes = 0 WHERE number = ?', number);
    dropped.push(id);
    bytes -= log_bytes;
  }
  return dropped;
}

function removeLogs(root: string, id: string): void {
  // What cannot be removed now is removed by a prune.
  try {
    rmSync(join(root, 'logs', id), { recursive: true, force: true });
  } catch {}
}
