import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFileStorage } from '../files/open.ts';
import { noteStep } from '../garbage/lease.ts';
import { serveRegistry } from '../serve.ts';
import { pushImage } from '../testing/content.ts';

test('a server with an interval removes tags by itself and tells the audit log; not after the clock was set', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'siru-server-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const file = join(root, 'audit.log');
  const stop = new AbortController();
  const listening = Promise.withResolvers<string>();
  const ended = serveRegistry({
    configuration: { root, listen: '127.0.0.1:0', audit: { file }, retention: { interval: 20, policies: [{ repositories: ['**'], rules: [{ tags: ['old-*'], newest: 0 }] }] } },
    signal: stop.signal, onError: (error) => assert.fail(String(error)), onEvent: [], onListening: ({ address }) => listening.resolve(`http://${address}`),
  });
  const url = await listening.promise;
  const status = async (tag: string): Promise<number> => (await fetch(`${url}/v2/app/manifests/${tag}`, { method: 'HEAD' })).status;
  await pushImage(url, 'app', 'new');
  const { manifest } = await pushImage(url, 'app', 'old-1');
  while ((await status('old-1')) === 200) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await status('new'), 200);

  await using storage = await openFileStorage({ root });
  noteStep(storage.core.db, Date.now());
  await pushImage(url, 'app', 'old-2');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(await status('old-2'), 200);
  stop.abort();
  await ended;
  const lines = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(lines.filter(({ action }) => action === 'delete').map(({ by, kind, repository, tags, digest }) => [by, kind, repository, tags, digest]), [['retention', 'tag', 'app', ['old-1'], manifest.digest]]);
});
