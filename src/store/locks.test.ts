import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeStaleLocks } from './locks.ts';
import { quiet, tinyStore } from './tiny.suite.ts';

const needsFlock = { skip: process.platform === 'win32' ? 'there is no flock on Windows' : false };

test('one at a time holds a lock, within a handle and across handles', async (t) => {
  const first = await tinyStore(t);
  const second = await tinyStore(t, first.root);
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      using _lock = await (i % 2 === 0 ? first : second).lock('step', quiet);
      most = Math.max(most, ++inside);
      await sleep(2);
      inside--;
    }),
  );
  assert.equal(most, 1);
  assert.deepEqual(readdirSync(join(first.root, 'locks')), []);
});

test('tryLock gives the lock or nothing, at once', async (t) => {
  const store = await tinyStore(t);
  const other = await tinyStore(t, store.root);
  const lock = await store.tryLock('a');
  assert.ok(lock);
  assert.equal(await store.tryLock('a'), undefined);
  if (process.platform !== 'win32') assert.equal(await other.tryLock('a'), undefined);
  lock[Symbol.dispose]();
  using again = await other.tryLock('a');
  assert.ok(again);
});

test('locks of different names do not wait for each other', async (t) => {
  const store = await tinyStore(t);
  using _a = await store.lock('a', quiet);
  using _b = await store.lock('b/../../x', quiet);
});

test('the signal ends the wait, in the queue and before the file', async (t) => {
  const store = await tinyStore(t);
  const other = await tinyStore(t, store.root);
  const held = await store.lock('a', quiet);
  for (const waiting of [store, other]) {
    const abort = new AbortController();
    const wait = waiting.lock('a', { ...quiet, signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await assert.rejects(wait, { code: 'CANCELLED' });
  }
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  using _again = await other.lock('a', quiet);
});

test('a lock whose holder is killed is free', needsFlock, async (t) => {
  const store = await tinyStore(t);
  const script = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, 'open-store.ts'))};
    const store = await openStore({ root: ${JSON.stringify(store.root)} });
    await store.lock('a', { signal: new AbortController().signal, emit() {} });
    console.log('locked');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  let got = false;
  const wait = store.lock('a', quiet).then((lock) => ((got = true), lock));
  await sleep(60);
  assert.equal(got, false);
  child.kill('SIGKILL');
  (await wait)[Symbol.dispose]();
});

test('lock files that nobody holds are removed, held ones stay', needsFlock, async (t) => {
  const store = await tinyStore(t);
  writeFileSync(join(store.root, 'locks', 'stale'), '');
  using _held = await store.lock('a', quiet);
  await removeStaleLocks(store.root);
  assert.equal(readdirSync(join(store.root, 'locks')).length, 1);
});
