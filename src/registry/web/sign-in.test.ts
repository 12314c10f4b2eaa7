/** The pages and the operations of a whole server with users, as its configuration makes it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfiguration } from '../config/read-configuration.ts';
import { serveRegistry } from '../serve.ts';
import { indexOf } from '../testing/content.ts';
import { mediaTypes } from '../../oci/media-types.ts';

test('anybody sees what anybody may pull, users sign in and see the rest, and metrics are for users', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-sign-in-'));
  const { hash } = await import('bcryptjs');
  writeFileSync(join(folder, 'users'), `ann:${await hash('apple', 4)}\n`);
  const text = 'root: data\nlisten: 127.0.0.1:0\naccess:\n  users: users\n  anonymous: pull\n  rules:\n    - {repositories: "open/**", allow: pull}\n    - {repositories: "**", users: "*", allow: [push, delete]}\n    - {repositories: "closed/**", allow: []}\n';
  const configuration = parseConfiguration(`${text}  immutable:\n    - {repositories: "**", tags: "v*"}\n`, join(folder, 'registry.yaml'));
  const ending = new AbortController();
  let done: Promise<unknown> = Promise.resolve();
  try {
    const address = await new Promise<string>((resolve, reject) => {
      done = serveRegistry({ configuration, signal: ending.signal, onError: () => {}, onEvent: [], onListening: (about) => resolve(about.address) });
      done.catch(reject);
    });
    const ann = { authorization: `Basic ${Buffer.from('ann:apple').toString('base64')}` };
    const get = async (path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string; headers: Headers }> => {
      const response = await fetch(`http://${address}${path}`, { headers: { accept: 'text/html', ...headers }, redirect: 'manual' });
      return { status: response.status, text: await response.text(), headers: response.headers };
    };
    const manifest = indexOf([]);
    for (const [name, tag] of [['closed/app', 'v1'], ['closed/app', 'latest'], ['team/app', 'v1']]) {
      const response = await fetch(`http://${address}/v2/${name}/manifests/${tag}`, { method: 'PUT', body: manifest.bytes, headers: { 'content-type': mediaTypes.index, ...ann } });
      assert.equal(response.status, 201, await response.text());
    }
    assert.doesNotMatch((await get('/')).text, /closed|team\/app/);
    const refused = await get('/r/closed/app');
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('www-authenticate')!, /^Basic /);
    assert.equal((await get('/login')).status, 401);
    assert.equal((await get('/login', { authorization: 'Basic eDp5' })).status, 401);
    assert.equal((await get('/login', ann)).status, 303);
    assert.match((await get('/', ann)).text, /\/r\/closed\/app/);
    assert.match((await get('/r/closed/app', ann)).text, /closed\/app:latest/);
    assert.equal((await get('/metrics')).status, 401);
    assert.equal((await get('/metrics', ann)).status, 200);
    for (const path of ['/healthz', '/readyz']) assert.equal((await get(path)).status, 200);
    assert.equal((await get('/_siru/v1/search?q=app', { accept: 'application/json' })).status, 401);
    assert.deepEqual(JSON.parse((await get('/_siru/v1/search?q=app', { accept: 'application/json', ...ann })).text), { repositories: ['closed/app', 'team/app'] });
    // The form of an immutable tag is refused in the transaction.
    const form = await get('/delete/closed/app:v1', ann);
    const body = new URLSearchParams([...form.text.matchAll(/name="(token|digest)" value="([^"]*)"/g)].map(([, name, value]): [string, string] => [name!, value!])).toString();
    const cookie = form.headers.get('set-cookie')!.split(';')[0]!;
    const answer = await fetch(`http://${address}/delete/closed/app:v1`, { method: 'POST', body, headers: { ...ann, cookie, origin: `http://${address}`, 'content-type': 'application/x-www-form-urlencoded' }, redirect: 'manual' });
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /immutable/);
  } finally {
    ending.abort();
    await done;
    rmSync(folder, { recursive: true, force: true });
  }
});
