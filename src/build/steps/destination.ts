/**
 * What a COPY, ADD or WORKDIR writes to: the merged view of the layers below with the step's own entries over it. It notes
 * each answer that it took from the layers, because those answers are part of the step's key and the chain is not.
 *
 * A layer says all of its directories: also parents that exist below stand in it, with the metadata that they have.
 * Tools that unpack a layer by itself (docker's overlay2 and ours) would else invent them as 0755 root, and the overlay
 * would show that: a COPY to /tmp/x would close /tmp.
 */
import { SiruError } from '../../base/errors.ts';
import { carriedXattrs } from '../../layer/carried.ts';
import type { Entry, EntryType } from '../../layer/entry.ts';
import type { Found, View } from '../../layer/toc-contract.ts';
import { sha256 } from '../../oci/digest.ts';
import type { KeyPart } from '../../store/store.ts';
import { insidePath, resolvePath } from '../contexts/resolve-path.ts';
import type { SourceTree } from '../contexts/source.ts';

/** An entry of the layer to make, and where its bytes come from. */
export interface Output {
  entry: Entry;
  /** The file that it is a copy of. */
  found?: Found;
  tree?: SourceTree;
  /** Path under which a listing names the source. Absent for what the step made itself. */
  listed?: string;
  /** For a hard link: the path under which the listing names the first name. */
  listedLink?: string;
  /** Which source of the instruction; hard links are kept within one. */
  action: number;
  /** Content of an inline file. */
  bytes?: Uint8Array;
  /** The digest was found by reading the file in this build. */
  hashed?: boolean;
  /** The same bytes in the tar of an earlier layer. */
  earlier?: { fd: number; offset: number };
}

/** How directories that are made look. */
export interface NewDirectory {
  mode: number;
  uid: number;
  /** When not given: 0, or the group of a setgid directory that it is made in. */
  gid?: number;
  /** No set-group-id bit, wherever it is made. */
  plain?: true;
}

export interface Destination {
  /** What is at a canonical path now. */
  at(path: string): Entry | undefined;
  /** What the step itself put there. */
  own(path: string): Output | undefined;
  /** Types of what the layers below have in a directory, by path; undefined when they have no such directory. */
  childrenBelow(path: string): Map<string, EntryType> | undefined;
  /** Canonical path of a destination, links followed; notes where it leads. */
  resolve(path: string): string;
  /** True when a directory is at the canonical path; notes the answer. */
  isDirectory(path: string): boolean;
  /** Makes a directory and its parents, or takes over those that exist. Throws CONTEXT when a file is in the way. */
  makeDirectories(path: string, like: NewDirectory): void;
  put(output: Output): void;
  /** The same where nothing of the step's own can be at the path: many of these cost less. */
  putNew(output: Output): void;
  /** All that was put so far, in no order. */
  outputs(): Iterable<Output>;
  /** Removes what is at the path and below, for what replaces a directory. */
  replace(path: string): void;
  /** The entries in order. What is a copy of nothing gets this time. */
  finish(time: number): Output[];
  /** Key parts: what was asked of the layers below. */
  answers(): KeyPart[];
}

/** More answers than this are one part of the key. */
const mostNamed = 32;

export function createDestination(view: View): Destination {
  const indexed = new Map<string, Output>();
  /** Put and not indexed yet. */
  let bulk: Output[] = [];
  const answers = new Map<string, string>();
  /** Canonical paths whose content below is gone. */
  const replaced = new Set<string>();

  function index(): Map<string, Output> {
    for (const output of bulk) indexed.set(output.entry.path, output);
    if (bulk.length > 0) bulk = [];
    return indexed;
  }
  const isReplaced = (path: string): boolean => {
    if (replaced.size === 0) return false;
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) if (replaced.has(path.slice(0, end))) return true;
    return false;
  };
  const below = (path: string): Entry | undefined => (isReplaced(path) ? undefined : view.lookup(path)?.entry);
  const at = (path: string): Entry | undefined => index().get(path)?.entry ?? below(path);

  function note(path: string, value: string): void {
    answers.set(`destination /${path}`, value);
  }

  function isDirectory(path: string): boolean {
    const own = index().get(path)?.entry;
    if (own) return own.type === 'dir';
    if (path === '') return true;
    const entry = below(path);
    if (entry?.type === 'dir') return true;
    if (!isReplaced(path)) note(path, 'no directory');
    return false;
  }

  function makeDirectory(path: string, like: NewDirectory): void {
    const own = index().get(path)?.entry;
    if (own?.type === 'dir') return;
    const entry = own ?? below(path);
    if (entry !== undefined && entry.type !== 'dir') {
      throw new SiruError('CONTEXT', `cannot copy to non-directory: /${path} is a ${nameOf(entry.type)}`, {
        hint: 'Choose another destination, or remove the file first.',
      });
    }
    let made: Entry;
    if (entry) {
      made = { path, type: 'dir', mode: entry.mode, uid: entry.uid, gid: entry.gid, size: 0, mtime: 0 };
      const xattrs = carriedXattrs(entry.xattrs);
      if (xattrs) made.xattrs = xattrs;
      note(path, describe(entry));
    } else {
      // As mkdir(2) does it: all that is made in a setgid directory is one.
      const above = path.includes('/') ? at(path.slice(0, path.lastIndexOf('/'))) : at('');
      const setgid = (above?.mode ?? 0) & 0o2000;
      made = { path, type: 'dir', mode: like.plain ? like.mode : like.mode | setgid, uid: like.uid, gid: like.gid ?? (setgid ? above!.gid : 0), size: 0, mtime: 0 };
      if (isReplaced(path)) made.opaque = true;
      else note(path, 'no directory');
    }
    index().set(path, { entry: made, action: -1 });
  }

  return {
    at,
    isDirectory,
    own: (path) => index().get(path),
    childrenBelow(path) {
      if (isReplaced(path) || (path !== '' && view.lookup(path)?.entry.type !== 'dir')) return undefined;
      const children = view.children(path);
      return children.length === 0 ? undefined : new Map(children.map(({ entry }) => [entry.path, entry.type]));
    },
    resolve(path) {
      const canonical = resolvePath(path, (where) => {
        const entry = at(where);
        return entry && { entry };
      }).path;
      const written = insidePath(path);
      if (canonical !== written) note(written, `leads to /${canonical}`);
      return canonical;
    },
    makeDirectories(path, like) {
      if (path === '') return;
      for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) makeDirectory(path.slice(0, slash), like);
      makeDirectory(path, like);
    },
    *outputs() {
      yield* indexed.values();
      yield* bulk;
    },
    putNew(output) {
      bulk.push(output);
    },
    put(output) {
      if (output.entry.type === 'dir' && isReplaced(output.entry.path)) output.entry.opaque = true;
      index().set(output.entry.path, output);
    },
    replace(path) {
      const outputs = index();
      outputs.delete(path);
      const prefix = `${path}/`;
      for (const other of outputs.keys()) if (other.startsWith(prefix)) outputs.delete(other);
      if (view.lookup(path)) replaced.add(path);
    },
    finish(time) {
      const list = [...indexed.values(), ...bulk];
      for (const { entry, found, tree } of list) if (!found || tree?.timeless) entry.mtime = time;
      for (let i = 1; i < list.length; i++) {
        if (list[i - 1]!.entry.path < list[i]!.entry.path) continue;
        return list.sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
      }
      return list;
    },
    answers() {
      const parts = [...answers].map(([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1));
      if (parts.length <= mostNamed) return parts;
      return [{ name: 'destination directories', value: sha256(JSON.stringify(parts)) }];
    },
  };
}

/** A directory as a key names it: `directory 0755 0:0`. */
function describe(entry: Entry): string {
  const text = `directory ${entry.mode.toString(8).padStart(4, '0')} ${entry.uid}:${entry.gid}`;
  if (!entry.xattrs) return text;
  const xattrs = Object.entries(entry.xattrs).map(([name, value]): [string, string] => [name, Buffer.from(value).toString('base64')]);
  return `${text} ${sha256(JSON.stringify(xattrs.sort(([a], [b]) => (a < b ? -1 : 1))))}`;
}

export function nameOf(type: EntryType): string {
  return type === 'dir' ? 'directory' : type === 'symlink' ? 'symbolic link' : type === 'file' ? 'file' : 'special file';
}
