import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, truncateSync, writeFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { openStore } from './open-store.ts';
import { folder, tinyImage, tinyLayer, tinyRecord, tinyStore } from './tiny.suite.ts';
import { sha256 } from '../oci/digest.ts';

/** Runs SQL on the database of a store that nobody has open. */
function edit<Row>(root: string, sql: string): Row[] {
  const db = new DatabaseSync(join(root, 'siru.db'));
  try {
    return db.prepare(sql).all() as Row[];
  } finally {
    db.close();
  }
}

test('after a crash of the machine torn blobs, tables and trees are dropped and whole ones stay', async (t) => {
  const root = join(folder(t), 'store');
  const store = await openStore({ root });
  const whole = store.blobs.put(Buffer.from('whole'));
  const torn = store.blobs.put(Buffer.from('torn blob'));
  const short = store.blobs.put(Buffer.from('short blob'));
  const kept = tinyLayer(store, 'kept');
  const broken = tinyLayer(store, 'broken');
  store.records.put(tinyRecord(sha256('kept'), kept));
  store.records.put(tinyRecord(sha256('broken'), broken));
  for (const layer of [kept, broken]) {
    mkdirSync(join(store.layers.path(layer.diffId), 'fs'));
    store.layers.setUnpacked(layer.diffId);
  }
  const toc = join(store.layers.path(broken.diffId), 'toc');
  const tornPath = store.blobs.path(torn.digest);
  writeFileSync(tornPath, Buffer.alloc(torn.size));
  truncateSync(store.blobs.path(short.digest), 0);
  writeFileSync(toc, Buffer.alloc(statSync(toc).size));
  await store.close();
  edit(root, "UPDATE unsynced SET boot = 'the boot before'");

  const after = await tinyStore(t, root);
  assert.equal(after.blobs.has(whole.digest), true);
  assert.equal(after.blobs.has(torn.digest), false);
  assert.equal(existsSync(tornPath), false);
  assert.equal(after.blobs.has(short.digest), false);
  assert.ok(after.layers.get(kept.diffId));
  assert.ok(after.records.get(sha256('kept')));
  assert.equal(after.layers.unpacked(kept.diffId), false);
  assert.equal(existsSync(join(after.layers.path(kept.diffId), 'fs')), false);
  assert.equal(after.layers.get(broken.diffId), undefined);
  assert.equal(after.records.get(sha256('broken')), undefined);
  await after.close();
  assert.deepEqual(edit(root, 'SELECT * FROM unsynced'), []);
});

test('what was written a while ago is synced when a handle that wrote is closed, and not before', async (t) => {
  const root = join(folder(t), 'store');
  const count = (): number => edit<{ n: number }>(root, 'SELECT count(*) AS n FROM unsynced')[0]!.n;
  const store = await openStore({ root });
  tinyImage(store, 'one');
  await store.close();
  assert.equal(count(), 4);
  edit(root, 'UPDATE unsynced SET at = at - 180000');
  const reader = await openStore({ root });
  reader.images.list();
  await reader.close();
  assert.equal(count(), 4);
  const old = (): number => edit<{ n: number }>(root, "SELECT count(*) AS n FROM unsynced WHERE at < strftime('%s', 'now') * 1000 - 100000")[0]!.n;
  assert.equal(old(), 4);
  // Closing takes only so much time for it; on a slow disk the rest is left to the next.
  for (let turn = 0; old() > 0; turn++) {
    assert.ok(turn < 4, 'a handle that wrote was closed and synced nothing');
    const writer = await openStore({ root });
    writer.blobs.put(Buffer.from(`new ${turn}`));
    await writer.close();
  }
});

test('a tree whose root belongs to a subordinate id does not keep its owner out of the store', { skip: process.getuid?.() === 0 ? false : 'this test must be root to become another user' }, async (t) => {
  const top = folder(t);
  chownSync(top, 65534, 65534);
  const root = join(top, 'store');
  const door = JSON.stringify(join(import.meta.dirname, 'open-store.ts'));
  const suite = JSON.stringify(join(import.meta.dirname, 'tiny.suite.ts'));
  const asUser = (script: string): string => {
    const code = `const { openStore } = await import(${door}); const { tinyLayer } = await import(${suite}); const store = await openStore({ root: ${JSON.stringify(root)} }); ${script}; await store.close();`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', code], { uid: 65534, gid: 65534, encoding: 'utf8' });
    assert.equal(ran.status, 0, ran.stderr);
    return ran.stdout;
  };
  const tree = asUser(`
    const { diffId } = tinyLayer(store, 'x');
    const tree = store.layers.path(diffId) + '/fs';
    (await import('node:fs')).mkdirSync(tree);
    store.layers.setUnpacked(diffId);
    console.log(tree)`).trim();
  chownSync(tree, 200_000, 200_000);
  edit(root, "UPDATE unsynced SET boot = 'the boot before'");
  for (const file of ['siru.db', 'siru.db-wal', 'siru.db-shm']) if (existsSync(join(root, file))) chownSync(join(root, file), 65534, 65534);
  assert.equal(asUser(`console.log(store.layers.unpacked(${JSON.stringify(`sha256:${tree.split('/').at(-2)}`)}))`), 'false\n');
});
