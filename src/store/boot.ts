/**
 * What the kernel may not have written yet. Nothing is synced when it is written; the database remembers it, and what a
 * crash of the machine may have torn is checked when the store is next opened.
 */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, readSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createSha256, hexOf, sha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { blobPath, dropBlob } from './blobs.ts';
import type { Core } from './core.ts';
import type { UnsyncedKind } from './unsynced.ts';

/** The kernel writes dirty pages back after half a minute; from here on a sync costs next to nothing. */
const settled = 2 * 60_000;
/** A tree has too many files to sync; it counts as written after this. */
const treeSettled = 10 * 60_000;
/** Milliseconds that closing a handle may spend on syncing. */
const budget = 20;

/**
 * After a crash or restart of the machine: reads what was not synced, and drops the torn blobs, tables of contents and
 * every tree. Costs one query when there is nothing. Gives paths of trees to delete.
 */
export function checkAfterBoot(core: Core): string[] {
  const { db, boot } = core;
  if (db.readonly || db.get('SELECT 1 FROM unsynced WHERE boot <> ? LIMIT 1', boot) === undefined) return [];
  const trees: string[] = [];
  for (const { kind, name } of db.all<Row>('SELECT kind, name FROM unsynced WHERE boot <> ?', boot)) {
    const digest = name as Digest;
    const whole = kind === 'blob' ? isWhole(core, digest) : kind === 'toc' ? isTocWhole(core, digest) : false;
    db.transaction(() => {
      // Another process may have checked it, or written it anew.
      if (db.run('DELETE FROM unsynced WHERE kind = ? AND name = ? AND boot <> ?', kind, name, boot) === 0 || whole) return;
      if (kind === 'blob') dropBlob(core, digest);
      if (kind === 'toc') db.run('DELETE FROM layers WHERE diff_id = ?', name);
      if (kind === 'tree') {
        db.run('UPDATE layers SET unpacked = 0 WHERE diff_id = ?', name);
        const tree = join(core.root, 'layers', hexOf(digest), 'fs');
        const away = core.temporary('.tree');
        if (!existsSync(tree)) return;
        try {
          renameSync(tree, away);
          trees.push(away);
        } catch {
          // Its root belongs to a subordinate id. It is known as not unpacked now: who unpacks the layer removes it first.
        }
      }
    });
  }
  return trees;
}

/** Syncs some of what was written a while ago, so that a crash finds little to check. For the end of a handle that wrote. */
export function syncSettled(core: Core): void {
  const { db, boot, root } = core;
  const now = Date.now();
  const end = performance.now() + budget;
  const rows = db.all<Row>("SELECT kind, name FROM unsynced WHERE boot = ? AND at < ? AND kind <> 'tree' LIMIT 1000", boot, now - settled);
  const synced: Row[] = [];
  for (const row of rows) {
    if (performance.now() > end) break;
    const digest = row.name as Digest;
    if (syncFile(row.kind === 'blob' ? blobPath(root, digest) : join(root, 'layers', hexOf(digest), 'toc'))) synced.push(row);
  }
  const trees = db.get("SELECT 1 FROM unsynced WHERE boot = ? AND at < ? AND kind = 'tree' LIMIT 1", boot, now - treeSettled);
  if (synced.length === 0 && trees === undefined) return;
  db.transaction(() => {
    for (const { kind, name } of synced) {
      db.run('DELETE FROM unsynced WHERE kind = ? AND name = ? AND boot = ? AND at < ?', kind, name, boot, now - settled);
    }
    db.run("DELETE FROM unsynced WHERE boot = ? AND at < ? AND kind = 'tree'", boot, now - treeSettled);
  });
}

interface Row {
  kind: UnsyncedKind;
  name: string;
}

/** True also when the file is gone: there is nothing to sync then. */
function syncFile(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
  try {
    fdatasyncSync(fd);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

function isWhole(core: Core, digest: Digest): boolean {
  const size = core.db.get<{ size: number }>('SELECT size FROM blobs WHERE digest = ?', digest)?.size;
  return size !== undefined && hashFile(blobPath(core.root, digest), size) === digest;
}

function isTocWhole(core: Core, diffId: Digest): boolean {
  const row = core.db.get<{ toc_digest: string }>('SELECT toc_digest FROM layers WHERE diff_id = ?', diffId);
  try {
    return row !== undefined && sha256(readFileSync(join(core.root, 'layers', hexOf(diffId), 'toc'))) === row.toc_digest;
  } catch {
    return false;
  }
}

/** The digest of a file, or undefined when it cannot be read or has another size. */
export function hashFile(path: string, size: number): Digest | undefined {
  try {
    if (statSync(path).size !== size) return undefined;
    const fd = openSync(path, 'r');
    try {
      const hasher = createSha256();
      const buffer = Buffer.allocUnsafe(Math.min(Math.max(size, 1), 1024 * 1024));
      for (let count; (count = readSync(fd, buffer)) > 0; ) hasher.update(buffer.subarray(0, count));
      return hasher.digest();
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
