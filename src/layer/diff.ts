/** Makes a layer of what was written to an overlay: its upper directory, entry by entry, in the order of their paths. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, unlinkSync, type Stats } from 'node:fs';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { deviceParts } from '../sys/node.ts';
import { setTime } from '../sys/times.ts';
import { readXattrs } from '../sys/xattr.ts';
import { isCarriedXattr } from './carried.ts';
import type { Entry } from './entry.ts';
import { decodePath, fsPath } from './path-bytes.ts';
import { setSourceTime, sourceOf } from './python-cache.ts';
import type { LayerWriter } from './writer-contract.ts';

export interface DiffOptions {
  /**
   * Newer modification times are set back to this (seconds), in the directory too, so that what stands on it sees what it
   * would see elsewhere: SOURCE_DATE_EPOCH.
   */
  epoch?: number;
  /**
   * Where overlayfs kept its marks; both places are looked at when not given. In the other one they are a step's own
   * attributes, which meant nothing while it ran.
   */
  opaque?: 'trusted' | 'user';
  /** Paths that are left out, with what they hold: mount points that a run made. */
  skip?: (path: string) => boolean;
  /** Files that are removed instead. What a lower layer has there is seen again. */
  drop?: ReadonlySet<string>;
  /**
   * Others write to the tree meanwhile: every directory and file is reached from the open directory that it lies in, so that
   * none of them can be made to lead elsewhere, and must be what it was seen to be. What they remove is an error.
   */
  live?: boolean;
  signal?: AbortSignal;
}

/** Longest path in bytes: what reads layers takes no longer one. */
const longestPath = 4096;

/**
 * Adds all entries of an overlay's upper directory to `writer`; the caller finishes it. Owners and file capabilities are
 * those that this process sees, so it must run in the user namespace of the mount. Sockets are left out, and so are all
 * extended attributes but file capabilities.
 */
export function diffUpper(upper: string, writer: LayerWriter, options: DiffOptions = {}): void {
  const { epoch = Infinity, opaque, skip, drop, live = false, signal } = options;
  const opaqueNames = (opaque ? [opaque] : ['trusted', 'user']).map((space) => `${space}.overlay.opaque`);
  /** First names of files that have several, by device and inode. */
  const linked = new Map<string, string>();

  /**
   * `place`: where the directory is found, a short path also for one that lies deeper than paths may be long. `above`: what
   * was found beside it, as it was.
   */
  function walk(path: string, place: string, above?: ReadonlyMap<string, Stats>): void {
    if (signal?.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: signal.reason });
    const prefix = path === '' ? '' : `${path}/`;
    const found = new Map<string, Stats>();
    const keys: string[] = [];
    for (const name of readNames(place)) {
      if (skip?.(prefix + name)) continue;
      if (prefix.length + name.length > longestPath / 3 && Buffer.byteLength(prefix + name) > longestPath) {
        throw new SiruError('LAYER', `the step made a path of more than ${longestPath} bytes: ${path.slice(0, 60)}...`, { hint: 'Remove it in the same RUN, or make the names shorter.' });
      }
      if (name.startsWith('.wh.')) {
        throw new SiruError('LAYER', `the step made ${JSON.stringify(prefix + name)}, which a layer cannot hold`, {
          hint: 'Names that begin with .wh. mean in a layer that a file is removed. Give it another name, or remove it in the same RUN.',
        });
      }
      const stat = lstatSync(fsPath(`${place}/${name}`));
      found.set(name, stat);
      keys.push(name);
      // A directory stands in the order twice: as itself, and where all that it holds belongs ('a', 'a-b', 'a/x').
      if (stat.isDirectory()) keys.push(`${name}/`);
    }
    keys.sort();
    for (const key of keys) {
      if (key.endsWith('/')) {
        below(prefix + key.slice(0, -1), `${place}/${key.slice(0, -1)}`, found);
        continue;
      }
      const full = fsPath(`${place}/${key}`);
      const stat = found.get(key)!;
      if (drop?.has(prefix + key) && stat.isFile()) {
        unlinkSync(full);
        continue;
      }
      if (stat.mtimeMs / 1000 > epoch) setBack(full, stat, sourceIn(key, path, found, above));
      add(prefix + key, full, stat);
    }
  }

  /** The kernel takes no longer paths either, and the upper directory has one of its own. By way of an open directory each is short. */
  function below(path: string, place: string, above: ReadonlyMap<string, Stats>): void {
    if (!live && place.length < 1000) {
      walk(path, place, above);
      return;
    }
    const fd = openSync(fsPath(place), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      walk(path, `/proc/self/fd/${fd}`, above);
    } finally {
      closeSync(fd);
    }
  }

  function setBack(full: string | Buffer, stat: Stats, source: Stats | undefined): void {
    if (stat.isCharacterDevice() && stat.rdev === 0) return;
    if (source && stat.isFile() && source.mtimeMs / 1000 > epoch) setSourceTime(full, source, epoch);
    setTime(full, epoch);
  }

  function add(path: string, full: string | Buffer, stat: Stats): void {
    const mtime = Math.min(epoch, Math.floor(stat.mtimeMs / 1000));
    const entry: Entry = { path, type: 'file', mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, size: 0, mtime };
    if (stat.isFile()) {
      if (stat.nlink > 1) {
        const inode = `${stat.dev}:${stat.ino}`;
        const first = linked.get(inode);
        if (first !== undefined) {
          writer.add({ ...entry, type: 'hardlink', link: first });
          return;
        }
        linked.set(inode, path);
      }
      addXattrs(entry, full, opaqueNames);
      if (live) addOpen(entry, full);
      else writer.add({ ...entry, size: stat.size }, { file: full });
      return;
    }
    if (stat.isDirectory()) {
      entry.type = 'dir';
      addXattrs(entry, full, opaqueNames);
    } else if (stat.isSymbolicLink()) {
      entry.type = 'symlink';
      entry.mode = 0o777;
      entry.link = decodePath(readlinkSync(full, { encoding: 'buffer' }));
    } else if (stat.isCharacterDevice() && stat.rdev === 0) {
      writer.add({ path, type: 'whiteout', mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 });
      return;
    } else if (stat.isFIFO()) {
      entry.type = 'fifo';
    } else if (stat.isCharacterDevice() || stat.isBlockDevice()) {
      entry.type = stat.isBlockDevice() ? 'block' : 'char';
      Object.assign(entry, deviceParts(stat.rdev));
    } else return; // a socket means nothing without the process that listens on it
    writer.add(entry);
  }

  /** Only a regular file is read, with the size that it has by now: what grows behind that is left out. */
  function addOpen(entry: Entry, full: string | Buffer): void {
    const fd = openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new SiruError('STORE', `cannot read ${JSON.stringify(entry.path)}: it is no file any more`);
      writer.add({ ...entry, size: stat.size }, { fd, offset: 0 });
    } finally {
      closeSync(fd);
    }
  }

  try {
    below('', upper, new Map());
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new SiruError('STORE', `cannot read what the step wrote: ${messageOf(error)}`, { cause: error });
  }
}

/** The source of a compiled file of Python. */
function sourceIn(name: string, directory: string, found: ReadonlyMap<string, Stats>, above: ReadonlyMap<string, Stats> | undefined): Stats | undefined {
  const source = sourceOf(name, directory.slice(directory.lastIndexOf('/') + 1));
  return source && (source.above ? above : found)?.get(source.name);
}

/** `opaqueNames`: the marks of a directory that hides what lies below it. */
function addXattrs(entry: Entry, full: string | Buffer, opaqueNames: readonly string[]): void {
  const found = readXattrs(full, (name) => isCarriedXattr(name) || opaqueNames.includes(name));
  if (!found) return;
  for (const [name, value] of Object.entries(found)) {
    if (opaqueNames.includes(name)) {
      // 'x' means that the directory holds whiteouts in the form of attributes, not that it is opaque.
      if (entry.type === 'dir' && value.toString('latin1') === 'y') entry.opaque = true;
    } else (entry.xattrs ??= {})[name] = value;
  }
}

/** Names in a directory, whatever their bytes. */
function readNames(path: string): string[] {
  // latin1 gives one character per byte, which is the name itself for ASCII.
  const names = readdirSync(fsPath(path), { encoding: 'latin1' });
  // oxlint-disable-next-line no-control-regex
  return names.map((name) => (/^[\x00-\x7f]*$/.test(name) ? name : decodePath(Buffer.from(name, 'latin1'))));
}
