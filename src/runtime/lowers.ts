/** Looks paths up in a stack of unpacked trees as overlayfs would show them, without mounting it. */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { SiruError } from '../base/errors.ts';
import { getXattr } from '../sys/xattr.ts';

export interface InLowers {
  stat: Stats;
  /** Path of the topmost tree's file or directory, which gives the attributes. */
  path: string;
  /** A directory: the places that are merged in it, topmost first. */
  merged: string[];
}

export interface Resolved {
  /** Names from the root, free of links. */
  names: string[];
  /** What is at each of them, as far as there is something; `found[0]` is the root. */
  found: InLowers[];
}

const mostLinks = 40;

/** Follows links inside the tree as the kernel would in a chroot. `lowers` bottom first. Throws UNSUPPORTED in a circle. */
export function resolveInLowers(lowers: readonly string[], target: string): Resolved {
  const root = rootOf([...lowers].reverse());
  let names: string[] = [];
  let found: InLowers[] = [root];
  const todo = target.split('/').reverse();
  let links = 0;
  while (todo.length > 0) {
    const name = todo.pop()!;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (names.length > 0 && found.length === names.length + 1) found.pop();
      names.pop();
      continue;
    }
    const parent = found.length === names.length + 1 ? found.at(-1) : undefined;
    const child = parent && lookup(parent, name);
    if (child?.stat.isSymbolicLink()) {
      if (++links > mostLinks) throw new SiruError('UNSUPPORTED', `${target}: too many symbolic links`);
      const link = readlinkSync(child.path);
      if (link.startsWith('/')) {
        names = [];
        found = [root];
      }
      todo.push(...link.split('/').reverse());
      continue;
    }
    names.push(name);
    if (child) found.push(child);
  }
  return { names, found };
}

function rootOf(merged: string[]): InLowers {
  const path = merged[0] ?? '/';
  return { stat: lstatSync(path), path, merged };
}

function lookup(parent: InLowers, name: string): InLowers | undefined {
  let top: InLowers | undefined;
  for (const [index, folder] of parent.merged.entries()) {
    const path = `${folder}/${name}`;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) continue;
    if (stat.isCharacterDevice() && stat.rdev === 0) return top; // a whiteout
    if (!stat.isDirectory()) return top ?? { stat, path, merged: [] };
    top ??= { stat, path, merged: [] };
    top.merged.push(path);
    if (index + 1 < parent.merged.length && isOpaque(path)) return top;
  }
  return top;
}

function isOpaque(path: string): boolean {
  for (const name of ['trusted.overlay.opaque', 'user.overlay.opaque']) {
    if (getXattr(path, name)?.toString('latin1') === 'y') return true;
  }
  return false;
}
