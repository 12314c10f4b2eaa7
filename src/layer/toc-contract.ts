/**
 * The table of contents of a layer: what its entries are and where their bytes lie in the uncompressed tar.
 *
 * It is made whenever a layer's tar is written or read whole, kept beside the layer as one binary file, and can always be
 * made again from the tar. It is opened without being parsed: a look-up is a binary search in the bytes, so that a build
 * in which nothing changed asks a few paths of a base with 100,000 entries and pays for a few.
 *
 *     const toc = openToc(bytes)
 *     toc.lookup('etc/passwd')         // Entry | undefined, as the layer says it; follows no link
 *     [...toc.children('etc')]         // direct children, sorted
 *     [...toc.below('etc')]            // everything below, sorted, without 'etc' itself
 */
import type { Entry, LayerSummary } from './entry.ts';

export interface Toc {
  readonly summary: LayerSummary;
  /** The encoded table; see toc-format.ts. */
  readonly bytes: Uint8Array;
  lookup(path: string): Entry | undefined;
  children(path: string): Iterable<Entry>;
  below(path: string): Iterable<Entry>;
  /** All entries from the first whose path is not less than `path` (as strings compare). */
  from(path: string): Iterable<Entry>;
  [Symbol.iterator](): Iterator<Entry>;
}

/**
 * The merged view of a stack of layers, answered from their tables alone: what a container would see.
 * Whiteouts and opaque directories have done their work; hard links are given as the file they name.
 */
export interface View {
  /** What is at the path; follows no symbolic link at all, so a path through one gives undefined. '' is the root. */
  lookup(path: string): Found | undefined;
  /**
   * Follows symbolic links as the kernel would inside the root (absolute targets and `..` stay inside). With
   * `last: false` a link in the last component is not followed. The result's path is canonical; `found` is absent when
   * nothing is there (the existing parents were still resolved). Throws LAYER after 255 links (a circle).
   */
  resolve(path: string, options?: { last?: boolean }): { path: string; found?: Found };
  /** Names and entries directly below a directory, sorted. Empty when there is no such directory. */
  children(path: string): Found[];
  /** Everything below a directory, depth first, sorted by path. */
  below(path: string): Iterable<Found>;
}

export interface Found {
  entry: Entry;
  /** Index of the layer that says so, 0 = bottom. */
  layer: number;
}
