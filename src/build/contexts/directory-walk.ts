/**
 * The walk of a context directory: what is visible, with one `lstat` per file of the directories that are asked for.
 *
 * A directory whose own row is what the table has was not changed: no name came or went. Where the table has all that it
 * shows, its names are not read again, and nothing is made of them until somebody asks for more than whether they changed.
 */
import { closeSync, constants, lstatSync, openSync, type Stats } from 'node:fs';
import { fsPath } from '../../layer/path-bytes.ts';
import type { Found } from '../../layer/toc-contract.ts';
import { sha256, hexOf, type Digest } from '../../oci/digest.ts';
import { createStatx } from '../../sys/statx.ts';
import { entryOf, isFine, isSocket, modeOf, namesIn, secondsOf, statOf, typeOf, xattrsOf } from './file-entry.ts';
import type { ContextIgnore } from './ignored.ts';
import { columns, createRows, isSettled, rowFlags, sameNumbers, sameStat, type KeptDirectory, type StatRows, type StatTable } from './stat-table.ts';

export interface FileFound extends Found {
  /** Row of its `lstat`: one of the known table, or, as -1 - row, one of this build's own. */
  row: number;
  /** Set for files with several names. */
  inode?: string;
  /** Shown as an empty file. */
  socket?: boolean;
}

export interface Walk {
  root: FileFound;
  /** What is visible directly below a directory, sorted; read at the first call. */
  children: (path: string) => FileFound[];
  lookup(path: string): FileFound | undefined;
  /** True when all that the directory shows is as the table has it; false also for what is no directory. */
  unchanged(path: string): boolean;
  digestOf(found: FileFound): Digest | undefined;
  learn(found: FileFound, digest: Digest): void;
  isSame(found: FileFound, stat: Stats): boolean;
  isSettled(found: FileFound): boolean;
  /** Digest of the rules that say what is shown. */
  rules: string;
  /** Notes that something is to be kept beside the rows. */
  noteNews(): void;
  /** What the next build is to know, or undefined when the table on disk serves it as well; what noteNews() told of counts only for `all`. */
  toKeep(all: boolean): Kept | undefined;
}

export interface Kept {
  directories: KeptDirectory[];
  /** Directories of the new table that are whole. */
  whole: Set<string>;
  /** Those of them whose rows are what they were in the known table. */
  same: Set<string>;
}

/** A directory that was read: its visible children, and the time just before it was read. */
interface Read {
  children: FileFound[];
  looked: number;
  /** Nothing else can show as long as the directory's own row is the same, and all rows may be kept. */
  whole: boolean;
  /** As the known table has it. */
  same: boolean;
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

/** From so many on it is worth while to load what looks at them more quickly. */
const manyRows = 10_000;

/** `ownStore` is written while it would be read, and would grow by its own content with each build. */
export function createWalk(root: string, ownStore: string | undefined, ignore: ContextIgnore | undefined, known: StatTable | undefined): Walk {
  const rows = createRows();
  const read = new Map<string, Read>();
  /** Directories that were not read, because the table has what they show; with the time of the look. False: they have to be read. */
  const verified = new Map<string, number | false>();
  const rootStat = lstatSync(root);
  const fine = isFine(root);
  const rules = hexOf(sha256(JSON.stringify([ignore?.rules.map(({ pattern }) => pattern) ?? [], ownStore ?? ''])));
  const trusted = fine && known?.rules === rules;
  let news = known !== undefined && known.rules !== rules;
  let besides = false;
  const rootFound: FileFound = {
    entry: { path: '', type: 'dir', mode: modeOf(rootStat), uid: 0, gid: 0, size: 0, mtime: secondsOf(rootStat) },
    layer: 0,
    row: -1 - rows.add(rootStat),
  };

  const statx = trusted && known.names.length >= manyRows ? createStatx() : undefined;

  const placeOf = (path: string): string => (path === '' ? root : `${root}/${path}`);

  function readDirectory(path: string): Read {
    const looked = Date.now();
    const children: FileFound[] = [];
    const prefix = path === '' ? '' : `${path}/`;
    const place = placeOf(path);
    const before = known?.directories.get(path);
    let cursor = before?.start ?? 0;
    const end = before ? before.start + before.count : 0;
    const shift = known?.firstName ?? 0;
    let whole = fine;
    for (const name of namesIn(place, path)) {
      const child = prefix + name;
      const hidden = ignore !== undefined && ignore.hides(child);
      if (hidden && !ignore.mayShowBelow(child)) continue;
      const real = `${place}/${name}`;
      if (real === ownStore) continue;
      const stat = statOf(real, child);
      if (stat === undefined) {
        whole = false;
        continue;
      }
      if (hidden) {
        if (!stat.isDirectory()) continue;
        // It shows when something in it does, which its own row does not tell.
        whole = false;
      }
      const entry = entryOf(child, real, stat);
      if (entry === undefined) continue;
      while (cursor < end && known!.names[cursor + shift]! < name) cursor++;
      const same = cursor < end && known!.names[cursor + shift] === name && sameStat(known!, cursor, stat);
      const row = same ? cursor : -1 - rows.add(stat);
      if (hidden && walkInto(child, row).length === 0) continue;
      if (!same || !(known!.flags[cursor]! & rowFlags.noXattrs)) {
        const xattrs = xattrsOf(real, entry);
        if (xattrs) entry.xattrs = xattrs;
        else if (!same) rows.flags[-1 - row]! |= rowFlags.noXattrs;
        if (xattrs) whole = false;
        news ||= !same;
      }
      if (entry.type === 'char' || entry.type === 'block' || stat.dev !== rootStat.dev) whole = false;
      else if (!same && !settled(row, looked)) whole = false;
      const found: FileFound = { entry, layer: 0, row };
      if (stat.nlink > 1 && entry.type === 'file') {
        found.inode = `${stat.dev}:${stat.ino}`;
        if (!same) rows.flags[-1 - row]! |= rowFlags.names;
      }
      if (stat.isSocket()) found.socket = true;
      children.push(found);
    }
    const same = trusted && whole && before?.whole === true && before.count === children.length && children.every(({ row }) => row >= 0);
    news ||= whole && !same;
    return { children, looked, whole, same };
  }

  /** Looks whether a directory, of which `row` is the own row, shows what the table has. */
  function isVerified(path: string, row: number): boolean {
    let at = verified.get(path);
    if (at === undefined) verified.set(path, (at = verify(path, row)));
    return at !== false;
  }

  function verify(path: string, row: number): number | false {
    const listed = row >= 0 && trusted ? known!.directories.get(path) : undefined;
    if (!listed?.whole || known!.numbers[row * columns] !== rootStat.dev) return false;
    const looked = Date.now();
    const place = placeOf(path);
    const { names, firstName } = known!;
    let folder: number | undefined;
    try {
      if (statx) folder = openSync(fsPath(place), constants.O_RDONLY | constants.O_DIRECTORY);
      for (let at = listed.start; at < listed.start + listed.count; at++) {
        const name = names[at + firstName]!;
        if (folder !== undefined && name.isWellFormed() && statx!.of(folder, name)) {
          if (!sameNumbers(known!, at, statx!.values)) return false;
          continue;
        }
        const stat = lstatSync(fsPath(`${place}/${name}`), { throwIfNoEntry: false });
        if (stat === undefined || !sameStat(known!, at, stat)) return false;
      }
    } catch {
      return false; // reading it tells why
    } finally {
      if (folder !== undefined) closeSync(folder);
    }
    return looked;
  }

  /** Of a directory that is as the table has it. */
  function fromTable(path: string, looked: number): Read {
    const { numbers, names, firstName, flags } = known!;
    const { start, count } = known!.directories.get(path)!;
    const children: FileFound[] = [];
    const place = placeOf(path);
    for (let row = start; row < start + count; row++) {
      const name = names[row + firstName]!;
      const at = row * columns;
      const mode = numbers[at + 5]!;
      const entry = entryOf(path === '' ? name : `${path}/${name}`, `${place}/${name}`, { mode, size: numbers[at + 2]!, mtimeMs: numbers[at + 3]!, rdev: 0 })!;
      const found: FileFound = { entry, layer: 0, row };
      if (flags[row]! & rowFlags.names) found.inode = `${numbers[at]}:${numbers[at + 1]}`;
      if (isSocket(mode)) found.socket = true;
      children.push(found);
    }
    return { children, looked, whole: true, same: true };
  }

  /** Of a directory that is known to be one, with its own row. */
  function walkInto(path: string, row: number): FileFound[] {
    let found = read.get(path);
    if (found === undefined) read.set(path, (found = isVerified(path, row) ? fromTable(path, verified.get(path) as number) : readDirectory(path)));
    return found.children;
  }

  /** The own row of a visible directory; undefined for what is none. No path leads through a link or into what is hidden. */
  function rowOfDirectory(path: string): number | undefined {
    if (path === '') return rootFound.row;
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    const parentRow = rowOfDirectory(parent);
    if (parentRow === undefined) return undefined;
    if (!read.has(parent) && isVerified(parent, parentRow)) return rowInTable(parent, path.slice(slash + 1));
    const found = search(walkInto(parent, parentRow), path);
    return found?.entry.type === 'dir' ? found.row : undefined;
  }

  function rowInTable(parent: string, name: string): number | undefined {
    const { names, firstName, numbers } = known!;
    const { start, count } = known!.directories.get(parent)!;
    let low = start;
    let high = start + count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (names[middle + firstName]! < name) low = middle + 1;
      else high = middle;
    }
    return low < start + count && names[low + firstName] === name && typeOf(numbers[low * columns + 5]!) === 'dir' ? low : undefined;
  }

  function childrenOf(path: string): FileFound[] {
    const found = read.get(path);
    if (found) return found.children;
    const row = rowOfDirectory(path);
    return row === undefined ? [] : walkInto(path, row);
  }

  const tableOf = (row: number): StatRows => (row >= 0 ? known! : rows);
  const placeIn = (row: number): number => (row >= 0 ? row : -1 - row);

  function settled(row: number, looked: number): boolean {
    const { numbers } = tableOf(row);
    const at = placeIn(row) * columns;
    return isSettled(numbers[at + 3]!, numbers[at + 4]!, looked, fine && numbers[at] === rootStat.dev);
  }

  function keptOf(path: string, { children, looked, whole }: Read): KeptDirectory {
    const kept: KeptDirectory = { path, whole: false, names: [], from: [], rows: [] };
    const start = path === '' ? 0 : path.length + 1;
    for (const { entry, row } of children) {
      const from = tableOf(row);
      const place = placeIn(row);
      if (from.flags[place] === 0 || !settled(row, looked)) continue;
      kept.names.push(entry.path.slice(start));
      kept.from.push(from);
      kept.rows.push(place);
    }
    kept.whole = whole && kept.rows.length === children.length;
    return kept;
  }

  function keptFromTable(path: string, whole: boolean): KeptDirectory {
    const { start, count } = known!.directories.get(path)!;
    const places = Array.from({ length: count }, (_, i) => start + i);
    return { path, whole, names: places.map((place) => known!.names[place + known!.firstName]!), from: places.map(() => known!), rows: places };
  }

  /**
   * What may be kept of a directory of an earlier build that this one did not look into: undefined when it is gone. Its rows
   * are no longer all that it shows when its own row is another.
   */
  function stillThere(path: string): { same: boolean } | undefined {
    for (let at = path; at !== ''; ) {
      const slash = at.lastIndexOf('/');
      const parent = slash < 0 ? '' : at.slice(0, slash);
      const listed = read.get(parent);
      if (listed) {
        const found = search(listed.children, at);
        return found?.entry.type === 'dir' ? { same: at !== path || found.row >= 0 } : undefined;
      }
      at = parent;
    }
    return { same: true };
  }

  return {
    root: rootFound,
    rules,
    children: childrenOf,
    lookup(path) {
      if (path === '') return rootFound;
      const slash = path.lastIndexOf('/');
      return search(childrenOf(slash < 0 ? '' : path.slice(0, slash)), path);
    },
    unchanged(path) {
      if (!trusted) return false;
      const row = rowOfDirectory(path);
      if (row === undefined) return false;
      if (!read.has(path) && isVerified(path, row)) return true;
      walkInto(path, row);
      return read.get(path)!.same;
    },
    digestOf({ entry, row }) {
      if (entry.digest !== undefined || row < 0 || !(known!.flags[row]! & rowFlags.digest)) return entry.digest;
      return `sha256:${known!.digests.toString('hex', row * 32, row * 32 + 32)}`;
    },
    learn(found, digest) {
      found.entry.digest = digest;
      news = true;
      const { row } = found;
      const { digests, flags } = tableOf(row);
      digests.write(digest.slice(7), placeIn(row) * 32, 'hex');
      flags[placeIn(row)]! |= rowFlags.digest;
    },
    isSame: ({ row }, stat) => sameStat(tableOf(row), placeIn(row), stat),
    isSettled(found) {
      const slash = found.entry.path.lastIndexOf('/');
      const listed = read.get(slash < 0 ? '' : found.entry.path.slice(0, slash));
      return listed !== undefined && settled(found.row, listed.looked);
    },
    noteNews() {
      besides = true;
    },
    toKeep(all) {
      if (!news && !(all && besides)) return undefined;
      news = false;
      besides = false;
      const kept: Kept = { directories: [], whole: new Set(), same: new Set() };
      const keep = (directory: KeptDirectory, same: boolean): void => {
        if (directory.rows.length === 0 && !directory.whole) return;
        kept.directories.push(directory);
        if (!directory.whole) return;
        kept.whole.add(directory.path);
        if (same) kept.same.add(directory.path);
      };
      for (const [path, directory] of read) keep(directory.same ? keptFromTable(path, true) : keptOf(path, directory), directory.same);
      for (const [path, { whole }] of known?.directories ?? []) {
        const there = read.has(path) ? undefined : stillThere(path);
        if (there) keep(keptFromTable(path, trusted && whole && there.same), there.same);
      }
      return kept;
    },
  };
}

export function* below(children: (path: string) => FileFound[], path: string): Generator<FileFound, undefined> {
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
