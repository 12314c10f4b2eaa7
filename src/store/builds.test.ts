import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BuildEntry } from './store.ts';
import { tinyStore } from './tiny.suite.ts';

const build = (id: string): BuildEntry => ({
  id, started: 1, took: 2, project: '/p/Dockerfile', references: ['docker.io/library/app:1'], outcome: 'done',
  steps: [{ stage: '0', text: 'RUN true', status: 'executed', took: 1 }],
});

test('builds are listed newest first, at most as many as asked for', async (t) => {
  const store = await tinyStore(t);
  for (const id of ['a', 'b', 'c']) store.builds.add(build(id));
  assert.deepEqual(store.builds.list(), [build('c'), build('b'), build('a')]);
  assert.deepEqual(store.builds.list(1), [build('c')]);
});

test('the history keeps the newest thousand', async (t) => {
  const store = await tinyStore(t);
  for (let i = 0; i < 1010; i++) store.builds.add(build(`${i}`));
  const all = store.builds.list();
  assert.equal(all.length, 1000);
  assert.equal(all[0]?.id, '1009');
  assert.equal(all.at(-1)?.id, '10');
});
