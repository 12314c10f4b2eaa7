/**
 * Where a COPY takes its files from: a tree that can be asked by path, with the bytes and the digest of each file. The
 * build context is one (directory.ts), the layers of a stage or an image are one (stack-tree.ts), and so all of COPY is
 * written once.
 *
 *     const tree = openContext({ root: '/src/app', ... })
 *     const { found } = tree.resolve('package.json')
 *     tree.known(found)                       // digest, when it is known without reading
 *     await tree.ready?.([found])
 *     tree.content(found)                     // where the bytes are
 *
 * Digests are those of the bytes, always: what is remembered between builds is remembered only where no change can have
 * gone unnoticed. A tree is a picture of one moment; a file that changes while it is read makes the build fail.
 */
import type { Found, View } from '../../layer/toc-contract.ts';
import type { Content } from '../../layer/writer-contract.ts';
import type { Digest } from '../../oci/digest.ts';
import type { TreeMemory } from './remembered.ts';

export interface SourceTree extends View {
  /** For messages: `the build context`, `stage builder`. */
  readonly name: string;
  /** Makes the bytes of these files readable (a compressed layer is decompressed). To be awaited before `content`. */
  ready?(founds: Iterable<Found>): Promise<void>;
  /** Where the bytes of a file are. */
  content(found: Found): Content;
  /** The digest of a file's content, when it is known without reading the file. */
  known(found: Found): Digest | undefined;
  /** Tells the tree the digest that the file's content had when `content` was read. */
  learn(found: Found, digest: Digest): void;
  /** Equal for the names of one file (hard links), undefined for a file with one name. */
  identity(found: Found): string | undefined;
  /** Throws CONTEXT when one of these files is not any more what the tree says it is. To be called after reading. */
  verify(found: Iterable<Found>): void;
  /** True when no later change of the file can go unnoticed by verify(). */
  isSettled?(found: Found): boolean;
  /** The rule that hides a path that exists, for messages. */
  hiddenBy?(path: string): HiddenBy | undefined;
  /** Names in a directory that rules hide, for messages. */
  hiddenIn?(path: string): string[];
  /** Its files enter the key by another part than the listing. */
  unlisted?: boolean;
  /** Its files have no time of their own. */
  timeless?: boolean;
  /** What steps found in it, remembered between builds. */
  memory?: TreeMemory;
  /** Keeps the digests that were learned, for the next build; at its end `all`. Cheap when there is nothing new. */
  save?(all?: boolean): void;
}

export interface HiddenBy {
  /** Name of the ignore file: `.dockerignore`. */
  file: string;
  /** 1-based. */
  line: number;
  /** The rule as written. */
  text: string;
}

/** A tree in which nothing is. */
export const noTree: SourceTree = {
  name: 'nothing',
  lookup: () => undefined,
  resolve: (path) => ({ path }),
  children: () => [],
  below: () => [],
  content: () => ({ bytes: new Uint8Array() }),
  known: () => undefined,
  learn() {},
  identity: () => undefined,
  verify() {},
};
