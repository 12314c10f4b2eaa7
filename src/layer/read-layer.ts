/** Reads a layer's tar as a whole: its diff ID, its table of contents, and on request its files into a directory. */
import { createHash, hash, type Hash } from 'node:crypto';
import { SiruError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { Entry, LayerSummary } from './entry.ts';
import { createLayerTree, type LayerTree, type Placed } from './layer-tree.ts';
import { createTarReader } from './tar-read.ts';
import { createTocBuilder } from './toc-write.ts';
import { createTreeHasher } from './tree-digest.ts';
import type { ByteSink } from './writer-contract.ts';

/** Bytes of an uncompressed tar. A chunk need not stay valid when the next one is asked for. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface ReadLayerOptions {
  /** Throws DIGEST when the tar is another one. */
  diffId?: Digest;
  /** Also gets all bytes of the tar. */
  tee?: ByteSink;
  /** Most entries; a bound on memory. */
  maxEntries?: number;
  /** Ends the work between two chunks with CANCELLED. */
  signal?: AbortSignal;
}

/** Puts what the tar holds somewhere. Calls come in the order of the tar. */
export interface TreeTarget {
  place(placed: Placed): void;
  /** A piece of the content of the file placed last; `whole` when it is the only one. */
  content(bytes: Uint8Array, whole: boolean): void;
  /** The file placed last is complete. */
  endFile(entry: Entry): void;
  /** All is there; what only the whole layer shows is done now. */
  finish(entries: Entry[], implied: string[]): void;
  /** Lets go of what is open, after a failure too. */
  close(): void;
}

/**
 * The summary and encoded table of contents of a tar. Throws LAYER when it is malformed or an entry would leave the root,
 * DIGEST when it is not what was expected.
 */
export function readLayer(chunks: Chunks, options: ReadLayerOptions = {}): Promise<{ summary: LayerSummary; toc: Buffer }> {
  return readInto(chunks, options);
}

/** The same, with the files going to a target. */
export async function readInto(
  chunks: Chunks,
  options: ReadLayerOptions,
  target?: TreeTarget,
): Promise<{ summary: LayerSummary; toc: Buffer }> {
  const { signal, tee, diffId: expected } = options;
  const tar = createHash('sha256');
  const tree = createLayerTree(options.maxEntries === undefined ? {} : { maxEntries: options.maxEntries });
  const reader = createTarReader(handlerFor(tree, target));
  let size = 0;
  try {
    for await (const chunk of chunks) {
      if (signal?.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: signal.reason });
      tar.update(chunk);
      tee?.write(chunk);
      size += chunk.length;
      reader.push(chunk);
    }
    reader.end();
    const diffId: Digest = `sha256:${tar.digest('hex')}`;
    if (expected !== undefined && diffId !== expected) {
      throw new SiruError('DIGEST', `the layer's tar has the diff ID ${diffId}, but ${expected} was promised`, {
        hint: 'The image is damaged or was made wrongly: pull it again, or ask who made it.',
      });
    }
    const entries = tree.entries();
    target?.finish(entries, tree.implied());
    return summarise(entries, diffId, size);
  } finally {
    target?.close();
  }
}

function handlerFor(tree: LayerTree, target: TreeTarget | undefined): Parameters<typeof createTarReader>[0] {
  let placed: Placed = { implied: [] };
  let file: Entry | undefined;
  let content: Hash | undefined;
  return {
    member(member) {
      placed = tree.place(member);
      file = placed.entry?.type === 'file' ? placed.entry : undefined;
      target?.place(placed);
    },
    content(bytes) {
      if (!file) return;
      const whole = bytes.length === file.size;
      if (whole) file.digest = `sha256:${hash('sha256', bytes, 'hex')}`;
      else (content ??= createHash('sha256')).update(bytes);
      target?.content(bytes, whole);
    },
    end() {
      if (!file) return;
      if (content) file.digest = `sha256:${content.digest('hex')}`;
      else file.digest ??= `sha256:${hash('sha256', '', 'hex')}`;
      content = undefined;
      target?.endFile(file);
      file = undefined;
    },
  };
}

function summarise(entries: Entry[], diffId: Digest, size: number): { summary: LayerSummary; toc: Buffer } {
  const builder = createTocBuilder();
  const hasher = createTreeHasher();
  let newest: number | undefined;
  for (const entry of entries) {
    builder.add(entry);
    hasher.add(entry);
    if (entry.type !== 'whiteout' && (newest === undefined || entry.mtime > newest)) newest = entry.mtime;
  }
  const summary: LayerSummary = { diffId, size, treeDigest: hasher.digest(), entries: entries.length };
  if (newest !== undefined) summary.newest = newest;
  return { summary, toc: builder.finish(summary) };
}
