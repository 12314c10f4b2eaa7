/** Makes the layers of images ready for use: their tables of contents, their tars, their unpacked trees. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { shortId } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { compressionOf } from '../oci/media-types.ts';
import type { Compression } from '../oci/media-types.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Executor } from '../runtime/executor.ts';
import type { Store } from '../store/store.ts';
import type { ImageLayer } from './read.ts';
import { together } from './together.ts';
import { startTransfer } from './transfer.ts';

const unpackedAtOnce = 2;

/**
 * Sees to it that the store has the layer's table of contents: reads its blob through once, if need be, without keeping
 * the tar. Throws DIGEST when the blob is not the layer, LAYER when it is malformed, NOT_FOUND when no blob of it is here.
 */
export async function ensureToc(store: Store, layer: ImageLayer, context: Context): Promise<void> {
  if (store.layers.get(layer.diffId)) return;
  using _lock = await lockLayer(store, layer.diffId, context);
  if (store.layers.get(layer.diffId)) return;
  await readThrough(store, layer, false, context);
}

/**
 * Sees to it that the layer's uncompressed tar is a blob, and gives its path. A compressed layer is decompressed once; its
 * table of contents is recorded in the same pass. Throws as ensureToc.
 */
export async function ensureTar(store: Store, layer: ImageLayer, context: Context): Promise<string> {
  const { diffId } = layer;
  if (!store.blobs.has(diffId)) {
    using _lock = await lockLayer(store, layer.diffId, context);
    if (!store.blobs.has(diffId)) await readThrough(store, layer, true, context);
  }
  return store.blobs.path(diffId);
}

/**
 * Unpacks the layers that are not unpacked yet, two at a time, and records their tables of contents. Only a blob of each is
 * needed, in whatever compression. `similar` may name a layer that shares files with one of them and will not be mounted
 * together with it: what is the same is not written again. Throws as ensureToc, and RUNTIME when the executor fails.
 */
export async function ensureUnpacked(
  store: Store,
  layers: readonly ImageLayer[],
  executor: Executor,
  context: Context,
  similar?: (diffId: Digest) => Digest | undefined,
): Promise<void> {
  const missing = new Map(layers.filter(({ diffId }) => !store.layers.unpacked(diffId) || !store.layers.get(diffId)).map((layer) => [layer.diffId, layer]));
  await together([...missing.values()], unpackedAtOnce, context, async (layer, inner) => {
    const { diffId } = layer;
    const transfer = startTransfer(inner, 'unpack', shortId(diffId), layer.descriptor.size);
    using _lock = await lockLayer(store, diffId, inner);
    if (store.layers.unpacked(diffId) && store.layers.get(diffId)) return transfer.state('exists');
    transfer.state('moving');
    const { descriptor, compression } = blobOf(store, layer);
    const target = store.layers.path(diffId);
    mkdirSync(target, { recursive: true });
    // A process that was killed may have left a tree that is whole or is not.
    if (existsSync(join(target, 'fs'))) await executor.removeTrees([join(target, 'fs')]);
    const request = { blob: store.blobs.path(descriptor.digest), compression, diffId, target, growing: store.temporary('.tree') };
    if (descriptor.digest === diffId && store.layers.get(diffId)) {
      // The tar is the store's own, and so is its table.
      const like = similar?.(diffId);
      const shared = like !== undefined && store.layers.get(like) && store.layers.unpacked(like) ? { like: treeOf(store, like) } : {};
      await executor.unpack({ ...request, toc: join(target, 'toc'), ...shared }, inner.signal);
    } else {
      const summary = await executor.unpack(request, inner.signal);
      // Only now is it known that the blob is the layer; nobody else's word for that is taken.
      remember(store, layer, descriptor);
      store.layers.put(summary, readFileSync(join(target, 'toc')));
    }
    store.layers.setUnpacked(diffId);
    transfer.state('done');
  });
}

function treeOf(store: Store, diffId: Digest): { fs: string; toc: string } {
  const folder = store.layers.path(diffId);
  return { fs: join(folder, 'fs'), toc: join(folder, 'toc') };
}

async function readThrough(store: Store, layer: ImageLayer, keepTar: boolean, context: Context): Promise<void> {
  // Loaded here: a build in which nothing changed does without.
  const [{ openLayerStream }, { readLayer }] = await Promise.all([import('../layer/decompress.ts'), import('../layer/read-layer.ts')]);
  const { diffId } = layer;
  const { descriptor, compression } = blobOf(store, layer);
  const transfer = startTransfer(context, 'unpack', shortId(diffId), descriptor.size);
  transfer.state('moving');
  const chunks = openLayerStream(store.blobs.path(descriptor.digest), compression, { signal: context.signal });
  using ingest = keepTar ? store.blobs.ingest() : undefined;
  const { summary, toc } = await readLayer(chunks, { diffId, tee: ingest, signal: context.signal });
  ingest?.commit({ digest: diffId });
  remember(store, layer, descriptor);
  if (!store.layers.get(diffId)) store.layers.put(summary, toc);
  transfer.state('done');
}

function remember(store: Store, { diffId }: ImageLayer, descriptor: Descriptor): void {
  if (descriptor.digest === diffId || store.layers.diffIdOf(descriptor.digest) !== undefined) return;
  const { mediaType, digest, size } = descriptor;
  store.layers.addVariant(diffId, { descriptor: { mediaType, digest, size } });
}

/** Where a blob lies that holds the layer, and how it is compressed. Throws NOT_FOUND. */
export function openBlob(store: Store, layer: ImageLayer): { path: string; compression: Compression } {
  const { descriptor, compression } = blobOf(store, layer);
  return { path: store.blobs.path(descriptor.digest), compression };
}

/** A blob that holds the layer: the tar itself, or the one that the manifest names, or another that was seen to hold it. */
function blobOf(store: Store, { descriptor, diffId }: ImageLayer): { descriptor: Descriptor; compression: Compression } {
  const candidates: Descriptor[] = [descriptor, ...store.layers.variants(diffId).map((variant) => variant.descriptor)];
  candidates.sort((a, b) => Number(b.digest === diffId) - Number(a.digest === diffId));
  for (const candidate of candidates) {
    const compression = candidate.digest === diffId ? 'none' : compressionOf(candidate.mediaType);
    if (compression !== undefined && store.blobs.has(candidate.digest)) return { descriptor: candidate, compression };
  }
  throw new SiruError('NOT_FOUND', `the layer ${diffId} is not in the store`, { hint: 'pull or build the image again' });
}

/** Whoever makes a layer's tar or tree, or replaces them, holds this: two steps may come to the same layer at once. */
export async function lockLayer(store: Store, diffId: Digest, context: Context): Promise<Disposable> {
  return store.lock(`layer:${diffId}`, context);
}
