/**
 * One entry of a layer: a path and all that the layer says of it. The same shape comes out of a tar, a table of
 * contents, an overlay upper directory and a walk of the build context.
 *
 * Paths are relative to the root of the layer, with `/` between names, no `.`/`..`, no slash at either end; the root
 * itself is ''. Names are strings; bytes that are not UTF-8 stand as lone surrogates U+DC80..U+DCFF (see path-bytes.ts),
 * so every name survives a round trip and ordinary names are ordinary strings.
 *
 * A list of entries is sorted by path, compared as JavaScript strings (`<`), without duplicates: parents come before what
 * they hold, and all that lies below `a/` is contiguous.
 */
import type { Digest } from '../oci/digest.ts';

export type EntryType =
  | 'file'
  | 'dir'
  | 'symlink'
  | 'hardlink' // another name of a file of the same layer
  | 'char'
  | 'block'
  | 'fifo'
  | 'whiteout'; // the path does not exist any more, whatever the layers below hold

export interface Entry {
  path: string;
  type: EntryType;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of a file; 0 for all else. */
  size: number;
  /** Seconds since 1970, whole; may be negative. */
  mtime: number;
  /** Target of a symbolic link as written, or path of the entry that a hard link names. */
  link?: string;
  /** Names to values; only when there are any. */
  xattrs?: Record<string, Uint8Array>;
  /** SHA-256 of a file's content. */
  digest?: Digest;
  /** Where a file's bytes begin in the uncompressed tar. */
  offset?: number;
  /** Devices. */
  major?: number;
  minor?: number;
  /** A directory that hides all that lower layers hold below it. */
  opaque?: boolean;
}

/** What a finished layer is known by. Plain data; crosses process boundaries. */
export interface LayerSummary {
  /** SHA-256 of the uncompressed tar. */
  diffId: Digest;
  /** Bytes of the uncompressed tar. */
  size: number;
  /** SHA-256 over all entries but their mtimes: equal trees have equal tree digests. */
  treeDigest: Digest;
  /** Number of entries. */
  entries: number;
  /** The newest mtime in the layer (seconds), if it has an entry. */
  newest?: number;
}
