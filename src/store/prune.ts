/**
 * Removes what nothing needs, in an order that is safe under kill -9.
 *
 * One transaction decides, takes the rows away and puts the blobs' digests into the trash table; short ones then delete
 * files whose digest still has no row. A blob's writer renames and inserts in such a transaction too. So a digest with a
 * row has its file, whoever is killed when; a file without a row is trash, or is swept when it is an hour old.
 */
import { lstatSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SiruError } from '../base/errors.ts';
import { checkCancelled } from '../base/context.ts';
import type { Context } from '../base/context.ts';
import { hexOf } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { addBallast, dropBallast } from './ballast.ts';
import { blobPath } from './blobs.ts';
import { containersNeed, namesIn } from './containers-need.ts';
import type { Core } from './core.ts';
import { listFailed, nameOf, takeAway } from './failed.ts';
import { findGarbage } from './garbage.ts';
import { forgetImage } from './images.ts';
import { writeIndexJson } from './index-json.ts';
import { askForLists, liveLeases } from './leases.ts';
import type { LiveLeases } from './leases.ts';
import { removeStaleLocks } from './locks.ts';
import { layerPath } from './layers.ts';
import { chooseGarbage, isLimited, type Candidates } from './choose-garbage.ts';
import { cacheMountsToPrune, type CacheMount } from './cache-mounts.ts';
import { dropPartials } from './partials.ts';
import { storeError } from './store-error.ts';
import type { PruneOptions, PruneReport } from './store.ts';
import { abandoned, removeAll } from './temporary.ts';

/** Files without a row are somebody's who is about to name them, until they are this old. */
const orphanAge = 3600 * 1000;
/** A build that is still under way may say nothing for long. */
const logAge = 24 * orphanAge;
const askedAge = 30 * 24 * orphanAge;
/** How long to wait for a handle to write its list, and how often to look. */
const leasePatience = 30_000;
const leasePoll = 10;
/** Evicted records whose parts are kept, and places whose last key is. */
const mostEvicted = 10_000;
const mostSlots = 20_000;
/** Longest stretch of deleting under the write lock, in milliseconds. */
const sweepSlice = 20;

export async function prune(core: Core, asked: PruneOptions, context: Context): Promise<PruneReport> {
  const options: PruneOptions = isLimited(asked) ? { ...asked, all: true, only: 'cache' } : asked;
  const { db, root } = core;
  checkCancelled(context);
  core.leases.flush();
  if (options.dryRun) {
    const { held } = liveLeases(db, core.owner, true);
    const garbage = garbageOf(core, options, held, cacheMountsToPrune(core, options));
    return report(garbage, garbage.mounts, await partialBytes(core, options));
  }
  const mounts = cacheMountsToPrune(core, options);
  const trees = abandoned(join(root, 'tmp'), core.owner);
  dropBallast(root);
  try {
    const { garbage, gone } = await decide(core, options, context, trees, mounts);
    await sweep(core, context);
    await removeTrees(trees, options);
    await removeStaleLocks(root);
    return report(garbage, gone, await partialBytes(core, options));
  } finally {
    addBallast(root);
  }
}

function garbageOf(core: Core, options: PruneOptions, held: LiveLeases['held'], measured: readonly CacheMount[]): Candidates {
  const { only, until } = options;
  const since = until === undefined ? Infinity : Date.now() - until;
  const failed = only === 'images' ? [] : listFailed(core).filter((step) => step.at < since && !held.failed.has(nameOf(step)));
  const mounts = measured.filter(({ name }) => !held['cache-mount'].has(name));
  // Where some may stay, what failed steps stand on waits until they are gone.
  const ending = new Set(isLimited(options) ? [] : failed.map(nameOf));
  const all: Candidates = { ...findGarbage(core, options, held, containersNeed(core.root, ending)), failed, mounts };
  return isLimited(options) ? chooseGarbage(core, all, options) : all;
}

/** Downloads that broke off go too, unless only images are meant or only as much as has to go. */
async function partialBytes(core: Core, options: PruneOptions): Promise<number> {
  if (options.only === 'images' || isLimited(options)) return 0;
  return dropPartials(core, { most: 0, mostBytes: 0, until: options.until }, options.dryRun);
}

function report({ images, records, layers, blobs, failed }: Candidates, mounts: readonly CacheMount[], partial: number): PruneReport {
  const bytes = [...layers, ...blobs, ...failed, ...mounts].reduce((sum, item) => sum + item.bytes, partial);
  return { images, records: records.length, layers: layers.length, blobs: blobs.length, failed: failed.length, cacheMounts: mounts.length, bytes };
}

/** The first transaction. Paths of layer folders that were moved to tmp/ are added to `trees`. */
async function decide(core: Core, options: PruneOptions, context: Context, trees: string[], mounts: readonly CacheMount[]): Promise<{ garbage: Candidates; gone: CacheMount[] }> {
  const { db, root, owner } = core;
  const deadline = Date.now() + (options.patience ?? leasePatience);
  let asked = false;
  try {
    for (;;) {
      const outcome = db.transaction((): { garbage: Candidates; gone: CacheMount[] } | NonNullable<LiveLeases['dirty']> => {
        const live = liveLeases(db, owner);
        if (live.dirty !== undefined) return live.dirty;
        const garbage = garbageOf(core, options, live.held, mounts);
        apply(core, garbage, trees);
        if (options.only !== 'images') dropUnnamed(core, live.held, trees);
        const gone = garbage.mounts;
        for (const { name } of gone) moveAway(core, join(root, 'cache-mounts', name), trees);
        return { garbage, gone };
      });
      if (!('pid' in outcome)) return outcome;
      // Again each time: another collection may have ended and taken it back.
      askForLists(db, true);
      asked = true;
      if (Date.now() > deadline) {
        throw new SiruError('IN_USE', `process ${outcome.pid} works with the store without a pause; nothing was removed`, {
          hint: 'Prune again when it has ended.',
        });
      }
      await sleep(leasePoll, undefined, { signal: context.signal }).catch(() => checkCancelled(context));
      core.leases.flush();
    }
  } finally {
    if (asked) askForLists(db, false);
  }
}

function apply(core: Core, garbage: Candidates, trees: string[]): void {
  const { db } = core;
  for (const { digest } of garbage.images) forgetImage(core, digest);
  if (garbage.images.length > 0) writeIndexJson(core);
  for (const key of garbage.records) db.run('UPDATE records SET evicted = 1 WHERE key = ?', key);
  db.run('DELETE FROM records WHERE evicted = 1 AND rowid NOT IN (SELECT rowid FROM records WHERE evicted = 1 ORDER BY used DESC LIMIT ?)', mostEvicted);
  db.run('DELETE FROM listings WHERE key NOT IN (SELECT key FROM records)');
  db.run('DELETE FROM slots WHERE slot NOT IN (SELECT slot FROM slots ORDER BY at DESC LIMIT ?)', mostSlots);
  for (const { digest } of garbage.blobs) {
    db.run('DELETE FROM blobs WHERE digest = ?', digest);
    db.run("DELETE FROM unsynced WHERE kind = 'blob' AND name = ?", digest);
    db.run('INSERT OR IGNORE INTO trash (digest) VALUES (?)', digest);
  }
  for (const { diffId } of garbage.layers) {
    db.run('DELETE FROM layers WHERE diff_id = ?', diffId);
    db.run('DELETE FROM variants WHERE diff_id = ?', diffId);
    db.run("DELETE FROM unsynced WHERE kind IN ('toc', 'tree') AND name = ?", diffId);
    moveAway(core, layerPath(core.root, diffId), trees);
  }
  for (const step of garbage.failed) takeAway(core, step, trees);
  db.run('DELETE FROM variants WHERE diff_id NOT IN (SELECT diff_id FROM layers) AND digest NOT IN (SELECT digest FROM blobs)');
}

/** A layer whose folder is gone counts as missing, so the move may come before the commit. */
function moveAway(core: Core, folder: string, trees: string[]): void {
  const away = core.temporary('.tree');
  try {
    renameSync(folder, away);
    trees.push(away);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The folder of a cache mount may belong to a subordinate user: it is removed where it is, with a helper.
    if (code === 'EACCES') trees.push(folder);
    else if (code !== 'ENOENT') throw storeError(error, `cannot move ${folder} away`);
  }
}

/** Old files and folders that no row names: what killed writers left, and listings of records that are gone. */
function dropUnnamed(core: Core, held: LiveLeases['held'], trees: string[]): void {
  const { db, root } = core;
  const blobs = new Set(db.all<{ digest: string }>('SELECT digest FROM blobs').map(({ digest }) => hexOf(digest as Digest)));
  for (const hex of namesIn(join(root, 'blobs', 'sha256'))) {
    if (!/^[0-9a-f]{64}$/.test(hex) || blobs.has(hex) || !isOld(join(root, 'blobs', 'sha256', hex))) continue;
    db.run('INSERT OR IGNORE INTO trash (digest) VALUES (?)', `sha256:${hex}`);
  }
  const layers = new Set(db.all<{ diff_id: string }>('SELECT diff_id FROM layers').map(({ diff_id }) => hexOf(diff_id as Digest)));
  for (const hex of namesIn(join(root, 'layers'))) {
    const folder = join(root, 'layers', hex);
    if (!layers.has(hex) && !held.layer.has(`sha256:${hex}`) && isOld(folder)) moveAway(core, folder, trees);
  }
  // Repositories of contexts are fetched again when they are wanted; their time is that of the last use.
  for (const hex of namesIn(join(root, 'git'))) {
    const folder = join(root, 'git', hex);
    if (isOld(folder)) moveAway(core, folder, trees);
  }
  // When registries were asked: no interval is that long.
  for (const hex of namesIn(join(root, 'asked'))) {
    const file = join(root, 'asked', hex);
    if (isOld(file, askedAge)) rmSync(file, { force: true });
  }
  // Failed steps whose description is damaged.
  const kept = new Set(listFailed(core).map(nameOf));
  for (const name of namesIn(join(root, 'failed'))) {
    const folder = join(root, 'failed', name);
    if (!kept.has(name) && isOld(folder)) moveAway(core, folder, trees);
  }
  // Logs of builds that were killed before they came into the history.
  for (const id of namesIn(join(root, 'logs'))) {
    const folder = join(root, 'logs', id);
    const quiet = [folder, ...namesIn(folder).map((name) => join(folder, name))].every((path) => isOld(path, logAge));
    if (quiet && db.get('SELECT 1 FROM builds WHERE id = ?', id) === undefined) moveAway(core, folder, trees);
  }
  // Of evicted records only those that a miss is likely to be compared with.
  const listings = db.all<{ digest: string }>(
    `SELECT DISTINCT l.digest FROM listings l JOIN records r ON r.key = l.key
     WHERE r.evicted = 0 OR r.key IN (SELECT key FROM slots)`,
  );
  const named = new Set(listings.map(({ digest }) => hexOf(digest as Digest)));
  for (const hex of namesIn(join(root, 'listings'))) {
    const file = join(root, 'listings', hex);
    if (!named.has(hex) && isOld(file)) rmSync(file, { force: true });
  }
}

function isOld(path: string, age = orphanAge): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs < Date.now() - age;
}

/** Deletes the files in the trash whose digest has no row again, a little at a time. */
async function sweep(core: Core, context: Context): Promise<void> {
  const { db, root } = core;
  for (;;) {
    const more = db.transaction(() => {
      const end = performance.now() + sweepSlice;
      const rows = db.all<{ digest: Digest; kept: number }>(
        'SELECT t.digest, b.digest IS NOT NULL AS kept FROM trash t LEFT JOIN blobs b ON b.digest = t.digest LIMIT 256',
      );
      for (const { digest, kept } of rows) {
        if (kept === 0) unlinkIfThere(blobPath(root, digest));
        db.run('DELETE FROM trash WHERE digest = ?', digest);
        if (performance.now() > end) break;
      }
      return rows.length > 0;
    });
    if (!more) return;
    await new Promise((resolve) => setImmediate(resolve));
    checkCancelled(context);
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storeError(error, `cannot remove ${path}`);
  }
}

async function removeTrees(paths: string[], options: PruneOptions): Promise<void> {
  if (paths.length === 0) return;
  const left = await removeAll(paths);
  // What is left may belong to subordinate ids; without a helper it waits in tmp/ for a prune that has one.
  if (left.length > 0) await options.removeTrees?.(left);
}
