/** Names and metadata of this machine's files as entries of a context. */
import { lstatSync, readdirSync, readlinkSync, statfsSync, type Stats } from 'node:fs';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { isCarriedXattr } from '../../layer/carried.ts';
import type { Entry, EntryType } from '../../layer/entry.ts';
import { decodePath, fsPath } from '../../layer/path-bytes.ts';
import { deviceParts } from '../../sys/node.ts';
import { readXattrs } from '../../sys/xattr.ts';

/** Names in a directory, sorted as entries are; `path` is the directory's inside the context. Throws CONTEXT when it cannot be read. */
export function namesIn(place: string, path: string): string[] {
  try {
    const names = readdirSync(fsPath(place));
    // A name that is not UTF-8 comes with replacement characters: then all are read as bytes.
    const right = names.some((name) => name.includes('\ufffd')) ? readdirSync(fsPath(place), 'buffer').map((bytes) => decodePath(bytes)) : names;
    return right.sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []; // gone since its parent was read
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): SiruError {
  return new SiruError('CONTEXT', `cannot read ${path === '' ? 'the build context' : JSON.stringify(path)}: ${messageOf(error)}`, {
    hint: 'Make it readable, or leave it out with .dockerignore.',
    cause: error,
  });
}

export function exists(file: string): boolean {
  try {
    return lstatSync(fsPath(file), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // below a file, or in what may not be read
  }
}

export function statOf(real: string, path: string): Stats | undefined {
  try {
    return lstatSync(fsPath(real), { throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(path, error);
  }
}

const typeBits = 0o170000;

export function isSocket(mode: number): boolean {
  return (mode & typeBits) === 0o140000;
}

export function typeOf(mode: number): EntryType | undefined {
  switch (mode & typeBits) {
    case 0o100000:
      return 'file';
    case 0o040000:
      return 'dir';
    case 0o120000:
      return 'symlink';
    case 0o020000:
      return 'char';
    case 0o060000:
      return 'block';
    case 0o010000:
      return 'fifo';
    case 0o140000:
      return 'file'; // a socket: no tar can hold it, and docker's client sends it as an empty file
    default:
      return undefined;
  }
}

/** Windows has no permission bits; docker's client sends 0755 for everything from there. */
export function modeOf(stat: Pick<Stats, 'mode'>): number {
  return process.platform === 'win32' ? 0o755 : stat.mode & 0o7777;
}

export function secondsOf(stat: Pick<Stats, 'mtimeMs'>): number {
  return Math.floor(stat.mtimeMs / 1000);
}

/** What a context shows of a file; undefined for what no tar can hold. `real` is where it is. */
export function entryOf(path: string, real: string, stat: Pick<Stats, 'mode' | 'size' | 'mtimeMs' | 'rdev'>): Entry | undefined {
  const type = typeOf(stat.mode);
  if (type === undefined) return undefined;
  const entry: Entry = { path, type, mode: modeOf(stat), uid: 0, gid: 0, size: type === 'file' && !isSocket(stat.mode) ? stat.size : 0, mtime: secondsOf(stat) };
  if (type === 'symlink') {
    entry.mode = 0o777;
    try {
      entry.link = decodePath(readlinkSync(fsPath(real), 'buffer'));
    } catch (error) {
      throw unreadable(path, error);
    }
    if (process.platform === 'win32') entry.link = entry.link.replaceAll('\\', '/');
  } else if (type === 'char' || type === 'block') Object.assign(entry, deviceParts(stat.rdev));
  return entry;
}

export function xattrsOf(real: string, entry: Entry): Record<string, Uint8Array> | undefined {
  if (process.platform !== 'linux' || (entry.type !== 'file' && entry.type !== 'dir')) return undefined;
  try {
    return readXattrs(fsPath(real), isCarriedXattr);
  } catch {
    return undefined; // docker copies them as far as it can, too
  }
}

/** File systems of Linux that are local and take times from the kernel's clock, by the magic numbers of statfs(2). */
const fineTypes = new Set([
  0xef53, // ext2 to ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x01021994, // tmpfs
  0x794c7630, // overlay: the times are those of the upper file system
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
  0xca451a4e, // bcachefs
]);

export function isFine(root: string): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return fineTypes.has(statfsSync(root).type);
  } catch {
    return false;
  }
}

