/** The folders behind `RUN --mount=type=cache`. Their content belongs to the steps; the store says only who uses them. */
import { lstatSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './containers-need.ts';
import type { Core } from './core.ts';
import type { PruneOptions } from './store.ts';
import { treeBytes } from '../base/tree-bytes.ts';

/** See Store.cacheMount. */
export function useCacheMount(core: Core, name: string): string {
  core.leases.open();
  core.leases.hold('cache-mount', name);
  const folder = join(core.root, 'cache-mounts', name);
  try {
    const now = new Date();
    utimesSync(folder, now, now); // its last use
  } catch {
    // Not there yet, or another user's.
  }
  return folder;
}

export interface CacheMount {
  name: string;
  bytes: number;
  /** Milliseconds since 1970. */
  used: number;
}

/** Those that nobody used lately, measured; who holds them is for the caller to ask. They count as build cache. */
export function cacheMountsToPrune({ root }: Core, { all, only, until }: PruneOptions): CacheMount[] {
  if (!all || only === 'images') return [];
  return namesIn(join(root, 'cache-mounts')).flatMap((name): CacheMount[] => {
    const folder = join(root, 'cache-mounts', name);
    const used = lstatSync(folder, { throwIfNoEntry: false })?.mtimeMs;
    if (used === undefined || (until !== undefined && used > Date.now() - until)) return [];
    return [{ name, bytes: treeBytes(folder), used }];
  });
}
