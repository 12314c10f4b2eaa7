import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createBuilds, type BuildBounds } from './builds.ts';
import type { Core } from './core.ts';
import { openDatabase, type Database } from './database.ts';
import { openStore } from './open-store.ts';
import type { BuildEntry, Builds } from './store.ts';
import { folder, quiet, tinyStore } from './tiny.suite.ts';

const now = Date.now();
const build = (id: string, more: Partial<BuildEntry> = {}): BuildEntry => ({
  id, started: now, took: 2, project: '.', references: ['docker.io/library/app:1'], outcome: 'done',
  steps: [{ stage: '0', text: 'RUN true', status: 'executed', took: 1 }], ...more,
});
const ids = (builds: Iterable<BuildEntry>): string[] => [...builds].map(({ id }) => id);

/** The history of a store, with bounds of one's own. `asked` gets each query. */
async function history(t: TestContext, bounds: Partial<BuildBounds> = {}, asked: string[] = []): Promise<{ builds: Builds; root: string; db: Database }> {
  const root = join(folder(t), 'store');
  await (await openStore({ root })).close();
  const db = openDatabase(join(root, 'siru.db'), root);
  t.after(() => db.close());
  const noting: Database = { ...db, get inTransaction() { return db.inTransaction; }, get: (sql, ...values) => (asked.push(sql), db.get(sql, ...values)), all: (sql, ...values) => (asked.push(sql), db.all(sql, ...values)), run: (sql, ...values) => (asked.push(sql), db.run(sql, ...values)) };
  return { root, db, builds: createBuilds({ root, db: noting } as Core, { builds: 1000, days: 90, logBytes: 1e9, ...bounds }) };
}

test('builds are listed newest first, at most as many as asked for', async (t) => {
  const store = await tinyStore(t);
  for (const id of ['a', 'b', 'c']) store.builds.add(build(id));
  assert.deepEqual(store.builds.list().map(({ number: _, ...entry }) => entry), [build('c'), build('b'), build('a')]);
  assert.deepEqual(ids(store.builds.list({ limit: 1 })), ['c']);
});

test('builds are found by place, directory, name and the beginning of their ID', async (t) => {
  const { builds } = await history(t);
  builds.add(build('aa1', { place: 'x', directory: '/x' }));
  builds.add(build('ab2', { place: 'y', directory: '/y', references: ['docker.io/library/other:1'] }));
  builds.add(build('ab3', { place: 'x', directory: '/x' }));
  assert.deepEqual(ids(builds.list({ place: 'x' })), ['ab3', 'aa1']);
  assert.deepEqual(ids(builds.list({ directory: '/y' })), ['ab2']);
  assert.deepEqual(ids(builds.list({ name: 'docker.io/library/app:1' })), ['ab3', 'aa1']);
  assert.deepEqual(ids(builds.find('ab')), ['ab2', 'ab3']);
  assert.deepEqual(ids(builds.find('AA')), ['aa1']);
  assert.deepEqual(builds.find("a' OR 1"), []);
  assert.deepEqual(ids(builds.earlier(builds.find('ab3')[0]!)), ['aa1']);
});

test('the earlier builds of a place are read as far as they are asked for', async (t) => {
  const asked: string[] = [];
  const { builds } = await history(t, {}, asked);
  for (let i = 0; i < 40; i++) builds.add(build(`${i}`, { place: 'x' }));
  const newest = builds.find('39')[0]!;
  asked.length = 0;
  for (const { id } of builds.earlier(newest)) if (id === '37') break;
  assert.equal(asked.length, 1);
  assert.equal(ids(builds.earlier(newest)).length, 39);
});

test('the history keeps the newest, and none that is too old', async (t) => {
  const { builds } = await history(t, { builds: 10, days: 1 });
  for (let i = 0; i < 15; i++) builds.add(build(`${i}`));
  assert.deepEqual([builds.list().length, builds.list().at(-1)?.id], [10, '5']);
  builds.add(build('old', { started: now - 2 * 86_400_000 }));
  builds.add(build('new'));
  assert.equal(builds.list().some(({ id }) => id === 'old'), false);
});

test('a log is kept whole, goes with its build, and the oldest make room for the newest', async (t) => {
  const { builds, root } = await history(t, { logBytes: 30 });
  const write = (id: string): BuildEntry => {
    using log = builds.writeLog(id, 3);
    log.write('0123456789');
    log.write('ä\n');
    return build(id, { logBytes: log.bytes });
  };
  for (const id of ['aa', 'bb']) builds.add(write(id));
  const file = builds.logFile('aa', 3);
  assert.equal(file, join(root, 'logs/aa/3'));
  assert.equal(readFileSync(file!, 'utf8'), '0123456789ä\n');
  assert.equal(builds.logFile('aa', 4), undefined);
  builds.add(write('cc'));
  assert.deepEqual(['aa', 'bb', 'cc'].map((id) => builds.logFile(id, 3) !== undefined), [false, true, true]);
  assert.equal(builds.remove('cc'), true);
  assert.equal(existsSync(join(root, 'logs/cc')), false);
  assert.equal(builds.remove('cc'), false);
  assert.deepEqual(ids(builds.list()), ['bb', 'aa']);
});

test('a log that cannot be written fails nothing', async (t) => {
  const { builds, root } = await history(t);
  writeFileSync(join(root, 'logs'), 'a file');
  using log = builds.writeLog('aa', 1);
  log.write('text');
  assert.ok(log.failure instanceof Error);
  assert.equal(builds.writeLog('../../x', 1).failure, undefined);
});

test('du counts logs, and prune removes those of builds that were killed', async (t) => {
  const store = await tinyStore(t);
  const log = (id: string, age: number): void => {
    mkdirSync(join(store.root, 'logs', id), { recursive: true });
    writeFileSync(join(store.root, 'logs', id, '1'), 'text');
    const at = (now - age) / 1000;
    for (const path of [join(store.root, 'logs', id, '1'), join(store.root, 'logs', id)]) utimesSync(path, at, at);
  };
  log('known', 3 * 86_400_000);
  store.builds.add(build('known', { logBytes: 4 }));
  log('killed', 3 * 86_400_000);
  log('running', 3_600_000);
  assert.deepEqual((await store.usage()).history, { count: 1, bytes: 12 });
  await store.prune({}, quiet);
  assert.deepEqual(['known', 'killed', 'running'].map((id) => existsSync(join(store.root, 'logs', id))), [true, false, true]);
});

test('what a base consisted of is remembered once, in short', async (t) => {
  const { builds } = await history(t);
  const digest = `sha256:${'a'.repeat(64)}` as const;
  const layers = [{ diffId: digest, by: 'RUN x' }, { diffId: digest }];
  builds.noteBase(digest, () => layers);
  builds.noteBase(digest, () => assert.fail('it is known'));
  assert.deepEqual(builds.baseLayers(digest), layers);
  assert.equal(builds.baseLayers(`sha256:${'b'.repeat(64)}`), undefined);
});

test('a store of before keeps its history', async (t) => {
  const root = join(folder(t), 'store');
  await (await openStore({ root })).close();
  {
    const db = openDatabase(join(root, 'siru.db'), root);
    db.exec(`DROP INDEX builds_started; DROP INDEX builds_place; DROP INDEX builds_directory; DROP INDEX builds_logs; DROP TABLE build_names; DROP TABLE base_layers; DROP TABLE uploads; DROP TABLE seen_blobs;
      ALTER TABLE builds DROP COLUMN started; ALTER TABLE builds DROP COLUMN place; ALTER TABLE builds DROP COLUMN directory; ALTER TABLE builds DROP COLUMN log_bytes; PRAGMA user_version = 1`);
    db.run('INSERT INTO builds (id, entry) VALUES (?, ?)', 'abc', JSON.stringify(build('abc')));
    db.close();
  }
  await using store = await openStore({ root });
  assert.deepEqual(store.builds.list({ name: 'docker.io/library/app:1' }).map(({ number: _, ...entry }) => entry), [build('abc')]);
  store.builds.add(build('new', { place: 'x' }));
  assert.deepEqual(ids(store.builds.list()), ['new', 'abc']);
});

test('with 10,000 builds every query takes an index', async (t) => {
  const asked: string[] = [];
  const { builds, db } = await history(t, { builds: 10_000 }, asked);
  db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
    INSERT INTO builds (id, entry, started, place, directory, log_bytes)
    SELECT printf('%08x', i), '{"steps":[]}', ${now}, 'p' || (i % 7), '/d' || (i % 7), i % 2 FROM n;
    INSERT INTO build_names SELECT 'name' || (number % 9), number FROM builds`);
  builds.add(build('fffffff1', { place: 'p1', directory: '/d1', logBytes: 10 }));
  builds.list({ limit: 1 });
  builds.list({ limit: 1, directory: '/d1' });
  builds.list({ limit: 1, name: 'name1' });
  builds.list({ limit: 1, place: 'p1', before: 500 });
  builds.find('fff');
  builds.baseLayers(`sha256:${'b'.repeat(64)}`);
  builds.remove('fffffff1');
  assert.ok(asked.length > 12);
  for (const sql of new Set(asked)) {
    const plan = db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...Array.from(sql.matchAll(/\?/g), () => 1)).map(({ detail }) => detail);
    // Numbers that are lower than that of a new build are all: only where the first few end it.
    if (!/LIMIT|number <= \?/.test(sql)) assert.doesNotMatch(plan.join(), /rowid<|number</, sql);
    for (const step of plan) {
      // The whole list is walked from its end; the sum of the logs in an index of its own.
      if (/ORDER BY number DESC LIMIT/.test(sql) && !/WHERE/.test(sql) && step === 'SCAN builds') continue;
      assert.doesNotMatch(step, /^SCAN (?!CONSTANT|builds USING COVERING INDEX builds_logs)|TEMP B-TREE/, `${sql}\n${plan.join('\n')}`);
    }
  }
});
