/**
 * The build context from a directory: one `lstat` per file of the directories that some COPY asks for, the ignore file
 * applied, owners 0:0, digests remembered between builds (stat-table.ts).
 */
import { lstatSync, readdirSync, readlinkSync, realpathSync, statfsSync, type Stats } from 'node:fs';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { isCarriedXattr } from '../../layer/carried.ts';
import type { Entry, EntryType } from '../../layer/entry.ts';
import { decodePath, fsPath } from '../../layer/path-bytes.ts';
import type { Found } from '../../layer/toc-contract.ts';
import { hexOf, sha256, type Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';
import { deviceParts } from '../../sys/node.ts';
import { readXattrs } from '../../sys/xattr.ts';
import { contextDirectory } from './context-directory.ts';
import { readIgnoreFile, type ContextIgnore } from './ignored.ts';
import { insidePath, resolvePath } from './resolve-path.ts';
import type { SourceTree } from './source.ts';
import { columns, createRows, isSettled, readStatTable, rowFlags, sameStat, writeStatTable, type KeptDirectory, type StatRows, type StatTable } from './stat-table.ts';

export interface ContextOptions {
  /** Path of the directory. */
  root: string;
  /** For messages; `the build context` when not given. */
  name?: string;
  /** Path of the Dockerfile: `<Dockerfile>.dockerignore` beside it wins over the context's `.dockerignore`. */
  dockerfile?: string;
  /** No file in it is an ignore file. */
  plain?: boolean;
  /** Where digests are remembered; nowhere when not given. When it lies in the context it is no part of it. */
  store?: Pick<Store, 'path' | 'temporary'> & Partial<Pick<Store, 'root'>>;
}

interface FileFound extends Found {
  /** Row of its `lstat`: one of the known table, or, as -1 - row, one of this build's own. */
  row: number;
  /** Set for files with several names. */
  inode?: string;
  /** Shown as an empty file. */
  socket?: boolean;
}

/** Opens a directory as a build context; files are looked at when they are asked for. Throws CONTEXT when it is none. */
export function openContext(options: ContextOptions): SourceTree {
  const root = contextDirectory(options.root);
  const name = options.name ?? 'the build context';
  const ignore = options.plain ? undefined : readIgnoreFile(root, options.dockerfile);
  const table = options.store?.path('contexts', hexOf(sha256(root)));
  const ownStore = options.store?.root === undefined ? undefined : realpathSync(options.store.root);
  const walk = createWalk(root, ownStore, ignore, table === undefined ? undefined : readStatTable(table));

  const lookup = (path: string): FileFound | undefined => {
    if (path === '') return walk.root;
    const slash = path.lastIndexOf('/');
    return search(walk.children(slash < 0 ? '' : path.slice(0, slash)), path);
  };

  const tree: SourceTree = {
    name,
    lookup,
    resolve: (path, how) => resolvePath(path, lookup, how),
    children: (path) => walk.children(path),
    below: (path) => below(walk.children, path),
    content: (found) => ((found as FileFound).socket ? { bytes: new Uint8Array() } : { file: fsPath(`${root}/${found.entry.path}`) }),
    known: (found) => walk.digestOf(found as FileFound),
    learn: (found, digest) => walk.learn(found as FileFound, digest),
    identity: (found) => (found as FileFound).inode,
    verify(founds) {
      for (const found of founds) {
        const { entry } = found;
        const stat = lstatSync(fsPath(`${root}/${entry.path}`), { throwIfNoEntry: false });
        if (stat && walk.isSame(found as FileFound, stat)) continue;
        throw new SiruError('CONTEXT', `${JSON.stringify(entry.path)} changed while it was read`, {
          hint: 'Run again when nothing writes to the file, or leave it out with .dockerignore.',
        });
      }
    },
    isSettled: (found) => walk.isSettled(found as FileFound),
    hiddenBy(path) {
      const inside = insidePath(path);
      return exists(`${root}/${inside}`) ? ignore?.ruleFor(inside) : undefined;
    },
    hiddenIn(path) {
      if (!ignore || (path !== '' && lookup(path)?.entry.type !== 'dir')) return [];
      const shown = new Set(walk.children(path).map(({ entry }) => entry.path));
      return namesIn(path === '' ? root : `${root}/${path}`, path).filter((name) => !shown.has(path === '' ? name : `${path}/${name}`));
    },
    save() {
      if (table === undefined || options.store === undefined) return;
      const kept = walk.toKeep();
      if (kept === undefined) return;
      try {
        writeStatTable(table, options.store.temporary('.stat'), kept);
      } catch {
        // Only the next build's speed depends on it.
      }
    },
  };
  return tree;
}

/** Finds a path among children, which are sorted by path. */
function search(children: FileFound[], path: string): FileFound | undefined {
  let low = 0;
  let high = children.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (children[middle]!.entry.path < path) low = middle + 1;
    else high = middle;
  }
  return children[low]?.entry.path === path ? children[low] : undefined;
}

function* below(children: (path: string) => FileFound[], path: string): Generator<FileFound, undefined> {
  const all: FileFound[] = [];
  const visit = (directory: string): void => {
    for (const found of children(directory)) {
      all.push(found);
      if (found.entry.type === 'dir') visit(found.entry.path);
    }
  };
  visit(path);
  yield* all.sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  return undefined;
}

interface Walk {
  root: FileFound;
  /** What is visible directly below a directory, sorted; read at the first call. */
  children: (path: string) => FileFound[];
  digestOf(found: FileFound): Digest | undefined;
  learn(found: FileFound, digest: Digest): void;
  isSame(found: FileFound, stat: Stats): boolean;
  isSettled(found: FileFound): boolean;
  /** Rows for the next build, or undefined when the table on disk serves it as well. */
  toKeep(): KeptDirectory[] | undefined;
}

/** A directory that was read: its visible children, and the time just before it was read. */
interface Read {
  children: FileFound[];
  looked: number;
}

/** `ownStore` is written while it would be read, and would grow by its own content with each build. */
function createWalk(root: string, ownStore: string | undefined, ignore: ContextIgnore | undefined, known: StatTable | undefined): Walk {
  const rows = createRows();
  const read = new Map<string, Read>();
  const rootStat = lstatSync(root);
  const fine = isFine(root);
  let news = false;
  const rootFound: FileFound = {
    entry: { path: '', type: 'dir', mode: modeOf(rootStat), uid: 0, gid: 0, size: 0, mtime: secondsOf(rootStat) },
    layer: 0,
    row: -1 - rows.add(rootStat),
  };

  function readDirectory(path: string): Read {
    const looked = Date.now();
    const children: FileFound[] = [];
    const prefix = path === '' ? '' : `${path}/`;
    const place = path === '' ? root : `${root}/${path}`;
    const before = known?.directories.get(path);
    let cursor = before?.start ?? 0;
    const end = before ? before.start + before.count : 0;
    const shift = known?.firstName ?? 0;
    for (const name of namesIn(place, path)) {
      const child = prefix + name;
      const hidden = ignore !== undefined && ignore.hides(child);
      if (hidden && !ignore.mayShowBelow(child)) continue;
      const real = `${place}/${name}`;
      if (real === ownStore) continue;
      const stat = statOf(real, child);
      if (stat === undefined) continue;
      // A hidden directory shows when something in it does.
      if (hidden && (!stat.isDirectory() || walkInto(child).length === 0)) continue;
      const entry = entryOf(child, real, stat);
      if (entry === undefined) continue;
      while (cursor < end && known!.names[cursor + shift]! < name) cursor++;
      const same = cursor < end && known!.names[cursor + shift] === name && sameStat(known!, cursor, stat);
      const row = same ? cursor : -1 - rows.add(stat);
      if (!same || !(known!.flags[cursor]! & rowFlags.noXattrs)) {
        const xattrs = xattrsOf(real, entry);
        if (xattrs) entry.xattrs = xattrs;
        else if (!same) rows.flags[-1 - row]! |= rowFlags.noXattrs;
        news ||= !same;
      }
      const found: FileFound = { entry, layer: 0, row };
      if (stat.nlink > 1 && entry.type === 'file') found.inode = `${stat.dev}:${stat.ino}`;
      if (stat.isSocket()) found.socket = true;
      children.push(found);
    }
    return { children, looked };
  }

  /** Of a directory that is known to be one. */
  function walkInto(path: string): FileFound[] {
    let found = read.get(path);
    if (found === undefined) read.set(path, (found = readDirectory(path)));
    return found.children;
  }

  /** Only what the walk shows is walked: no path leads through a link or into what is hidden. */
  function childrenOf(path: string): FileFound[] {
    const found = read.get(path);
    if (found) return found.children;
    if (path === '') return walkInto('');
    const slash = path.lastIndexOf('/');
    const parent = childrenOf(slash < 0 ? '' : path.slice(0, slash));
    return search(parent, path)?.entry.type === 'dir' ? walkInto(path) : [];
  }

  const tableOf = (row: number): StatRows => (row >= 0 ? known! : rows);
  const placeOf = (row: number): number => (row >= 0 ? row : -1 - row);

  function settled(row: number, looked: number): boolean {
    const { numbers } = tableOf(row);
    const at = placeOf(row) * columns;
    return isSettled(numbers[at + 3]!, numbers[at + 4]!, looked, fine && numbers[at] === rootStat.dev);
  }

  function keptOf(path: string, { children, looked }: Read): KeptDirectory {
    const kept: KeptDirectory = { path, names: [], from: [], rows: [] };
    const start = path === '' ? 0 : path.length + 1;
    for (const { entry, row } of children) {
      const from = tableOf(row);
      const place = placeOf(row);
      if (from.flags[place] === 0 || !settled(row, looked)) continue;
      kept.names.push(entry.path.slice(start));
      kept.from.push(from);
      kept.rows.push(place);
    }
    return kept;
  }

  return {
    root: rootFound,
    children: childrenOf,
    digestOf({ entry, row }) {
      if (entry.digest !== undefined || row < 0 || !(known!.flags[row]! & rowFlags.digest)) return entry.digest;
      return `sha256:${known!.hex.slice(row * 64, row * 64 + 64)}`;
    },
    learn(found, digest) {
      found.entry.digest = digest;
      news = true;
      const { row } = found;
      const { digests, flags } = tableOf(row);
      digests.write(digest.slice(7), placeOf(row) * 32, 'hex');
      flags[placeOf(row)]! |= rowFlags.digest;
    },
    isSame: ({ row }, stat) => sameStat(tableOf(row), placeOf(row), stat),
    isSettled(found) {
      const slash = found.entry.path.lastIndexOf('/');
      const listed = read.get(slash < 0 ? '' : found.entry.path.slice(0, slash));
      return listed !== undefined && settled(found.row, listed.looked);
    },
    toKeep() {
      if (!news) return undefined;
      news = false;
      const kept: KeptDirectory[] = [];
      for (const [path, directory] of read) {
        const rowsOf = keptOf(path, directory);
        if (rowsOf.rows.length > 0) kept.push(rowsOf);
      }
      for (const [path, { start, count }] of known?.directories ?? []) {
        if (read.has(path) || !mayStillBe(path)) continue;
        const places = Array.from({ length: count }, (_, i) => start + i);
        kept.push({ path, names: places.map((place) => known!.names[place + known!.firstName]!), from: places.map(() => known!), rows: places });
      }
      return kept;
    },
  };

  /** False for a directory of an earlier build that this one would have met if it were still there. */
  function mayStillBe(path: string): boolean {
    for (let slash = path.lastIndexOf('/'), at = path; ; slash = at.lastIndexOf('/')) {
      const parent = slash < 0 ? '' : at.slice(0, slash);
      const listed = read.get(parent);
      if (listed) return search(listed.children, at)?.entry.type === 'dir';
      if (parent === '') return true;
      at = parent;
    }
  }
}

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

function exists(file: string): boolean {
  try {
    return lstatSync(fsPath(file), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // below a file, or in what may not be read
  }
}

function statOf(real: string, path: string): Stats | undefined {
  try {
    return lstatSync(fsPath(real), { throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(path, error);
  }
}

const typeBits = 0o170000;

function typeOf(mode: number): EntryType | undefined {
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
function modeOf(stat: Stats): number {
  return process.platform === 'win32' ? 0o755 : stat.mode & 0o7777;
}

function secondsOf(stat: Stats): number {
  return Math.floor(stat.mtimeMs / 1000);
}

function entryOf(path: string, real: string, stat: Stats): Entry | undefined {
  const type = typeOf(stat.mode);
  if (type === undefined) return undefined;
  const entry: Entry = { path, type, mode: modeOf(stat), uid: 0, gid: 0, size: stat.isFile() ? stat.size : 0, mtime: secondsOf(stat) };
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

function xattrsOf(real: string, entry: Entry): Record<string, Uint8Array> | undefined {
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

function isFine(root: string): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return fineTypes.has(statfsSync(root).type);
  } catch {
    return false;
  }
}

