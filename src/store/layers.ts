/** Layers by diff ID. A layer is here when its row, its table of contents and a blob that holds it are. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SiruError } from '../base/errors.ts';
import type { LayerSummary } from '../layer/entry.ts';
import type { Toc } from '../layer/toc-contract.ts';
import { hexOf, isSha256, sha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { sizeHere } from './blobs.ts';
import { noteUnsynced } from './unsynced.ts';
import type { Core } from './core.ts';
import { storeError } from './store-error.ts';
import type { Layers, Variant } from './store.ts';

export interface LayerRow {
  diff_id: string;
  size: number;
  tree_digest: string;
  entries: number;
  newest: number | null;
  toc_size: number;
}

export function layerPath(root: string, diffId: Digest): string {
  if (!isSha256(diffId)) throw new SiruError('DIGEST', `not a diff ID: ${String(diffId).slice(0, 200)}`);
  return join(root, 'layers', hexOf(diffId));
}

export function summaryOf(row: LayerRow): LayerSummary {
  return {
    diffId: row.diff_id as Digest,
    size: row.size,
    treeDigest: row.tree_digest as Digest,
    entries: row.entries,
    ...(row.newest === null ? {} : { newest: row.newest }),
  };
}

/** True when the layer's files are here; holds the layer and the blob that has it. The lease is open already. */
export function layerHere(core: Core, row: LayerRow): boolean {
  const diffId = row.diff_id as Digest;
  const toc = statSync(join(layerPath(core.root, diffId), 'toc'), { throwIfNoEntry: false });
  if (toc?.size !== row.toc_size) return false;
  const blob = blobOf(core, diffId);
  if (blob === undefined) return false;
  core.leases.hold('blob', blob);
  core.leases.hold('layer', diffId);
  return true;
}

function blobOf(core: Core, diffId: Digest): Digest | undefined {
  // The uncompressed tar has the diff ID as its digest.
  if (sizeHere(core, diffId) !== undefined) return diffId;
  const variants = core.db.all<{ digest: Digest }>('SELECT digest FROM variants WHERE diff_id = ?', diffId);
  return variants.find(({ digest }) => sizeHere(core, digest) !== undefined)?.digest;
}

/** `openToc` reads a table of contents. */
export function createLayers(core: Core, openToc: (bytes: Buffer) => Toc): Layers {
  const { db, leases, root } = core;
  const tocs = new Map<Digest, Toc>();

  const get = (diffId: Digest): LayerSummary | undefined => {
    leases.open();
    const row = db.get<LayerRow>(
      'SELECT diff_id, size, tree_digest, entries, newest, toc_size FROM layers WHERE diff_id = ?', diffId,
    );
    return row !== undefined && layerHere(core, row) ? summaryOf(row) : undefined;
  };

  return {
    get,
    put(summary, toc) {
      const { diffId, size, treeDigest, entries, newest } = summary;
      const folder = layerPath(root, diffId);
      leases.open();
      const file = core.temporary('.toc');
      try {
        writeFileSync(file, toc);
        db.transaction(() => {
          mkdirSync(folder, { recursive: true });
          renameSync(file, join(folder, 'toc'));
          db.run(
            `INSERT INTO layers (diff_id, size, tree_digest, entries, newest, toc_size, toc_digest, unpacked, used)
             VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)
             ON CONFLICT (diff_id) DO UPDATE SET size = excluded.size, tree_digest = excluded.tree_digest,
               entries = excluded.entries, newest = excluded.newest, toc_size = excluded.toc_size,
               toc_digest = excluded.toc_digest, used = excluded.used`,
            diffId, size, treeDigest, entries, newest ?? null, toc.byteLength, sha256(toc), Date.now(),
          );
          noteUnsynced(core, 'toc', diffId);
        });
      } catch (error) {
        rmSync(file, { force: true });
        throw storeError(error, `cannot keep the layer ${diffId} in ${folder}`);
      }
      tocs.delete(diffId);
      leases.hold('layer', diffId);
    },
    toc(diffId) {
      const known = tocs.get(diffId);
      if (known !== undefined) return known;
      if (get(diffId) === undefined) throw missing(diffId);
      let toc: Toc;
      try {
        toc = openToc(readFileSync(join(layerPath(root, diffId), 'toc')));
      } catch (error) {
        if (!db.readonly) db.run('DELETE FROM layers WHERE diff_id = ?', diffId);
        throw new SiruError('NOT_FOUND', `the table of contents of the layer ${diffId} is damaged and has been dropped`, {
          hint: 'Pull or build the image again: the layer is read anew.',
          cause: error,
        });
      }
      tocs.set(diffId, toc);
      return toc;
    },
    path: (diffId) => layerPath(root, diffId),
    unpacked(diffId) {
      leases.open();
      const row = db.get<{ unpacked: number }>('SELECT unpacked FROM layers WHERE diff_id = ?', diffId);
      if (row?.unpacked !== 1 || !existsSync(join(layerPath(root, diffId), 'fs'))) return false;
      leases.hold('layer', diffId);
      return true;
    },
    setUnpacked(diffId) {
      leases.open();
      db.transaction(() => {
        if (db.run('UPDATE layers SET unpacked = 1 WHERE diff_id = ?', diffId) === 0) throw missing(diffId);
        noteUnsynced(core, 'tree', diffId);
      });
      leases.hold('layer', diffId);
    },
    variants(diffId) {
      leases.open();
      const found: Variant[] = [];
      const tar = sizeHere(core, diffId);
      if (tar !== undefined) found.push({ descriptor: { mediaType: mediaTypes.layer, digest: diffId, size: tar } });
      type Row = { digest: Digest; descriptor: string; maker: string | null };
      for (const row of db.all<Row>('SELECT digest, descriptor, maker FROM variants WHERE diff_id = ? ORDER BY digest', diffId)) {
        if (row.digest === diffId || sizeHere(core, row.digest) === undefined) continue;
        const descriptor = JSON.parse(row.descriptor) as Descriptor;
        found.push(row.maker === null ? { descriptor } : { descriptor, maker: row.maker });
      }
      for (const { descriptor } of found) leases.hold('blob', descriptor.digest);
      return found;
    },
    addVariant(diffId, { descriptor, maker }) {
      db.run(
        'INSERT OR REPLACE INTO variants (diff_id, digest, descriptor, maker) VALUES (?, ?, ?, ?)',
        diffId, descriptor.digest, JSON.stringify(descriptor), maker ?? null,
      );
    },
    diffIdOf(blob) {
      const row = db.get<{ diff_id: Digest }>('SELECT diff_id FROM variants WHERE digest = ? LIMIT 1', blob);
      if (row !== undefined) return row.diff_id;
      // An uncompressed layer is its own.
      return db.get<{ diff_id: Digest }>('SELECT diff_id FROM layers WHERE diff_id = ?', blob)?.diff_id;
    },
  };
}

function missing(diffId: Digest): SiruError {
  return new SiruError('NOT_FOUND', `the store has no layer ${diffId}`, { hint: 'Pull or build the image again.' });
}
