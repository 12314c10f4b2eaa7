import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256 } from '../oci/digest.ts';
import { folder, tinyStore } from './tiny.suite.ts';

const absent = sha256('nothing');

test('a blob that is written in pieces has the digest and size of the whole', async (t) => {
  const store = await tinyStore(t);
  using ingest = store.blobs.ingest();
  ingest.write(Buffer.from('hello, '));
  ingest.write(Buffer.from('world'));
  assert.equal(ingest.size, 12);
  const { digest, size } = ingest.commit({ digest: sha256('hello, world'), size: 12 });
  assert.equal(size, 12);
  assert.equal(store.blobs.read(digest).toString(), 'hello, world');
  assert.equal(readFileSync(store.blobs.path(digest), 'utf8'), 'hello, world');
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), []);
});

test('the same bytes twice are one file', async (t) => {
  const store = await tinyStore(t);
  assert.deepEqual(store.blobs.put(Buffer.from('a')), store.blobs.put(Buffer.from('a')));
  const again = store.blobs.ingest();
  again.write(Buffer.from('a'));
  again.commit();
  assert.equal(readdirSync(join(store.root, 'blobs', 'sha256')).length, 1);
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), []);
});

test('what is not the expected blob is refused and leaves nothing', async (t) => {
  const store = await tinyStore(t);
  for (const expected of [{ digest: absent }, { size: 2 }]) {
    const ingest = store.blobs.ingest();
    ingest.write(Buffer.from('abc'));
    assert.throws(() => ingest.commit(expected), { code: 'DIGEST' });
  }
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), []);
  assert.equal(store.blobs.has(sha256('abc')), false);
});

test('an ingest that is dropped leaves nothing and can be dropped again', async (t) => {
  const store = await tinyStore(t);
  const ingest = store.blobs.ingest();
  ingest.write(Buffer.from('abc'));
  ingest.abort();
  ingest.abort();
  assert.throws(() => ingest.write(Buffer.from('d')), { code: 'STORE' });
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), []);
});

test('what is not there is told so', async (t) => {
  const store = await tinyStore(t);
  assert.equal(store.blobs.has(absent), false);
  assert.throws(() => store.blobs.size(absent), { code: 'NOT_FOUND' });
  assert.throws(() => store.blobs.path(absent), { code: 'NOT_FOUND' });
  assert.throws(() => store.blobs.read(absent), { code: 'NOT_FOUND' });
  assert.equal(store.blobs.has('sha256:../../../etc/passwd'), false);
  assert.equal(store.blobs.has('md5:abc'), false);
});

test('sizes are compared when given', async (t) => {
  const store = await tinyStore(t);
  const { digest } = store.blobs.put(Buffer.from('abc'));
  assert.equal(store.blobs.has(digest, 3), true);
  assert.equal(store.blobs.has(digest, 4), false);
});

test('a document above the limit is not read', async (t) => {
  const store = await tinyStore(t);
  const { digest } = store.blobs.put(Buffer.alloc(100));
  assert.throws(() => store.blobs.read(digest, 99), { code: 'DOCUMENT' });
});

test('a blob that lost bytes, or its file, is not here, and can be written again', async (t) => {
  const store = await tinyStore(t);
  const { digest } = store.blobs.put(Buffer.from('abc'));
  truncateSync(store.blobs.path(digest), 1);
  assert.equal(store.blobs.has(digest), false);
  store.blobs.put(Buffer.from('abc'));
  assert.equal(store.blobs.read(digest).toString(), 'abc');
  rmSync(store.blobs.path(digest));
  assert.equal(store.blobs.has(digest), false);
  store.blobs.put(Buffer.from('abc'));
  assert.equal(store.blobs.has(digest), true);
});

test('a damaged blob is found when it is read, and dropped', async (t) => {
  const store = await tinyStore(t);
  const { digest } = store.blobs.put(Buffer.from('abc'));
  const path = store.blobs.path(digest);
  writeFileSync(path, 'abd');
  assert.throws(() => store.blobs.read(digest), { code: 'DIGEST' });
  assert.equal(existsSync(path), false);
  assert.equal(store.blobs.has(digest), false);
});

test('a file that a helper wrote is renamed in', async (t) => {
  const store = await tinyStore(t);
  const file = store.temporary('.tar');
  writeFileSync(file, 'from a helper');
  store.blobs.adopt(file, sha256('from a helper'));
  assert.equal(existsSync(file), false);
  assert.equal(store.blobs.read(sha256('from a helper')).toString(), 'from a helper');
  assert.throws(() => store.blobs.adopt(join(folder(t), 'absent'), absent), { code: 'STORE' });
});
