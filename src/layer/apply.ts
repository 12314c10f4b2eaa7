/** Unpacks a layer's tar into a directory. */
import type { LayerSummary } from './entry.ts';
import { readInto, type Chunks, type ReadLayerOptions } from './read-layer.ts';
import { createUnpacker, type Skipped, type UnpackOptions } from './unpack.ts';

export { readLayer, type Chunks, type ReadLayerOptions } from './read-layer.ts';

export interface ApplyOptions extends ReadLayerOptions, UnpackOptions {}

export interface Applied {
  summary: LayerSummary;
  /** Encoded table of contents. */
  toc: Buffer;
  skipped: Skipped;
}

/**
 * Unpacks a tar into `target`, which is made and must be empty, for use as a lower directory of an overlay mount. Whatever
 * the tar holds, nothing outside `target` is touched. After an error a part of the layer lies there; the caller deletes it.
 *
 * Throws LAYER when the tar is malformed or an entry would leave the root, DIGEST when it is not the expected one, STORE
 * when the file system refuses.
 */
export async function applyLayer(chunks: Chunks, target: string, options: ApplyOptions): Promise<Applied> {
  const unpacker = createUnpacker(target, options);
  const { summary, toc } = await readInto(chunks, options, unpacker);
  return { summary, toc, skipped: unpacker.skipped };
}
