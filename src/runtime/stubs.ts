/**
 * Mount points that an image lacks. They are made in a tree of their own that lies as the topmost lower directory, so that
 * no runtime makes them in the upper one, where they would end up in the layer. Directories of the image that lead to one
 * are repeated there with their own attributes: nothing about them changes for those who look.
 */
import { chmodSync, closeSync, lchownSync, mkdirSync, openSync, rmSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { SiruError } from '../base/errors.ts';
import { setTime } from '../sys/times.ts';
import { readXattrs, setXattr } from '../sys/xattr.ts';
import { resolveInLowers } from './lowers.ts';

export interface Mountpoint {
  /** Absolute path in the tree. */
  path: string;
  type: 'dir' | 'file';
}

/** What lies below these is made by the runtime in file systems of its own. */
const covered = ['/dev', '/proc', '/sys'];

/**
 * Makes the stubs for those that are missing in `folder`, which must not exist. False when none is missing. Throws
 * CONTEXT when something of another type is in the place.
 */
export function makeStubs(lowers: readonly string[], mountpoints: readonly Mountpoint[], folder: string): boolean {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o755 });
  const made = new Set<string>();
  const times: { path: string; mtime: number }[] = [];
  const root = lowers.at(-1);
  for (const { path, type } of mountpoints) {
    if (covered.some((top) => path.startsWith(`${top}/`))) continue;
    // A tree that holds nothing still needs one to look into.
    const { names, found } = resolveInLowers(lowers.length > 0 ? lowers : [folder], path);
    const last = found.length === names.length + 1 ? found.at(-1)! : undefined;
    if (last && last.stat.isDirectory() === (type === 'dir')) continue;
    const odd = last ?? (found.at(-1)!.stat.isDirectory() ? undefined : found.at(-1));
    if (odd) {
      const place = `/${names.slice(0, found.length - 1).join('/')}`;
      throw new SiruError('CONTEXT', `cannot mount at ${path}: ${place} of the image is ${last?.stat.isDirectory() ? 'a directory' : 'no directory'}`);
    }
    let at = folder;
    for (const [index, name] of names.entries()) {
      at = join(at, name);
      if (made.has(at)) continue;
      made.add(at);
      const below = lowers.length > 0 ? found[index + 1] : undefined;
      if (index === names.length - 1 && type === 'file') closeSync(openSync(at, 'wx', 0o644));
      else mkdirSync(at, { mode: 0o755 });
      if (below) {
        copyAttributes(below, at);
        times.push({ path: at, mtime: below.stat.mtimeMs / 1000 });
      }
    }
  }
  if (made.size === 0) return false;
  if (root !== undefined) {
    const top = resolveInLowers(lowers, '/').found[0]!;
    copyAttributes(top, folder);
    times.push({ path: folder, mtime: top.stat.mtimeMs / 1000 });
  }
  for (const { path, mtime } of times) setTime(path, mtime);
  return true;
}

/** Gives a directory the owner, mode and attributes of another. */
export function copyAttributes(from: { path: string; stat: Stats }, to: string): void {
  lchownSync(to, from.stat.uid, from.stat.gid);
  chmodSync(to, from.stat.mode & 0o7777);
  const xattrs = readXattrs(from.path, (name) => !name.includes('.overlay.') && !name.startsWith('security.selinux'));
  for (const [name, value] of Object.entries(xattrs ?? {})) {
    try {
      setXattr(to, name, value);
    } catch {
      // An attribute that may not be set here does not change what a process in the tree may do.
    }
  }
}
