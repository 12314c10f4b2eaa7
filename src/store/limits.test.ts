import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { treeBytes } from '../base/tree-bytes.ts';
import { sha256 } from '../oci/digest.ts';
import { bytesToKeep } from './choose-garbage.ts';
import { openStore } from './open-store.ts';
import type { PruneOptions, PruneReport, Store } from './store.ts';
import { folder, quiet, tinyImage, tinyLayer, tinyRecord } from './tiny.suite.ts';

const root = (t: TestContext): string => join(folder(t), 'store');

async function within<Result>(at: string, work: (store: Store) => Result): Promise<Awaited<Result>> {
  await using store = await openStore({ root: at });
  return await work(store);
}
const prune = (at: string, options: PruneOptions): Promise<PruneReport> => within(at, (store) => store.prune(options, quiet));

/** A result of that many seconds that its place had last. */
function result(store: Store, name: string, seconds: number, last = true): void {
  const key = sha256(name);
  store.records.put({ ...tinyRecord(key, tinyLayer(store, name)), took: seconds * 1000, scope: name });
  if (last) store.records.note(name, key);
}
const here = (at: string, ...names: string[]): Promise<string[]> => within(at, (store) => names.filter((name) => store.records.get(sha256(name))));

test('bytes that may stay: docker\'s arithmetic', () => {
  assert.equal(bytesToKeep(100, 1000, { maxUsed: 60 }), 60);
  assert.equal(bytesToKeep(100, 1000, { reserved: 70 }), 70);
  assert.equal(bytesToKeep(100, 1000, { maxUsed: 60, reserved: 70 }), 70);
  assert.equal(bytesToKeep(100, 10, { minFree: 40 }), 70);
  assert.equal(bytesToKeep(100, 10, { minFree: 400, reserved: 20 }), 20);
  assert.equal(bytesToKeep(100, 50, { minFree: 40 }), 100);
});

test('what saves the fewest seconds goes first, superseded results before others; only as much as has to', async (t) => {
  const at = root(t);
  await within(at, (store) => {
    result(store, 'dear', 100);
    result(store, 'cheap', 1);
    result(store, 'fair', 20);
    result(store, 'old form', 150, false);
  });
  const all = (await prune(at, { all: true, only: 'cache', dryRun: true })).bytes;
  const one = all / 4;
  assert.deepEqual(await here(at, 'dear', 'cheap', 'fair', 'old form'), ['dear', 'cheap', 'fair', 'old form']);
  const dry = await prune(at, { maxUsed: all - one / 2, dryRun: true });
  assert.equal(dry.records, 1);
  assert.deepEqual(await prune(at, { maxUsed: all - one / 2 }), dry);
  assert.deepEqual(await here(at, 'dear', 'cheap', 'fair', 'old form'), ['dear', 'fair', 'old form']);
  await prune(at, { maxUsed: 2 * one + 1 });
  assert.deepEqual(await here(at, 'dear', 'fair', 'old form'), ['dear', 'fair']);
  assert.equal((await prune(at, { maxUsed: 2 * one + 1 })).bytes, 0);
  await prune(at, { maxUsed: 0, reserved: one + 1 });
  assert.deepEqual(await here(at, 'dear', 'fair'), ['dear']);
  await prune(at, { minFree: Number.MAX_SAFE_INTEGER });
  assert.deepEqual(await here(at, 'dear'), []);
});

test('limits take no image, not even one without a name, and nothing that a living handle holds', async (t) => {
  const at = root(t);
  await within(at, (store) => {
    tinyImage(store, 'image');
    result(store, 'held', 1);
    result(store, 'free', 1000);
  });
  await using builder = await openStore({ root: at });
  assert.ok(builder.records.get(sha256('held')));
  const report = await prune(at, { maxUsed: 0 });
  assert.equal(report.records, 1);
  assert.deepEqual(report.images, []);
  assert.deepEqual(await here(at, 'held', 'free'), ['held']);
  assert.equal(await within(at, (store) => store.images.list().length), 1);
});

test('a look at totals tells whether a limit is passed', async (t) => {
  const at = root(t);
  await within(at, (store) => {
    result(store, 'some', 1);
    tinyImage(store, 'image');
  });
  const { bytes } = await prune(at, { all: true, only: 'cache', dryRun: true });
  await within(at, async (store) => {
    assert.deepEqual(await store.overLimits({ maxSize: bytes }), { size: false, age: false });
    assert.deepEqual(await store.overLimits({ maxSize: bytes - 1 }), { size: true, age: false });
    assert.deepEqual(await store.overLimits({ minFree: Number.MAX_SAFE_INTEGER, maxAge: 3_600_000 }), { size: true, age: false });
    assert.deepEqual(await store.overLimits({ maxAge: -1000 }), { size: false, age: true });
  });
});

test('failed steps: the oldest make room, by number and bytes; one that is open stays; a damaged one goes with time', async (t) => {
  const at = root(t);
  const keep = (store: Store, number: number, bytes: number): Promise<boolean> => {
    const from = store.temporary('-run');
    mkdirSync(join(from, 'upper'), { recursive: true });
    writeFileSync(join(from, 'upper/file'), 'left');
    return store.failed.keep({ build: 'b', number, text: 'RUN false', at: number, bytes, layers: [], open: {} }, from, async () => {});
  };
  await within(at, async (store) => {
    assert.equal(await keep(store, 0, 5 * 2 ** 30), false);
    for (let number = 1; number <= 10; number++) assert.equal(await keep(store, number, 100), true);
  });
  await using looking = await openStore({ root: at });
  assert.ok(looking.failed.open('b', 1));
  await within(at, async (store) => {
    await keep(store, 11, 100);
    // The oldest is open.
    assert.deepEqual(store.failed.list().map(({ number }) => number).sort((a, b) => a - b), [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await keep(store, 12, 4 * 2 ** 30 - 250);
    assert.deepEqual(store.failed.list().map(({ number }) => number), [12, 11, 1]);
    assert.equal(store.failed.open('../b', 1), undefined);
    assert.equal((await store.usage()).failedSteps.count, 3);
  });
  mkdirSync(join(at, 'failed/torn'));
  writeFileSync(join(at, 'failed/torn/step.json'), '{"build":');
  utimesSync(join(at, 'failed/torn'), 0, 0);
  assert.equal((await prune(at, {})).failed, 2);
  assert.deepEqual(readdirSync(join(at, 'failed')), ['b-1']);
});

test('du counts every byte of the store', async (t) => {
  const at = root(t);
  await within(at, (store) => {
    tinyImage(store, 'image');
    result(store, 'some', 1);
    using log = store.builds.writeLog('build', 1);
    log.write('said');
    for (const path of [['git', 'a', 'pack'], ['listings', 'b'], ['contexts', 'c'], ['cache-mounts', 'd', 'e'], ['containers', 'f', 'upper'], ['tmp', 'g']]) {
      const file = store.path(...path);
      writeFileSync(file, 'x'.repeat(1000));
    }
  });
  await within(at, async (store) => assert.equal((await store.usage()).total, treeBytes(at)));
});
