import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256 } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { tinyLayer, tinyStore } from './tiny.suite.ts';

test('a layer comes back as it was put, with its table of contents', async (t) => {
  const store = await tinyStore(t);
  const layer = tinyLayer(store, 'one');
  assert.deepEqual(store.layers.get(layer.diffId), layer);
  const toc = store.layers.toc(layer.diffId);
  assert.equal(toc.lookup('file')?.size, 3);
  assert.equal(store.layers.toc(layer.diffId), toc);
  assert.equal(store.layers.get(sha256('other')), undefined);
  assert.throws(() => store.layers.toc(sha256('other')), { code: 'NOT_FOUND' });
});

test('a layer without its table of contents, or with half of it, is missing', async (t) => {
  const store = await tinyStore(t);
  const layer = tinyLayer(store, 'one');
  truncateSync(join(store.layers.path(layer.diffId), 'toc'), 10);
  assert.equal(store.layers.get(layer.diffId), undefined);
  assert.throws(() => store.layers.toc(layer.diffId), { code: 'NOT_FOUND' });
  tinyLayer(store, 'one');
  assert.deepEqual(store.layers.get(layer.diffId), layer);
});

test('a table of contents with wrong bytes of the right length is dropped when it is opened', async (t) => {
  const store = await tinyStore(t);
  const layer = tinyLayer(store, 'one');
  const file = join(store.layers.path(layer.diffId), 'toc');
  writeFileSync(file, Buffer.alloc(statSync(file).size));
  const fresh = await tinyStore(t, store.root);
  assert.throws(() => fresh.layers.toc(layer.diffId), { code: 'NOT_FOUND' });
});

test('a layer of which no blob is left is missing', async (t) => {
  const store = await tinyStore(t);
  const layer = tinyLayer(store, 'one');
  rmSync(store.blobs.path(layer.diffId));
  assert.equal(store.layers.get(layer.diffId), undefined);
});

test('variants: the tar and the compressed blobs that are here, with their makers', async (t) => {
  const store = await tinyStore(t);
  const layer = tinyLayer(store, 'one');
  const zipped = store.blobs.put(Buffer.from('pretend gzip'));
  const descriptor = { mediaType: mediaTypes.layerGzip, ...zipped };
  store.layers.addVariant(layer.diffId, { descriptor, maker: 'gzip:5' });
  store.layers.addVariant(layer.diffId, { descriptor: { mediaType: mediaTypes.layerZstd, digest: sha256('gone'), size: 4 } });
  assert.deepEqual(store.layers.variants(layer.diffId), [
    { descriptor: { mediaType: mediaTypes.layer, digest: layer.diffId, size: layer.size } },
    { descriptor, maker: 'gzip:5' },
  ]);
  assert.equal(store.layers.diffIdOf(zipped.digest), layer.diffId);
  assert.equal(store.layers.diffIdOf(sha256('gone')), layer.diffId);
  assert.equal(store.layers.diffIdOf(layer.diffId), layer.diffId);
  assert.equal(store.layers.diffIdOf(sha256('never seen')), undefined);
  // The compressed form alone is enough for the layer to be here.
  rmSync(store.blobs.path(layer.diffId));
  assert.deepEqual(store.layers.get(layer.diffId), layer);
});

test('a tree is unpacked when that was said and it is there', async (t) => {
  const store = await tinyStore(t);
  const layer = tinyLayer(store, 'one');
  const tree = join(store.layers.path(layer.diffId), 'fs');
  mkdirSync(tree);
  assert.equal(store.layers.unpacked(layer.diffId), false);
  store.layers.setUnpacked(layer.diffId);
  assert.equal(store.layers.unpacked(layer.diffId), true);
  tinyLayer(store, 'one');
  assert.equal(store.layers.unpacked(layer.diffId), true, 'putting the layer again does not forget it');
  rmSync(tree, { recursive: true });
  assert.equal(store.layers.unpacked(layer.diffId), false);
  assert.throws(() => store.layers.setUnpacked(sha256('other')), { code: 'NOT_FOUND' });
});

test('a diff ID that is no digest never becomes a path', async (t) => {
  const store = await tinyStore(t);
  assert.throws(() => store.layers.path('sha256:../../etc'), { code: 'DIGEST' });
});
