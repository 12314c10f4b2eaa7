/**
 * Two trees laid beside each other: what was added, removed and changed, and in what. Pure, and never more than one entry
 * of either in memory.
 *
 *     for (const change of compareTrees(entriesOf(viewA), entriesOf(viewB))) ...
 *     for (const change of compareTrees(tocA, tocB, { times: true })) ...
 */
import type { Entry } from '../../layer/entry.ts';
import type { View } from '../../layer/toc-contract.ts';

/** In what two entries of one path differ. */
export type Aspect =
  | 'type' // file, dir, symlink, ...; nothing else but mode, owner and attributes is compared then
  | 'content' // of a file
  | 'link' // target of a symbolic link, or the file that a hard link of a layer names
  | 'device' // numbers of a device
  | 'opaque' // of a directory of a layer
  | 'mode'
  | 'owner'
  | 'xattrs'
  | 'time'; // only when asked for

export interface TreeChange {
  path: string;
  type: 'added' | 'removed' | 'changed';
  /** Absent when it was added. */
  before?: Entry;
  /** Absent when it was removed. */
  after?: Entry;
  /** Empty unless it was changed. */
  aspects: Aspect[];
}

export interface CompareOptions {
  /** Modification times count too. */
  times?: boolean;
}

/**
 * The changes that lead from one tree to the other, sorted by path. Both must be sorted as entry.ts says, without duplicates:
 * a table of contents (a layer, in which deletions are entries of their own) or `entriesOf` a view (what a container sees).
 */
export function* compareTrees(before: Iterable<Entry>, after: Iterable<Entry>, options: CompareOptions = {}): Generator<TreeChange, undefined> {
  const left = before[Symbol.iterator]();
  const right = after[Symbol.iterator]();
  try {
    let a = take(left);
    let b = take(right);
    while (a || b) {
      if (a && (!b || a.path < b.path)) {
        yield { path: a.path, type: 'removed', before: a, aspects: [] };
        a = take(left);
      } else if (b && (!a || b.path < a.path)) {
        yield { path: b.path, type: 'added', after: b, aspects: [] };
        b = take(right);
      } else {
        const aspects = compareEntries(a!, b!, options);
        if (aspects.length > 0) yield { path: a!.path, type: 'changed', before: a!, after: b!, aspects };
        a = take(left);
        b = take(right);
      }
    }
  } finally {
    left.return?.();
    right.return?.();
  }
  return undefined;
}

/** In what two entries differ; their paths are not compared. */
export function compareEntries(a: Entry, b: Entry, { times = false }: CompareOptions = {}): Aspect[] {
  const aspects: Aspect[] = [];
  if (a.type !== b.type) aspects.push('type');
  else {
    if (a.type === 'file' && (a.size !== b.size || a.digest !== b.digest)) aspects.push('content');
    if ((a.type === 'symlink' || a.type === 'hardlink') && a.link !== b.link) aspects.push('link');
    if ((a.type === 'char' || a.type === 'block') && ((a.major ?? 0) !== (b.major ?? 0) || (a.minor ?? 0) !== (b.minor ?? 0))) aspects.push('device');
    if ((a.opaque ?? false) !== (b.opaque ?? false)) aspects.push('opaque');
    // A deletion has no attributes.
    if (a.type === 'whiteout') return aspects;
  }
  // Systems do not keep the mode of a symbolic link.
  if (a.mode !== b.mode && !(a.type === 'symlink' && b.type === 'symlink')) aspects.push('mode');
  if (a.uid !== b.uid || a.gid !== b.gid) aspects.push('owner');
  if (!equalXattrs(a.xattrs, b.xattrs)) aspects.push('xattrs');
  if (times && a.mtime !== b.mtime) aspects.push('time');
  return aspects;
}

/** All entries of a view, its root included, as compareTrees takes them. */
export function* entriesOf(view: View): Generator<Entry, undefined> {
  const root = view.lookup('');
  if (root) yield root.entry;
  for (const { entry } of view.below('')) yield entry;
  return undefined;
}

function take(entries: Iterator<Entry>): Entry | undefined {
  const { done, value } = entries.next();
  return done ? undefined : value;
}

function equalXattrs(a: Entry['xattrs'] = {}, b: Entry['xattrs'] = {}): boolean {
  if (a === b) return true;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && Buffer.compare(a[name]!, b[name]!) === 0);
}
