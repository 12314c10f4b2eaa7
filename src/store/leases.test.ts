import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { openStore } from './open-store.ts';
import { folder, quiet, tinyStore } from './tiny.suite.ts';

const count = (root: string, table: string): number => {
  const db = new DatabaseSync(join(root, 'siru.db'), { readOnly: true });
  try {
    return (db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
  } finally {
    db.close();
  }
};

test('a handle that asks nothing writes nothing, and one that is closed holds nothing', async (t) => {
  const root = join(folder(t), 'store');
  const keeper = await tinyStore(t, root);
  const store = await openStore({ root });
  store.images.list();
  assert.equal(count(root, 'leases'), 0);
  const { digest } = store.blobs.put(Buffer.from('x'));
  assert.equal(count(root, 'leases'), 1);
  assert.equal(count(root, 'leased'), 0, 'the list is written later');
  while (count(root, 'leased') === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await store.close();
  assert.equal(count(root, 'leases'), 0);
  assert.equal(count(root, 'leased'), 0);
  assert.equal(keeper.blobs.has(digest), true);
});

test('a process that is killed holds nothing any more', async (t) => {
  const store = await tinyStore(t);
  const script = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, 'open-store.ts'))};
    const store = await openStore({ root: ${JSON.stringify(store.root)} });
    store.blobs.put(Buffer.from('held by the child'));
    console.log('put');
    // Busy: no timer can write its list, so that it can only be found marked.
    for (;;);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  let done = false;
  const pruned = store.prune({ all: true }, quiet).then((report) => ((done = true), report));
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(done, false, 'it waits for the list of a process that lives');
  const abort = new AbortController();
  const second = store.prune({ all: true }, { ...quiet, signal: abort.signal });
  abort.abort();
  await assert.rejects(second, { code: 'CANCELLED' });
  child.kill('SIGKILL');
  assert.equal((await pruned).blobs, 1);
});

test('handles that ask all the time do not keep a collection waiting', async (t) => {
  const root = join(folder(t), 'store');
  const script = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, 'open-store.ts'))};
    const store = await openStore({ root: ${JSON.stringify(root)} });
    console.log('ready');
    for (let i = 0; ; i++) {
      store.blobs.put(Buffer.from('busy ' + process.pid + i));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  `;
  const children = [1, 2, 3, 4].map(() => spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const ended = Promise.all(children.map((child) => once(child, 'close')));
  await Promise.all(children.map((child) => once(child.stdout, 'data')));
  await using store = await openStore({ root });
  const start = performance.now();
  const report = await store.prune({ all: true }, quiet).finally(() => children.forEach((child) => child.kill('SIGKILL')));
  await ended;
  assert.equal(report.blobs, 0, 'all is held');
  t.diagnostic(`${(performance.now() - start).toFixed(0)} ms`);
  assert.equal(count(root, 'collecting'), 0);
});

test('a lease of another machine or namespace ends when it was not renewed', async (t) => {
  const root = join(folder(t), 'store');
  const store = await openStore({ root });
  const { digest } = store.blobs.put(Buffer.from('x'));
  await store.close();
  const lease = (expires: number): void => {
    const db = new DatabaseSync(join(root, 'siru.db'));
    db.exec(`DELETE FROM leases; DELETE FROM leased;
      INSERT INTO leases VALUES (7, 'elsewhere', 1, '1', ${expires}, 0); INSERT INTO leased VALUES (7, 'blob', '${digest}')`);
    db.close();
  };
  const prune = async (): Promise<number> => {
    await using handle = await openStore({ root });
    return (await handle.prune({ all: true }, quiet)).blobs;
  };
  lease(Date.now() + 60_000);
  assert.equal(await prune(), 0);
  lease(Date.now() - 1);
  assert.equal(await prune(), 1);
});
