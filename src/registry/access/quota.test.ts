/** Quotas, immutable tags, https for passwords and the audit log, over real HTTP. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mediaTypes } from '../../oci/media-types.ts';
import { auditFile, createAudit } from '../audit.ts';
import { codeOf, contentOf, indexOf, manifestOf, pushBlob, pushImage, putManifest, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import type { TestServer } from '../testing/start-server.ts';
import { basic, startWithAccess } from '../testing/start-with-access.ts';
import { openUpload, send, withDigest } from '../testing/uploads.ts';
import type { AccessConfiguration } from './configuration.ts';
import { openAccess } from './open-access.ts';

/** Without users: these need no packages. */
async function startWith(configuration: AccessConfiguration): Promise<TestServer> {
  let server: TestServer | undefined;
  const { access } = openAccess({ configuration, root: '/nowhere', usage: (which) => server!.storage.repositories.usage(which), onError: assert.ifError });
  server = await startTestServer({ access });
  return server;
}

/** Bytes without an announced length. */
async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

async function refusedByQuota(response: Response): Promise<void> {
  assert.equal(response.status, 403);
  const text = await response.text();
  assert.match(text, /"code":"DENIED","message":"the quota of /);
}

test('a repository takes no more than its quota: announced, streamed, mounted, or as a manifest', async () => {
  await using server = await startWith({ quotas: [{ repositories: ['small/*'], size: 10_000 }] });
  const { url } = server;
  const first = randomContent(6000);
  await pushBlob(url, 'small/a', first);
  await refusedByQuota(await fetch(`${url}/v2/small/a/blobs/uploads/?digest=${randomContent(1).digest}`, { method: 'POST', body: Buffer.alloc(5000) }));
  const location = await openUpload({ url }, 'small/a');
  await refusedByQuota(await send(location, 'PATCH', Buffer.alloc(5000)));
  const big = randomContent(50_000);
  const streamed = await openUpload({ url }, 'small/a');
  await refusedByQuota(await fetch(streamed, { method: 'PATCH', body: pieces(big.bytes), duplex: 'half' } as RequestInit));
  const fitting = randomContent(3000);
  const good = await openUpload({ url }, 'small/a');
  assert.equal((await send(good, 'PATCH', fitting.bytes)).status, 202);
  assert.equal((await send(withDigest(good, fitting.digest), 'PUT')).status, 201);
  await pushBlob(url, 'large', big);
  await refusedByQuota(await fetch(`${url}/v2/small/b/blobs/uploads/?mount=${big.digest}&from=large`, { method: 'POST' }));
  assert.equal((await fetch(`${url}/v2/small/b/blobs/uploads/?mount=${first.digest}&from=small/a`, { method: 'POST' })).status, 201, 'each repository has its own quota');
  const config = contentOf('{}');
  await pushBlob(url, 'small/a', config);
  const manifest = manifestOf({ config, more: { annotations: { long: 'x'.repeat(2000) } } });
  await refusedByQuota(await putManifest(url, 'small/a', 'v1', manifest));
});

test('a namespace has what all of its repositories have, a shared blob in each of them', async () => {
  await using server = await startWith({ quotas: [{ namespaces: ['team', 'users/*'], size: 10_000 }] });
  const { url } = server;
  const blob = randomContent(6000);
  await pushBlob(url, 'team/a', blob);
  await refusedByQuota(await fetch(`${url}/v2/team/b/c/blobs/uploads/?mount=${blob.digest}&from=team/a`, { method: 'POST' }));
  await pushBlob(url, 'teams/b', blob);
  await pushBlob(url, 'users/ann/x', blob);
  await pushBlob(url, 'users/bob/x', blob);
  await refusedByQuota(await fetch(`${url}/v2/users/bob/y/blobs/uploads/?digest=${blob.digest}`, { method: 'POST', body: blob.bytes }));
});

test('an immutable tag stays, also when its manifest is deleted; those that are taken out move', async () => {
  await using server = await startWith({ immutable: [{ repositories: ['release/**'], tags: ['v*', '!*-dev'] }] });
  const { url } = server;
  const { config, manifest } = await pushImage(url, 'release/app', 'v1.0');
  const other = manifestOf({ config, more: { annotations: { other: 'yes' } } });
  const moved = await putManifest(url, 'release/app', 'v1.0', other);
  assert.equal(moved.status, 403);
  assert.equal(await codeOf(moved), 'DENIED');
  assert.equal((await putManifest(url, 'release/app', 'v1.0', manifest)).status, 201);
  for (const name of ['v1.0', manifest.digest]) assert.equal((await fetch(`${url}/v2/release/app/manifests/${name}`, { method: 'DELETE' })).status, 403, name);
  assert.equal((await putManifest(url, 'release/app', `${other.digest}?tag=v1.0&tag=free`, other)).status, 403);
  for (const tag of ['v1-dev', 'latest']) {
    for (const one of [manifest, other]) assert.equal((await putManifest(url, 'release/app', tag, one)).status, 201, tag);
  }
});

test('what an immutable tag leads to stays with it: manifests of its index, and blobs', async () => {
  await using server = await startWith({ immutable: [{ repositories: ['**'], tags: ['v*'] }] });
  const { url } = server;
  const { layers, manifest, config } = await pushImage(url, 'app', 'latest');
  assert.equal((await putManifest(url, 'app', 'v1', indexOf([manifest]), mediaTypes.index)).status, 201);
  for (const path of [`manifests/${manifest.digest}`, `blobs/${layers[0]!.digest}`, `blobs/${config.digest}`]) {
    assert.equal((await fetch(`${url}/v2/app/${path}`, { method: 'DELETE' })).status, 403, path);
    assert.equal((await fetch(`${url}/v2/app/${path}`, { method: 'HEAD' })).status, 200, path);
  }
  assert.equal((await fetch(`${url}/v2/app/manifests/latest`, { method: 'DELETE' })).status, 202);
});

test('passwords over http are taken from this machine only, unless that is allowed', async () => {
  const far = { ...basic('ann', 'apple'), 'x-forwarded-for': '192.0.2.1' };
  for (const [more, status] of [[{}, 403], [{ 'x-forwarded-proto': 'https' }, 200]] as const) {
    await using server = await startWithAccess({ proxies: ['127.0.0.1'] });
    assert.equal((await fetch(`${server.url}/v2/`, { headers: { ...far, ...more } })).status, status);
    assert.equal((await fetch(`${server.url}/v2/`, { headers: basic('ann', 'apple') })).status, 200);
    const form = await fetch(`${server.url}/token`, { method: 'POST', headers: { 'x-forwarded-for': '192.0.2.1', ...more }, body: new URLSearchParams({ grant_type: 'password', username: 'ann', password: 'apple' }) });
    assert.equal(form.status, status);
  }
  await using open = await startWithAccess({ proxies: ['127.0.0.1'], plainPasswords: true });
  assert.equal((await fetch(`${open.url}/v2/`, { headers: far })).status, 200);
});

test('the audit log tells who did what with which result, and no password and no token', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-audit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.log');
  const audit = createAudit({ write: auditFile(path, assert.ifError), pulls: true });
  await using server = await startWithAccess({ immutable: [{ repositories: ['**'], tags: ['v*'] }], anonymous: 'pull' }, [audit.sink]);
  const ann = basic('ann', 'apple');
  const blob = contentOf('{}');
  const free = randomContent();
  const manifest = manifestOf({ config: blob });
  const headers = { ...ann, 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
  for (const { digest, bytes } of [blob, free]) await fetch(`${server.url}/v2/app/blobs/uploads/?digest=${digest}`, { method: 'POST', headers: ann, body: bytes });
  await fetch(`${server.url}/v2/app/manifests/v1`, { method: 'PUT', headers, body: manifest.bytes });
  await fetch(`${server.url}/v2/app/manifests/v1`);
  await fetch(`${server.url}/v2/app/manifests/v1`, { method: 'DELETE', headers: ann });
  await fetch(`${server.url}/v2/app/blobs/${free.digest}`, { method: 'DELETE', headers: ann });
  const wrong = await fetch(`${server.url}/v2/app/manifests/v1`, { headers: basic('ann', 'guessedsecret') });
  const token = ((await (await fetch(`${server.url}/token?scope=repository:app:pull`, { headers: ann })).json()) as { token: string }).token;
  await fetch(`${server.url}/v2/app/manifests/v1`, { headers: { authorization: `Bearer ${token}` } });
  await fetch(`${server.url}/v2/`);
  // The event of an answer comes after the client has it.
  while (server.events.filter(({ type }) => type === 'request').length < 10) await new Promise((resolve) => setTimeout(resolve, 10));
  await audit[Symbol.asyncDispose]();
  const text = readFileSync(path, 'utf8');
  const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(lines.map(({ user, action, kind, repository, tags, result, status }) => [user, action, kind, repository, tags, result, status]), [
    ['ann', 'push', 'blob', 'app', [], 'done', 201],
    ['ann', 'push', 'blob', 'app', [], 'done', 201],
    ['ann', 'push', 'manifest', 'app', ['v1'], 'done', 201],
    [null, 'pull', 'manifest', 'app', ['v1'], 'done', 200],
    ['ann', 'DELETE manifest', undefined, 'app', undefined, 'refused', 403],
    ['ann', 'delete', 'blob', 'app', [], 'done', 202],
    [null, 'GET manifest', undefined, 'app', undefined, 'refused', 401],
    ['ann', 'token', undefined, undefined, undefined, 'done', 200],
    ['ann', 'pull', 'manifest', 'app', ['v1'], 'done', 200],
  ]);
  for (const line of lines) assert.ok(typeof line.request === 'string' && line.address === '127.0.0.1' && Date.parse(String(line.time)) > 0);
  assert.equal(lines[6]!.request, wrong.headers.get('x-request-id'));
  assert.equal(lines[2]!.digest, manifest.digest);
  for (const secret of ['apple', 'guessedsecret', token, Buffer.from('ann:apple').toString('base64')]) assert.ok(!text.includes(secret));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('an audit log that was moved away is begun anew', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-audit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.log');
  const write = auditFile(path, assert.ifError);
  await write('one\n');
  renameSync(path, `${path}.1`);
  await write('two\n');
  assert.equal(readFileSync(path, 'utf8'), 'two\n');
  const faults: unknown[] = [];
  await auditFile(join(folder, 'no/such/folder'), (error) => faults.push(error))('x\n');
  assert.equal(faults.length, 1);
});
