/** Entries of trees as people and programs read them. */
import type { Entry } from '../../layer/entry.ts';
import { harmlessLine } from '../sanitize.ts';

const letters: Record<Entry['type'], string> = { file: '-', dir: 'd', symlink: 'l', hardlink: 'h', char: 'c', block: 'b', fifo: 'p', whiteout: 'w' };

/** As `ls -l` writes it: `-rwxr-xr-x`. */
export function modeText({ type, mode }: Entry): string {
  const three = (bits: number, special: boolean, letter: string): string =>
    `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? 'x' : '-'}`;
  return `${letters[type]}${three(mode >> 6, (mode & 0o4000) !== 0, 's')}${three(mode >> 3, (mode & 0o2000) !== 0, 's')}${three(mode, (mode & 0o1000) !== 0, 't')}`;
}

export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** `/bin/sh -> busybox`, `/etc/`. */
export function pathText({ path, type, link }: Entry): string {
  const name = `/${harmlessLine(path)}`;
  if (type === 'dir') return path === '' ? '/' : `${name}/`;
  return link === undefined ? name : `${name} -> ${type === 'hardlink' ? '/' : ''}${harmlessLine(link)}`;
}

/** Members of an entry for JSON; extended attributes in base64. */
export function entryMembers({ path, type, mode, uid, gid, size, mtime, digest, link, major, minor, opaque, xattrs }: Entry): object {
  if (type === 'whiteout') return { path: `/${path}`, type };
  const device = type === 'char' || type === 'block' ? { major: major ?? 0, minor: minor ?? 0 } : {};
  return {
    path: `/${path}`, type, mode: octal(mode), uid, gid,
    ...(type === 'file' ? { size } : {}), mtime,
    ...(digest === undefined ? {} : { digest }), ...(link === undefined ? {} : { link }), ...device, ...(opaque ? { opaque } : {}),
    ...(xattrs ? { xattrs: Object.fromEntries(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value).toString('base64')])) } : {}),
  };
}
