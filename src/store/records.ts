/** Cache records: what came of a step, by its key. */
import type { Digest } from '../oci/digest.ts';
import type { Core } from './core.ts';
import { layerHere, summaryOf } from './layers.ts';
import type { LayerRow } from './layers.ts';
import type { KeyPart, Records, StepRecord } from './store.ts';

interface Row extends LayerRow {
  key: Digest;
  parts: string;
  scope: string;
  created: string | null;
  took: number;
  executed: number;
  text: string;
}

const found = `SELECT r.key, r.parts, r.scope, r.created, r.took, r.executed, r.text,
  l.diff_id, l.size, l.tree_digest, l.entries, l.newest, l.toc_size
  FROM records r JOIN layers l ON l.diff_id = r.diff_id`;

/** Parts as they are stored: `[name, value]` or `[name, value, listing]`. */
type StoredPart = [string, string, Digest?];

function encodeParts(parts: KeyPart[]): string {
  return JSON.stringify(parts.map(({ name, value, listing }): StoredPart => (listing === undefined ? [name, value] : [name, value, listing])));
}

function decodeParts(text: string): KeyPart[] {
  return (JSON.parse(text) as StoredPart[]).map(([name, value, listing]) =>
    listing === undefined ? { name, value } : { name, value, listing },
  );
}

export function createRecords(core: Core): Records {
  const { db, leases } = core;

  const here = (row: Row): StepRecord | undefined => {
    if (!layerHere(core, row)) return undefined;
    leases.hold('record', row.key);
    return {
      key: row.key,
      parts: decodeParts(row.parts),
      scope: row.scope,
      layer: summaryOf(row),
      ...(row.created === null ? {} : { created: row.created }),
      took: row.took,
      executed: row.executed,
      text: row.text,
    };
  };

  return {
    get(key) {
      leases.open();
      const row = db.get<Row>(`${found} WHERE r.key = ? AND r.evicted = 0`, key);
      return row && here(row);
    },
    put(record) {
      const { key, parts, scope, layer, created, took, executed, text } = record;
      leases.open();
      db.transaction(() => {
        db.run(
          `INSERT OR REPLACE INTO records (key, parts, scope, tree_digest, diff_id, created, took, executed, text, used, evicted)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
          key, encodeParts(parts), scope, layer.treeDigest, layer.diffId, created ?? null, took, Math.round(executed), text, Date.now(),
        );
        db.run('DELETE FROM listings WHERE key = ?', key);
        for (const { listing } of parts) {
          if (listing !== undefined) db.run('INSERT OR IGNORE INTO listings (key, digest) VALUES (?, ?)', key, listing);
        }
      });
      leases.hold('record', key);
      leases.hold('layer', layer.diffId);
    },
    byTree(scope, treeDigest) {
      leases.open();
      const rows = db.all<Row>(`${found} WHERE r.tree_digest = ? AND r.scope = ? AND r.evicted = 0 AND l.tree_digest = r.tree_digest ORDER BY r.executed, r.key`, treeDigest, scope);
      for (const row of rows) {
        const record = here(row);
        if (record !== undefined) return record;
      }
      return undefined;
    },
    parts(key) {
      leases.open();
      type Known = Pick<Row, 'parts' | 'executed' | 'took' | 'text'> & { diff_id: Digest; evicted: number };
      const row = db.get<Known>('SELECT parts, evicted, diff_id, executed, took, text FROM records WHERE key = ?', key);
      if (row === undefined) return undefined;
      const layer = row.evicted === 1 ? undefined : db.get<Row>(`${found} WHERE r.key = ?`, key);
      const { diff_id: diffId, executed, took, text } = row;
      const here = layer !== undefined && layerHere(core, layer);
      return { parts: decodeParts(row.parts), evicted: !here, ...(row.evicted === 0 && layer === undefined && { unfetched: true }), text, diffId, executed, took };
    },
    note(slot, key) {
      // The usual build changes nothing here, and reading is cheaper than writing.
      if (lastKey(core, slot) === key) return;
      db.run('INSERT OR REPLACE INTO slots (slot, key, at) VALUES (?, ?, ?)', slot, key, Date.now());
    },
    lastKey: (slot) => lastKey(core, slot),
  };
}

function lastKey(core: Core, slot: string): Digest | undefined {
  return core.db.get<{ key: Digest }>('SELECT key FROM slots WHERE slot = ?', slot)?.key;
}
