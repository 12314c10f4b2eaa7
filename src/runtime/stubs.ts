/**
 * Mount points that a tree lacks, made in the mounted tree before a process starts. What came of that in a layer is what
 * BuildKit leaves there: stubs that are still empty afterwards are gone, one that was written to stays, the directory that a
 * stub was made in stands in the layer as a changed one, and /dev, /proc and /sys stay where there were none.
 */
import { closeSync, lstatSync, lutimesSync, mkdirSync, openSync, rmdirSync, unlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { SiruError, errnoOf } from '../base/errors.ts';
import { resolveInside } from '../sys/inside-root.ts';

export interface Mountpoint {
  /** Absolute path in the tree. */
  path: string;
  type: 'dir' | 'file';
}

/** File systems of the runtime's own. What lies below them is no part of the tree. */
const system = ['/dev', '/proc', '/sys'];

/** Makes those that are missing; disposing removes the empty ones. Throws CONTEXT when something of another type is in the place. */
export function makeStubs(root: string, mountpoints: readonly Mountpoint[]): Disposable {
  const missing: string[] = [];
  const times = new Map<string, { before: Stats; after: number }>();
  const resolved = mountpoints.map((mountpoint) => ({ ...mountpoint, full: resolve(root, mountpoint.path) }));
  // All are looked for before the first is made, so that directories that several need are found missing by each.
  for (const { path, full } of resolved) if (!system.includes(path)) missing.push(...missingAbove(root, full));
  for (const mountpoint of resolved) {
    if (system.some((top) => mountpoint.path.startsWith(`${top}/`))) continue;
    makeStub(root, mountpoint, times);
  }
  return {
    [Symbol.dispose]() {
      for (const path of missing) if (isEmptyStub(root, path)) removeStub(path, times);
    },
  };
}

function resolve(root: string, path: string): string {
  try {
    return join(root, resolveInside(root, path));
  } catch (error) {
    if (errnoOf(error) !== 'ENOTDIR') throw error;
    throw new SiruError('CONTEXT', `cannot mount at ${path}: a path that leads to it is no directory in the image`);
  }
}

/** The path and its parents, deepest first, as far as they do not exist. */
function missingAbove(root: string, full: string): string[] {
  const missing: string[] = [];
  for (let at = full; at !== root && !lstatOf(at); at = dirname(at)) missing.push(at);
  return missing;
}

function makeStub(root: string, { path, type, full }: Mountpoint & { full: string }, times: Map<string, { before: Stats; after: number }>): void {
  const names = full.slice(root.length).split('/').filter((name) => name !== '');
  let at = root;
  for (const [index, name] of names.entries()) {
    const parent = at;
    at = join(at, name);
    const wanted = index === names.length - 1 ? type : 'dir';
    const stat = lstatOf(at);
    if (stat) {
      if (stat.isDirectory() === (wanted === 'dir')) continue;
      throw new SiruError('CONTEXT', `cannot mount at ${path}: /${names.slice(0, index + 1).join('/')} of the image is ${wanted === 'dir' ? 'no directory' : 'a directory'}`);
    }
    const before = times.get(parent)?.before ?? lstatSync(parent);
    if (wanted === 'dir') mkdirSync(at, { mode: 0o755 });
    else closeSync(openSync(at, 'wx', 0o755));
    times.set(parent, { before, after: lstatSync(parent).mtimeMs });
  }
}

/** What ran in the tree may have put a link in place of a directory on the way, and it would lead to files of the machine. */
function isEmptyStub(root: string, path: string): boolean {
  for (let at = dirname(path); at !== root; at = dirname(at)) if (!lstatOf(at)?.isDirectory()) return false;
  const stat = lstatOf(path);
  return stat !== undefined && (stat.isDirectory() || stat.size === 0);
}

/** The directory above is as old as it was before, unless someone else has written to it. */
function removeStub(path: string, times: ReadonlyMap<string, { before: Stats; after: number }>): void {
  const parent = dirname(path);
  const now = lstatSync(parent);
  try {
    if (lstatSync(path).isDirectory()) rmdirSync(path);
    else unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOTEMPTY') return;
    throw error;
  }
  const known = times.get(parent);
  const { atime, mtime } = known && known.after === now.mtimeMs ? known.before : now;
  lutimesSync(parent, atime, mtime);
  // Another stub of the same directory is yet to go.
  if (known?.after === now.mtimeMs) known.after = lstatSync(parent).mtimeMs;
}

function lstatOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
