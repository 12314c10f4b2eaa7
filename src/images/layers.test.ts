import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import { applyLayer } from '../layer/apply.ts';
import { openLayerStream } from '../layer/decompress.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Executor, UnpackRequest } from '../runtime/executor.ts';
import { ensureCompressed } from './compress.ts';
import { ensureTar, ensureToc, ensureUnpacked } from './layers.ts';
import { readImage } from './read.ts';
import { makeImage } from './testing/make-image.ts';
import { temporaryStore } from './testing/temporary-store.ts';

const quiet = contextOf();

/** The part of an executor that unpacks, in this process. */
function unpacker(): { executor: Executor; requests: UnpackRequest[] } {
  const requests: UnpackRequest[] = [];
  const executor = {
    async unpack(request: UnpackRequest, signal?: AbortSignal) {
      requests.push(request);
      const fresh = join(request.target, 'fresh');
      mkdirSync(fresh);
      const { summary, toc } = await applyLayer(openLayerStream(request.blob, request.compression), fresh, { diffId: request.diffId, signal, opaque: 'trusted' });
      writeFileSync(join(request.target, 'toc'), toc);
      renameSync(fresh, join(request.target, 'fs'));
      return summary;
    },
    async removeTrees(paths: string[]) {
      for (const path of paths) rmSync(path, { recursive: true });
    },
  };
  return { executor: executor as unknown as Executor, requests };
}

const skip = process.getuid?.() === 0 ? false : 'giving files their owners needs root';

test('layers are unpacked once, from the compressed blob alone', { skip }, async () => {
  await using from = await temporaryStore();
  await using to = await temporaryStore();
  const image = makeImage(from.store, { layers: [{ 'a/one': '1' }, { 'a/two': '2' }, { 'a/one': '1' }] });
  const { layers, manifest } = readImage(from.store, image);
  const compressed = [];
  for (const [index, layer] of layers.entries()) {
    const descriptor = await ensureCompressed(from.store, layer, { compression: index === 1 ? 'zstd' : 'gzip', docker: false }, quiet);
    to.store.blobs.put(readFileSync(from.store.blobs.path(descriptor.digest)));
    compressed.push({ descriptor, diffId: layer.diffId });
  }
  assert.equal(manifest.layers.length, 3);
  const { executor, requests } = unpacker();
  // A tree that a killed process left is not trusted.
  mkdirSync(join(to.store.layers.path(layers[0]!.diffId), 'fs', 'left'), { recursive: true });
  await Promise.all([ensureUnpacked(to.store, compressed, executor, quiet), ensureUnpacked(to.store, compressed, executor, quiet)]);
  assert.equal(requests.length, 2);
  assert.equal(readFileSync(join(to.store.layers.path(layers[0]!.diffId), 'fs/a/one'), 'utf8'), '1');
  assert.equal(existsSync(join(to.store.layers.path(layers[0]!.diffId), 'fs/left')), false);
  // What grows when the process is killed must be found by the next one.
  for (const { growing } of requests) assert.ok(growing?.startsWith(to.store.path('tmp')));
  for (const { diffId } of layers) {
    assert.ok(to.store.layers.unpacked(diffId));
    assert.equal(to.store.blobs.has(diffId), false);
    assert.deepEqual([...to.store.layers.toc(diffId)], [...from.store.layers.toc(diffId)]);
  }
  // What was proven to hold the layer serves for it from now on.
  assert.deepEqual(to.store.layers.variants(layers[1]!.diffId).map(({ descriptor }) => descriptor.mediaType), [mediaTypes.layerZstd]);
});

test('a tar is made once of a compressed layer, with its table of contents in the same pass', async () => {
  await using from = await temporaryStore();
  await using to = await temporaryStore();
  const { layers } = readImage(from.store, makeImage(from.store, { layers: [{ a: 'x'.repeat(100_000) }] }));
  const [layer] = layers;
  const descriptor = await ensureCompressed(from.store, layer!, { compression: 'gzip', docker: false }, quiet);
  to.store.blobs.put(readFileSync(from.store.blobs.path(descriptor.digest)));
  const compressed = { descriptor, diffId: layer!.diffId };
  const paths = await Promise.all([ensureTar(to.store, compressed, quiet), ensureTar(to.store, compressed, quiet)]);
  assert.equal(paths[0], paths[1]);
  assert.deepEqual(readFileSync(paths[0]!), readFileSync(from.store.blobs.path(layer!.diffId)));
  assert.ok(to.store.layers.get(layer!.diffId));
  await ensureToc(to.store, compressed, quiet);
});

test('a layer that is nowhere is told so', async () => {
  await using here = await temporaryStore();
  const diffId = 'sha256:0000000000000000000000000000000000000000000000000000000000000000';
  await assert.rejects(ensureTar(here.store, { diffId, descriptor: { mediaType: mediaTypes.layerGzip, digest: diffId.replace('00', '11') as typeof diffId, size: 1 } }, quiet), { code: 'NOT_FOUND' });
});
