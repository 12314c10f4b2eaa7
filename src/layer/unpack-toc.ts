/**
 * Puts a layer into a directory by its table of contents: nothing is parsed or hashed again, so the table and the tar must
 * be the store's own. Files that an earlier layer's tree has as well become further names of the files there.
 */
import { linkSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { SiruError, errnoOf } from '../base/errors.ts';
import type { Entry } from './entry.ts';
import { fsPath } from './path-bytes.ts';
import type { Toc } from './toc-contract.ts';
import { createUnpacker, type Skipped, type UnpackOptions } from './unpack.ts';

export interface TocUnpackOptions extends UnpackOptions {
  /** An unpacked layer that may share files, and its table. Nobody writes to such a tree: it lies below overlay mounts. */
  like?: { root: string; toc: Toc };
  signal?: AbortSignal;
}

const bufferSize = 1 << 20;
/** Entries between two looks at the signal. */
const batch = 1024;

/** Unpacks the tar open as `tar` into `root`, which is made and must be empty. Throws as applyLayer. */
export async function unpackByToc(toc: Toc, tar: number, root: string, options: TocUnpackOptions): Promise<Skipped> {
  const { like, signal } = options;
  const target = createUnpacker(root, options);
  const entries: Entry[] = [];
  const implied: string[] = [];
  const directories = new Set<string>(['']);
  const contentOf = createReader(tar);
  const earlier = like && createFollower(like.toc);

  /** The directories on the way that have no entry of their own. */
  const missing = (path: string): string[] => {
    const list: string[] = [];
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end);
      if (directories.has(parent)) break;
      directories.add(parent);
      list.unshift(parent);
    }
    implied.push(...list);
    return list;
  };

  try {
    for (const entry of toc) {
      if (entries.push(entry) % batch === 0) {
        await turn();
        if (signal?.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: signal.reason });
      }
      const { path, type } = entry;
      const parents = missing(path);
      if (type === 'dir') {
        target.place({ implied: parents, entry, ...(directories.has(path) ? { known: true } : {}) });
        directories.add(path);
        continue;
      }
      if (type !== 'file') {
        target.place({ implied: parents, entry });
        continue;
      }
      if (like && isSame(entry, earlier!(path)) && link(`${like.root}/${path}`, `${root}/${path}`)) continue;
      target.place({ implied: parents, entry });
      for (const piece of contentOf(entry)) target.content(piece, piece.length === entry.size);
      target.endFile(entry);
    }
    target.finish(entries, implied);
  } finally {
    target.close();
  }
  return target.skipped;
}

/** Looks paths up that ascend. */
function createFollower(toc: Toc): (path: string) => Entry | undefined {
  const entries = toc[Symbol.iterator]();
  let next = entries.next();
  return (path) => {
    while (!next.done && next.value.path < path) next = entries.next();
    return !next.done && next.value.path === path ? next.value : undefined;
  };
}

function isSame(a: Entry, b: Entry | undefined): boolean {
  return (
    b !== undefined &&
    b.type === 'file' &&
    a.digest !== undefined &&
    a.digest === b.digest &&
    a.size === b.size &&
    a.mtime === b.mtime &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.xattrs === undefined &&
    b.xattrs === undefined
  );
}

/** False where there can be no further name: the file system has a bound for them, or the earlier tree lacks the file. */
function link(from: string, to: string): boolean {
  try {
    linkSync(fsPath(from), fsPath(to));
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EMLINK' || code === 'ENOENT' || code === 'EPERM' || code === 'EXDEV') return false;
    throw error;
  }
}

/** Reads files whose places in the tar mostly ascend, many at a time. The pieces are valid until the next one. */
function createReader(tar: number): (entry: Entry) => Iterable<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(bufferSize);
  let start = 0;
  let end = 0;
  const fill = (position: number): void => {
    start = position;
    end = position + readSync(tar, buffer, 0, buffer.length, position);
  };
  return function* pieces({ path, size, offset = 0 }) {
    for (let done = 0; done < size; ) {
      const at = offset + done;
      // A small file that is not there as a whole is read anew, so that it is one piece.
      if (at < start || at >= end || (done === 0 && size <= buffer.length && at + size > end)) fill(at);
      const length = Math.min(size - done, end - at);
      if (length <= 0) throw new SiruError('STORE', `the tar of a layer ends within ${JSON.stringify(path)}`, { hint: 'Build or pull the image again.' });
      yield buffer.subarray(at - start, at - start + length);
      done += length;
    }
  };
}
