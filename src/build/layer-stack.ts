/** A stack of layers as a stage has it: which they are, what is in them, and how to read their files. */
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { fsPath } from '../layer/path-bytes.ts';
import type { Found, Toc, View } from '../layer/toc-contract.ts';
import { createView } from '../layer/view.ts';
import type { Content } from '../layer/writer-contract.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Store } from '../store/store.ts';
import type { RemoteLayers } from './cache/remote-layers.ts';

/** One layer: what it is, and the blob that holds it. */
export interface StackLayer {
  diffId: Digest;
  descriptor: Descriptor;
}

export interface LayerStack extends Disposable {
  layers: StackLayer[];
  view: View;
  /** Where the bytes of a file of the view are. `ready` was called for its layer. */
  content(found: Found): Content;
  /** Makes the bytes of these layers (indexes into `layers`) readable: a compressed one is decompressed once. */
  ready(layers: Iterable<number>): Promise<void>;
  /** A file by canonical path, links followed; undefined when there is no such regular file. At most `limit` bytes. */
  readFile(path: string, limit?: number): Promise<Uint8Array | undefined>;
}

/**
 * Opens the tables of contents of the stack; a layer that has none yet is read through once. Layers that only `remote` has
 * are brought when their bytes are wanted.
 */
export async function openLayerStack(store: Store, layers: StackLayer[], context: Context, remote?: RemoteLayers): Promise<LayerStack> {
  const elsewhere = new Map<Digest, Toc>();
  const missing = layers.filter(({ diffId }) => !store.layers.get(diffId));
  if (remote) {
    await Promise.all(missing.map(async ({ diffId }) => {
      const toc = await remote.toc(diffId, context);
      if (toc) elsewhere.set(diffId, toc);
    }));
  }
  for (const layer of missing) {
    if (elsewhere.has(layer.diffId)) continue;
    const { ensureToc } = await import('../images/layers.ts');
    await ensureToc(store, layer, context);
  }
  const view = createView(layers.map(({ diffId }) => elsewhere.get(diffId) ?? store.layers.toc(diffId)));
  const open = new Map<number, number>();
  const descriptorOf = (layer: number): number => {
    const fd = open.get(layer);
    if (fd === undefined) throw new Error(`layer ${layer} of the stack was not made ready`);
    return fd;
  };
  /** Where a file's bytes are is asked of the table that was made here from the layer itself. */
  const offsetOf = ({ entry, layer }: Found): number => {
    const { diffId } = layers[layer]!;
    if (!elsewhere.has(diffId)) return entry.offset ?? 0;
    const toc = store.layers.toc(diffId);
    const own = toc.lookup(entry.path);
    return (own?.type === 'hardlink' ? toc.lookup(own.link!) : own)?.offset ?? 0;
  };
  const ready = async (indexes: Iterable<number>): Promise<void> => {
    const wanted = new Set(indexes);
    await remote?.ensure([...wanted].map((index) => layers[index]!.diffId), context, { tar: true });
    const { ensureTar } = await import('../images/layers.ts');
    for (const index of wanted) {
      if (!open.has(index)) open.set(index, openSync(await ensureTar(store, layers[index]!, context), 'r'));
    }
  };
  return {
    layers,
    view,
    ready,
    content: (found) => ({ fd: descriptorOf(found.layer), offset: offsetOf(found) }),
    async readFile(path, limit = 10 * 1024 * 1024) {
      const { found } = view.resolve(path);
      if (found?.entry.type !== 'file') return undefined;
      const { entry, layer } = found;
      if (entry.size > limit) throw new SiruError('LAYER', `/${path} of the image has ${entry.size} bytes; at most ${limit} are read of it`);
      const unpacked = readUnpacked(store, layers[layer]!.diffId, entry.path);
      if (unpacked?.length === entry.size) return unpacked;
      await ready([layer]);
      const bytes = Buffer.alloc(entry.size);
      readSync(descriptorOf(layer), bytes, 0, entry.size, offsetOf(found));
      return bytes;
    },
    [Symbol.dispose]() {
      for (const fd of open.values()) closeSync(fd);
      open.clear();
    },
  };
}

/** A file of an unpacked tree, when there is one that this user may read: it saves decompressing a layer for one file. */
function readUnpacked(store: Store, diffId: Digest, path: string): Buffer | undefined {
  if (!store.layers.unpacked(diffId)) return undefined;
  try {
    const fd = openSync(fsPath(join(store.layers.path(diffId), 'fs', path)), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
