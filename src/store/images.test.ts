import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256 } from '../oci/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Store } from './store.ts';
import { tinyImage, tinyStore } from './tiny.suite.ts';

const name = 'docker.io/library/app:1';
const index = (store: Store): Descriptor[] =>
  (JSON.parse(readFileSync(join(store.root, 'index.json'), 'utf8')) as { manifests: Descriptor[] }).manifests;

test('an image is found by its names and by prefixes of its digests', async (t) => {
  const store = await tinyStore(t);
  const image = tinyImage(store, 'one');
  assert.equal(store.images.tag(name, image.manifest), undefined);
  store.images.tag('docker.io/library/app:latest', image.manifest);
  store.images.addRepoDigest(image.manifest, `docker.io/library/app@${image.manifest}`);
  const stored = store.images.byName(name)!;
  assert.deepEqual(stored.names, [name, 'docker.io/library/app:latest']);
  assert.deepEqual(stored.repoDigests, [`docker.io/library/app@${image.manifest}`]);
  assert.equal(stored.imageId, image.imageId);
  assert.deepEqual(stored.descriptor, image.descriptor);
  for (const id of [image.imageId, image.imageId.slice(0, 12), image.imageId.slice(7, 19), image.manifest]) {
    assert.deepEqual(store.images.byId(id), [stored]);
  }
  assert.deepEqual(store.images.byId('xyz'), []);
  assert.deepEqual(store.images.byId('%'), []);
  assert.deepEqual(store.images.byId(''), []);
  assert.deepEqual(store.images.list(), [stored]);
  assert.equal(store.images.byName('docker.io/library/app:2'), undefined);
});

test('a name moves to the newest image, and the old one dangles', async (t) => {
  const store = await tinyStore(t);
  const [one, two] = [tinyImage(store, 'one'), tinyImage(store, 'two')];
  store.images.tag(name, one.manifest);
  assert.equal(store.images.tag(name, two.manifest), one.manifest);
  assert.equal(store.images.byName(name)?.imageId, two.imageId);
  assert.deepEqual(store.images.byId(one.imageId)[0]?.names, []);
  assert.equal(store.images.untag(name), true);
  assert.equal(store.images.untag(name), false);
});

test('index.json has a descriptor for each name, and dangling images without one', async (t) => {
  const store = await tinyStore(t);
  assert.deepEqual(index(store), []);
  const [one, two] = [tinyImage(store, 'one'), tinyImage(store, 'two')];
  store.images.tag(name, one.manifest);
  store.images.tag('docker.io/library/b:1', one.manifest);
  const annotations = (ref: string): object => ({ annotations: { 'org.opencontainers.image.ref.name': ref } });
  assert.deepEqual(index(store), [
    two.descriptor,
    { ...one.descriptor, ...annotations(name) },
    { ...one.descriptor, ...annotations('docker.io/library/b:1') },
  ]);
  store.images.remove(one.manifest);
  assert.deepEqual(index(store), [two.descriptor]);
  assert.throws(() => store.images.remove(one.manifest), { code: 'NOT_FOUND' });
});

test('an image whose blobs are not here is not taken', async (t) => {
  const store = await tinyStore(t);
  const image = tinyImage(store, 'one');
  store.images.remove(image.manifest);
  rmSync(store.blobs.path(image.layer.diffId));
  assert.throws(() => store.images.put(image), { code: 'NOT_FOUND' });
  assert.throws(() => store.images.tag(name, image.manifest), { code: 'NOT_FOUND' });
  assert.throws(() => store.images.tag('a b', image.manifest), { code: 'REFERENCE' });
  assert.deepEqual(store.images.list(), []);
});

test('of an index, the platform that was asked for must be here and the others need not', async (t) => {
  const store = await tinyStore(t);
  const image = tinyImage(store, 'one');
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [image.descriptor, { mediaType: mediaTypes.manifest, digest: sha256('arm'), size: 3 }],
  };
  const blob = store.blobs.put(Buffer.from(JSON.stringify(document)));
  const descriptor = { mediaType: mediaTypes.index, ...blob };
  store.images.put({ descriptor, manifest: image.manifest, imageId: image.imageId });
  assert.equal(store.images.byId(blob.digest)[0]?.manifest, image.manifest);
  assert.equal(store.images.byId(image.imageId).length, 2);
  assert.throws(() => store.images.put({ descriptor, manifest: sha256('arm'), imageId: image.imageId }), { code: 'NOT_FOUND' });
  assert.throws(() => store.images.put({ descriptor, manifest: sha256('x86'), imageId: image.imageId }), { code: 'DOCUMENT' });
});

test('documents that make no sense are refused', async (t) => {
  const store = await tinyStore(t);
  for (const text of ['{', '[]', '{}', '{"config":{"digest":"x"},"layers":[]}', '{"config":null,"layers":{}}', '{"manifests":[1]}']) {
    const blob = store.blobs.put(Buffer.from(text));
    const descriptor = { mediaType: mediaTypes.manifest, ...blob };
    assert.throws(() => store.images.put({ descriptor, manifest: blob.digest, imageId: blob.digest }), { code: 'DOCUMENT' }, text);
  }
  // An index that holds itself cannot be made, but one in one in one can.
  let blob = store.blobs.put(Buffer.from('{"manifests":[]}'));
  for (let depth = 0; depth < 20; depth++) {
    blob = store.blobs.put(Buffer.from(JSON.stringify({ manifests: [{ mediaType: mediaTypes.index, ...blob }] })));
  }
  assert.throws(
    () => store.images.put({ descriptor: { mediaType: mediaTypes.index, ...blob }, manifest: blob.digest, imageId: blob.digest }),
    { code: 'DOCUMENT' },
  );
});
