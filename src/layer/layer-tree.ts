/**
 * Makes a layer of the members of a tar, whatever their order: later members replace earlier ones, whiteout names become
 * whiteouts and opaque directories, links within the layer are followed where a path leads through one, hard links are
 * grouped, and all comes out as the sorted entries of entry.ts. Pure; unpack.ts does to a directory what is told here.
 *
 * OCI's rule is that whiteouts speak of the layers below only, so their place in the tar does not matter. A whiteout of
 * a directory that the same layer holds makes that directory opaque.
 */
import type { Entry } from './entry.ts';
import { malformed, type TarMember } from './tar-read.ts';

/** What to do for a member. Paths lead through no link. */
export interface Placed {
  /** Directories that must be made first, outermost first; they have no entry of their own. */
  implied: string[];
  /** Absent for marks of deletion and for what is none of the layer's business. */
  entry?: Entry;
  /** What stood there and must go; a directory goes with all that it holds. */
  replaces?: 'directory' | 'other';
  /** The directory stands there already and only gets other attributes. */
  known?: boolean;
}

export interface LayerTree {
  /** Takes the next member. A file's entry may be given its digest afterwards. Throws LAYER for what has no place inside. */
  place(member: TarMember): Placed;
  /** All entries, sorted; of the names of one file the first is the file, the others are hard links to it. */
  entries(): Entry[];
  /** Directories without an entry. */
  implied(): string[];
}

export interface LayerTreeOptions {
  /** Most members and implied directories; a bound on memory. A million and a half when not given, which takes about 2 GB. */
  maxEntries?: number;
}

/** What all names of one file share. */
interface Inode {
  entry: Entry;
}

interface Node {
  /** Absent for a directory that is only implied by what lies below it. */
  inode?: Inode;
  children?: Map<string, Node>;
  /** Names that the layers below lose. */
  whiteouts?: Set<string>;
  opaque?: boolean;
}

interface Place {
  node: Node;
  path: string;
}

const whiteoutPrefix = '.wh.';
const opaqueMark = '.wh..wh..opq';
/** AUFS's own files; they were never meant to be seen. */
const metaPrefix = '.wh..wh.';
/** As the kernel bounds them. */
/** More would not fit into the memory that V8 allows itself. */
const mostEntries = 1_500_000;
const maxLinks = 40;
const longestPath = 4096;

export function createLayerTree(options: LayerTreeOptions = {}): LayerTree {
  const { maxEntries = mostEntries } = options;
  const root: Node = {};
  let count = 0;
  /** The directory of the last member, since the next one is mostly in the same. */
  let lastRaw: string | undefined;
  let last: Place | undefined;

  function counted(): void {
    if (++count > maxEntries) throw malformed(`it has more than ${maxEntries} entries`);
  }

  /** Walks to a directory, following links of this layer. Makes what is missing, or returns undefined without `implied`. */
  function directory(raw: string, member: TarMember, implied?: string[]): Place | undefined {
    const todo = raw === '' ? [] : raw.split('/').reverse();
    let trail: Place[] = [{ node: root, path: '' }];
    let links = 0;
    while (todo.length > 0) {
      const name = todo.pop()!;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (trail.length > 1) trail.pop();
        continue;
      }
      if (name.startsWith(whiteoutPrefix)) throw malformed(`${quote(member.path)} lies below a name that means a deletion`);
      const here = trail.at(-1)!;
      const path = join(here.path, name);
      let child = here.node.children?.get(name);
      const entry = child?.inode?.entry;
      if (entry?.type === 'symlink') {
        if (++links > maxLinks) throw malformed(`${quote(member.path)} lies behind too many symbolic links`);
        if (entry.link!.startsWith('/')) trail = [{ node: root, path: '' }];
        todo.push(...entry.link!.split('/').reverse());
        continue;
      }
      if (entry && entry.type !== 'dir') throw malformed(`${quote(member.path)} lies below a ${entry.type}`);
      if (!child) {
        if (!implied) return undefined;
        if (path.length > longestPath) throw malformed(`${quote(member.path)} lies too deep`);
        counted();
        child = {};
        (here.node.children ??= new Map()).set(name, child);
        implied.push(path);
      }
      trail.push({ node: child, path });
    }
    return trail.at(-1);
  }

  function parentOf(raw: string, member: TarMember, implied: string[]): Place {
    if (lastRaw !== raw || last === undefined) {
      last = directory(raw, member, implied)!;
      lastRaw = raw;
    }
    return last;
  }

  /** The file that a hard link names, and its path. */
  function linked(member: TarMember): { inode: Inode; path: string } {
    const [folder, name] = split(member.link!);
    const parent = directory(folder, member);
    const inode = parent?.node.children?.get(name)?.inode;
    if (!parent || !inode || inode.entry.type === 'dir') {
      throw malformed(`the hard link ${quote(member.path)} names ${quote(member.link!)}, which is no file of the layer`);
    }
    return { inode, path: join(parent.path, name) };
  }

  function mark(parent: Node, name: string, member: TarMember): void {
    if (name === opaqueMark) parent.opaque = true;
    else if (!name.startsWith(metaPrefix)) {
      const gone = name.slice(whiteoutPrefix.length);
      if (gone === '' || gone === '.' || gone === '..') throw malformed(`${quote(member.path)} deletes nothing that can be named`);
      (parent.whiteouts ??= new Set()).add(gone);
    }
  }

  return {
    place(member) {
      counted();
      const implied: string[] = [];
      if (member.path === '') {
        root.inode = { entry: entryOf(member, '') };
        return { implied, entry: root.inode.entry, known: true };
      }
      const [folder, name] = split(member.path);
      if (member.path.startsWith(metaPrefix) && member.path !== opaqueMark) return { implied };
      const parent = parentOf(folder, member, implied);
      if (name.startsWith(whiteoutPrefix)) {
        mark(parent.node, name, member);
        return { implied };
      }
      const path = join(parent.path, name);
      if (path.length > longestPath) throw malformed(`${quote(member.path)} lies too deep`);
      const children = (parent.node.children ??= new Map<string, Node>());
      const old = children.get(name);
      if (member.type === 'char' && member.major === 0 && member.minor === 0) {
        // Overlayfs would take the device for the deletion that it uses this number for.
        (parent.node.whiteouts ??= new Set()).add(name);
        return { implied };
      }
      let entry: Entry;
      let inode: Inode;
      if (member.type === 'hardlink') {
        const target = linked(member);
        inode = target.inode;
        if (old?.inode === inode) return { implied };
        if (target.path.startsWith(`${path}/`)) throw malformed(`the hard link ${quote(path)} would replace what it names`);
        entry = hardlinkTo(inode.entry, path, target.path);
      } else {
        entry = entryOf(member, path);
        inode = { entry };
      }
      if (old && isDirectory(old) && member.type === 'dir') {
        old.inode = inode;
        return { implied, entry, known: true };
      }
      children.set(name, { inode });
      if (!old) return { implied, entry };
      lastRaw = undefined; // the remembered directory may be in what was replaced
      return { implied, entry, replaces: isDirectory(old) ? 'directory' : 'other' };
    },
    entries() {
      const list: Entry[] = [];
      const rootEntry = directoryEntry(root, '', false);
      if (rootEntry) list.push(rootEntry);
      listBelow(root, '', list, new Map());
      return list;
    },
    implied() {
      const list: string[] = [];
      const walk = (node: Node, path: string): void => {
        if (!node.inode && path !== '') list.push(path);
        for (const [name, child] of node.children ?? []) if (isDirectory(child)) walk(child, join(path, name));
      };
      walk(root, '');
      return list;
    },
  };
}

/**
 * Lists what lies below a directory so that the order is that of whole paths: `a`, `a-b`, `a/x`, `a0`. To that end a
 * directory stands in its parent's list twice: as itself, and as `name/` for all that it holds.
 */
function listBelow(node: Node, path: string, list: Entry[], firsts: Map<Inode, string>): void {
  const keys: string[] = [];
  for (const [name, child] of node.children ?? []) {
    keys.push(name);
    if (child.children || child.whiteouts) keys.push(`${name}/`);
  }
  for (const name of node.whiteouts ?? []) if (!node.children?.has(name)) keys.push(name);
  keys.sort();
  for (const key of keys) {
    if (key.endsWith('/')) {
      const name = key.slice(0, -1);
      listBelow(node.children!.get(name)!, join(path, name), list, firsts);
      continue;
    }
    const child = node.children?.get(key);
    const full = join(path, key);
    if (!child) list.push({ path: full, type: 'whiteout', mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 });
    else if (isDirectory(child)) {
      const entry = directoryEntry(child, full, node.whiteouts?.has(key) ?? false);
      if (entry) list.push(entry);
    } else {
      const { inode } = child;
      const { entry } = inode!;
      const first = entry.type === 'file' ? firsts.get(inode!) : undefined;
      if (first === undefined) firsts.set(inode!, full);
      list.push(first === undefined ? { ...entry, path: full } : hardlinkTo(entry, full, first));
    }
  }
}

/** The entry of a directory; undefined when it is only implied and hides nothing. */
function directoryEntry(node: Node, path: string, hides: boolean): Entry | undefined {
  const opaque = hides || node.opaque === true;
  if (!node.inode && !opaque) return undefined;
  const entry: Entry = node.inode ? { ...node.inode.entry, path } : { path, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 };
  if (opaque) entry.opaque = true;
  return entry;
}

function hardlinkTo(entry: Entry, path: string, link: string): Entry {
  return { path, type: 'hardlink', mode: entry.mode, uid: entry.uid, gid: entry.gid, size: 0, mtime: entry.mtime, link };
}

/** The entry of a member. Attributes in which overlayfs keeps its own state never come from outside. */
function entryOf(member: TarMember, path: string): Entry {
  const { type, mode, uid, gid, size, mtime } = member;
  const entry: Entry = { path, type, mode, uid, gid, size, mtime };
  if (type === 'file') entry.offset = member.offset;
  if (member.link !== undefined) entry.link = member.link;
  if (member.xattrs) {
    const kept = Object.entries(member.xattrs).filter(([name]) => !isOverlayXattr(name));
    if (kept.length > 0) entry.xattrs = Object.fromEntries(kept);
  }
  if (type === 'char' || type === 'block') {
    entry.major = member.major ?? 0;
    entry.minor = member.minor ?? 0;
  }
  return entry;
}

/** True for the attributes in which overlayfs keeps whiteouts, redirections and the like. */
export function isOverlayXattr(name: string): boolean {
  return name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.');
}

function isDirectory(node: Node): boolean {
  return !node.inode || node.inode.entry.type === 'dir';
}

function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf('/');
  return [slash < 0 ? '' : path.slice(0, slash), path.slice(slash + 1)];
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path);
}
