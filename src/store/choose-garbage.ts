/**
 * Which of the build cache goes when it has to fit into a size: what saves the fewest seconds for each of its bytes, and was not
 * used for long. Pure but for reading.
 */
import { statfsSync } from 'node:fs';
import type { Digest } from '../oci/digest.ts';
import type { CacheMount } from './cache-mounts.ts';
import type { Core } from './core.ts';
import { nameOf } from './failed.ts';
import type { Garbage } from './garbage.ts';
import type { FailedStep, PruneOptions } from './store.ts';

/** What saved a second a week ago counts as half of one. */
const halfLife = 7 * 24 * 3600 * 1000;
/** Bytes a second at which what nobody timed is had again: layers of bases, what programs keep in cache mounts. */
const fetched = 20_000_000;
/** Of a result that no place of a Dockerfile had last. */
const superseded = 0.1;

export interface Candidates extends Garbage {
  failed: FailedStep[];
  mounts: CacheMount[];
}

interface Unit {
  bytes: number;
  /** Seconds that it saves. */
  seconds: number;
  used: number;
  records: Digest[];
  layer?: Digest;
  blobs: Digest[];
  failed?: string;
  mount?: string;
}

/** True when the options say how much may stay. */
export function isLimited({ maxUsed, minFree, reserved }: PruneOptions): boolean {
  return maxUsed !== undefined || minFree !== undefined || reserved !== undefined;
}

/** Bytes of cache that may stay: docker's arithmetic. `free` is what the file system has. */
export function bytesToKeep(total: number, free: number, { maxUsed, minFree = 0, reserved = 0 }: PruneOptions): number {
  let keep = maxUsed ?? (reserved > 0 && minFree === 0 ? reserved : total);
  if (minFree > free) keep = Math.min(keep, total - (minFree - free));
  return Math.max(keep, reserved);
}

/** Of all that could go, what has to. */
export function chooseGarbage(core: Core, all: Candidates, options: PruneOptions, free: number = freeBytes(core.root)): Candidates {
  const units = unitsOf(core, all);
  const total = units.reduce((sum, { bytes }) => sum + bytes, 0);
  let excess = total - bytesToKeep(total, free, options);
  const now = Date.now();
  const worth = new Map(units.map((unit) => [unit, (unit.seconds * 0.5 ** (Math.max(0, now - unit.used) / halfLife)) / Math.max(1, unit.bytes)]));
  const gone: Unit[] = [];
  for (const unit of units.filter(({ bytes }) => bytes > 0).sort((a, b) => worth.get(a)! - worth.get(b)! || a.used - b.used)) {
    if (excess <= 0) break;
    gone.push(unit);
    excess -= unit.bytes;
  }
  const records = new Set(gone.flatMap((unit) => unit.records));
  const layers = new Set(gone.map(({ layer }) => layer));
  const blobs = new Set(gone.flatMap((unit) => unit.blobs));
  return {
    images: all.images,
    records: all.records.filter((key) => records.has(key)),
    layers: all.layers.filter(({ diffId }) => layers.has(diffId)),
    blobs: all.blobs.filter(({ digest }) => blobs.has(digest)),
    failed: all.failed.filter((step) => gone.some(({ failed }) => failed === nameOf(step))),
    mounts: all.mounts.filter(({ name }) => gone.some(({ mount }) => mount === name)),
  };
}

export function freeBytes(root: string): number {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize;
}

/** What goes together: a layer, the blobs that hold it, and the results that are this layer. */
function unitsOf(core: Core, { records, layers, blobs, failed, mounts }: Candidates): Unit[] {
  const { db } = core;
  const units = new Map<string, Unit>();
  const unit = (name: string, layer?: Digest): Unit => {
    let found = units.get(name);
    if (!found) units.set(name, (found = { bytes: 0, seconds: 0, used: 0, records: [], blobs: [], ...(layer && { layer }) }));
    return found;
  };
  const layerOf = new Map(db.all<{ diff_id: string; digest: string }>('SELECT diff_id, digest FROM variants').map(({ diff_id, digest }) => [digest, diff_id]));
  const layerUsed = new Map(db.all<{ diff_id: string; used: number }>('SELECT diff_id, used FROM layers').map(({ diff_id, used }) => [diff_id, used]));
  const blobMade = new Map(db.all<{ digest: string; made: number }>('SELECT digest, made FROM blobs').map(({ digest, made }) => [digest, made]));
  for (const { diffId, bytes } of layers) {
    const of = unit(diffId, diffId);
    of.bytes += bytes;
    of.used = layerUsed.get(diffId) ?? 0;
  }
  for (const { digest, bytes } of blobs) {
    const of = unit(units.has(digest) ? digest : (layerOf.get(digest) ?? digest));
    of.bytes += bytes;
    of.blobs.push(digest);
    of.used = Math.max(of.used, blobMade.get(digest) ?? 0);
  }
  const wanted = new Set<string>(records);
  type RecordRow = { key: Digest; diff_id: string; took: number; used: number; last: number };
  for (const { key, diff_id, took, used, last } of db.all<RecordRow>('SELECT key, diff_id, took, used, key IN (SELECT key FROM slots) AS last FROM records WHERE evicted = 0')) {
    if (!wanted.has(key)) continue;
    const of = unit(diff_id);
    of.records.push(key);
    of.seconds += (took / 1000) * (last === 1 ? 1 : superseded);
    of.used = Math.max(of.used, used);
  }
  for (const of of units.values()) if (of.records.length === 0) of.seconds = of.bytes / fetched;
  const others = [
    // Whoever wants to look into a failure does so soon, and can have it again.
    ...failed.map((step): Unit => ({ bytes: step.bytes, seconds: 0, used: step.at, records: [], blobs: [], failed: nameOf(step) })),
    ...mounts.map(({ name, bytes, used }): Unit => ({ bytes, seconds: bytes / fetched, used, records: [], blobs: [], mount: name })),
  ];
  return [...units.values(), ...others];
}
