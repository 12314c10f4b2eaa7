/** A blob's life in the database, against collections and other processes. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { randomContent } from '../testing/content.ts';
import type { Content } from '../testing/content.ts';
import { blobState } from './blobs.ts';
import { openFileStorage } from './open.ts';
import type { FileStorage } from './open.ts';
import { blobPath } from './paths.ts';

async function storage(t: TestContext): Promise<FileStorage> {
  const root = mkdtempSync(join(tmpdir(), 'siru-server-'));
  const opened = await openFileStorage({ root });
  t.after(async () => {
    await opened[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  });
  return opened;
}

async function push({ uploads }: FileStorage, repository: string, { digest, bytes }: Content): Promise<void> {
  const { id } = await uploads.start(repository, 'sha256');
  await uploads.append(repository, id, (async function* () {
    yield bytes;
  })());
  await uploads.finish(repository, id, digest);
}

const touchedAt = ({ core }: FileStorage, digest: string): number => core.db.get<{ touched: number }>('SELECT touched FROM blobs WHERE digest = ?', digest)!.touched;

test('whoever is told that a blob is here gets it a new grace time, once in a while', async (t) => {
  const store = await storage(t);
  const content = randomContent();
  await push(store, 'app', content);
  const first = touchedAt(store, content.digest);
  await store.blobs.size('app', content.digest);
  assert.equal(touchedAt(store, content.digest), first);
  const old = Date.now() - 61_000;
  store.core.db.run('UPDATE blobs SET touched = ?', old);
  assert.equal(await store.blobs.size('other', content.digest), undefined);
  assert.equal(touchedAt(store, content.digest), old, 'nobody was told');
  assert.equal(await store.blobs.size('app', content.digest), content.bytes.length);
  assert.ok(touchedAt(store, content.digest) >= first);
});

test('a blob that is arriving or leaving is not told of, mounted or referred to', async (t) => {
  const store = await storage(t);
  const content = randomContent();
  await push(store, 'app', content);
  for (const state of [blobState.arriving, blobState.leaving]) {
    store.core.db.run('UPDATE blobs SET state = ?', state);
    assert.equal(await store.blobs.size('app', content.digest), undefined);
    assert.equal(await store.blobs.open('app', content.digest), undefined);
    assert.equal(await store.blobs.mount('two', content.digest, 'app'), false);
    assert.deepEqual(await store.blobs.holders(content.digest, 5), []);
  }
});

test('an upload of a blob that a collection is removing waits for it and brings it anew', async (t) => {
  const store = await storage(t);
  const content = randomContent();
  await push(store, 'app', content);
  const path = blobPath(store.core.root, content.digest);
  store.core.db.run('UPDATE blobs SET state = ?', blobState.leaving);
  const pushed = push(store, 'app', content);
  await new Promise((resolve) => setTimeout(resolve, 60));
  rmSync(path);
  store.core.db.run('DELETE FROM blobs WHERE state = ?', blobState.leaving);
  await pushed;
  assert.ok(existsSync(path));
  assert.equal(await store.blobs.size('app', content.digest), content.bytes.length);
});

test('an upload goes on that a kill left between its file and its row', async (t) => {
  const store = await storage(t);
  const content = randomContent();
  store.core.db.run('INSERT INTO blobs (digest, size, state, made, touched) VALUES (?, ?, 0, 0, 0)', content.digest, content.bytes.length);
  writeFileSync(blobPath(store.core.root, content.digest), content.bytes);
  await push(store, 'app', content);
  assert.equal(await store.blobs.size('app', content.digest), content.bytes.length);
});

test('a blob whose file was lost is mended by the next push of it', async (t) => {
  const store = await storage(t);
  const content = randomContent();
  await push(store, 'app', content);
  rmSync(blobPath(store.core.root, content.digest));
  await push(store, 'app', content);
  assert.ok(existsSync(blobPath(store.core.root, content.digest)));
});

test('the usage of a repository and of a namespace counts blobs and manifests', async (t) => {
  const store = await storage(t);
  const one = randomContent(100);
  const two = randomContent(50);
  await push(store, 'team/app', one);
  await push(store, 'team/other', two);
  await store.blobs.mount('team/other', one.digest, 'team/app');
  await push(store, 'teams', two);
  assert.equal(await store.repositories.usage({ name: 'team/app' }), 100);
  assert.equal(await store.repositories.usage({ name: 'team/other' }), 150);
  assert.equal(await store.repositories.usage({ prefix: 'team/' }), 250);
});
