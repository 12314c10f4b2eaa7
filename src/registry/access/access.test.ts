/** Users, rules and tokens over real HTTP. */
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf, pushImage, randomContent } from '../testing/content.ts';
import { basic, bearer, startWithAccess, writeUsers } from '../testing/start-with-access.ts';
import type { AccessConfiguration } from './configuration.ts';

interface Asked {
  status: number;
  code: string | undefined;
  challenge: string | undefined;
}

async function ask(url: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Asked> {
  const response = await fetch(`${url}${path}`, { method, headers });
  const challenge = response.headers.get('www-authenticate') ?? undefined;
  const code = response.status >= 400 && method !== 'HEAD' ? await codeOf(response) : undefined;
  return { status: response.status, code, challenge };
}

async function tokenFor(url: string, query: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${url}/token?service=siru-registry&${query}`, { headers });
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal(response.headers.get('cache-control'), 'no-store');
  return ((await response.json()) as { token: string }).token;
}

/** What the first server has, pushed before there are users. */
async function serverWith(configuration: AccessConfiguration, repositories: readonly string[]) {
  const server = await startWithAccess(configuration);
  const headers = basic('ann', 'apple');
  const send = globalThis.fetch;
  globalThis.fetch = (url, init) => send(url, { ...init, headers: { ...(init?.headers as Record<string, string>), ...headers } });
  try {
    for (const repository of repositories) await pushImage(server.url, repository, 'v1');
  } finally {
    globalThis.fetch = send;
  }
  return server;
}

test('without a password nothing is told, with a wrong one neither, and an unknown user is told the same', async () => {
  await using server = await startWithAccess();
  const anonymous = await ask(server.url, '/v2/');
  assert.deepEqual(anonymous, { status: 401, code: 'UNAUTHORIZED', challenge: `Bearer realm="${server.url}/token",service="siru-registry"` });
  assert.match((await ask(server.url, '/v2/team/app/manifests/v1')).challenge!, /scope="repository:team\/app:pull"$/);
  assert.match((await ask(server.url, '/v2/team/app/blobs/uploads/', {}, 'POST')).challenge!, /scope="repository:team\/app:pull,push"$/);
  assert.match((await ask(server.url, '/v2/_catalog')).challenge!, /scope="registry:catalog:\*"$/);
  const texts: string[] = [];
  for (const headers of [basic('ann', 'berry'), basic('nobody', 'apple'), basic('ann', ''), basic('', '')]) {
    const response = await fetch(`${server.url}/v2/`, { headers });
    assert.equal(response.status, 401);
    texts.push(await response.text());
  }
  assert.equal(new Set(texts).size, 1);
  assert.equal((await ask(server.url, '/v2/', basic('ann', 'apple'))).status, 200);
  assert.equal((await ask(server.url, '/v2/', { authorization: 'Negotiate abc' })).status, 401);
});

test('a user may do all where there are no rules; anonymous pull pulls, and does not push', async () => {
  await using server = await serverWith({ anonymous: 'pull' }, ['team/app']);
  assert.equal((await ask(server.url, '/v2/team/app/manifests/v1')).status, 200);
  assert.equal((await ask(server.url, '/v2/team/app/manifests/v1', {}, 'DELETE')).status, 401);
  assert.equal((await ask(server.url, '/v2/team/app/blobs/uploads/', {}, 'POST')).status, 401);
  assert.equal((await ask(server.url, '/v2/')).status, 401, 'clients learn here how to log in');
  const token = await tokenFor(server.url, 'scope=repository:team/app:pull,push');
  assert.equal((await ask(server.url, '/v2/', bearer(token))).status, 200);
  assert.equal((await ask(server.url, '/v2/team/app/manifests/v1', bearer(token))).status, 200);
  const push = await ask(server.url, '/v2/team/app/blobs/uploads/', bearer(token), 'POST');
  assert.equal(push.status, 401);
});

test('the first rule that fits decides; the catalogue shows what may be read', async () => {
  await using server = await serverWith({
    anonymous: 'pull',
    groups: { admins: ['ann'] },
    rules: [
      { repositories: ['**'], groups: ['admins'], allow: ['push', 'delete'] },
      { repositories: ['team/secret'], allow: [] },
      { repositories: ['home/${user}/**'], users: ['*'], allow: ['push', 'delete'] },
      { repositories: ['team/*'], users: ['bob'], allow: ['push'] },
      { repositories: ['public/**'], allow: ['pull'] },
    ],
  }, ['team/app', 'team/secret', 'public/a/b', 'home/bob/tool', 'home/ann/tool']);
  const bob = basic('bob', 'berry');
  const repositories = async (headers: Record<string, string>): Promise<string[]> => ((await (await fetch(`${server.url}/v2/_catalog`, { headers })).json()) as { repositories: string[] }).repositories;
  assert.equal((await ask(server.url, '/v2/_catalog')).status, 401, 'clients that have a password show it');
  assert.deepEqual(await repositories(bearer(await tokenFor(server.url, 'scope=registry:catalog:*'))), ['public/a/b']);
  assert.deepEqual(await repositories(bob), ['home/bob/tool', 'public/a/b', 'team/app']);
  assert.equal((await repositories(basic('ann', 'apple'))).length, 5);
  const statuses: [path: string, method: string, status: number][] = [
    ['team/secret/manifests/v1', 'GET', 403], ['team/app/manifests/v1', 'GET', 200], ['team/app/blobs/uploads/', 'POST', 202], ['team/app/manifests/v1', 'DELETE', 403],
    ['team/a/b/blobs/uploads/', 'POST', 403], ['home/bob/x/blobs/uploads/', 'POST', 202], ['home/ann/x/blobs/uploads/', 'POST', 403], ['home/bobby/x/blobs/uploads/', 'POST', 403],
    ['public/a/b/manifests/v1', 'GET', 200], ['public/a/b/blobs/uploads/', 'POST', 403], ['home/bob/tool/manifests/v1', 'DELETE', 202],
  ];
  for (const [path, method, status] of statuses) assert.equal((await ask(server.url, `/v2/${path}`, bob, method)).status, status, `${method} ${path}`);
  assert.equal((await ask(server.url, '/v2/team/nothing/manifests/v1')).status, 401, 'whether there is such a repository is not told');
  const blob = randomContent().digest;
  assert.equal((await ask(server.url, `/v2/team/app/blobs/uploads/?mount=${blob}&from=team/secret`, bob, 'POST')).status, 202, 'a mount needs the right to pull');
});

test('a token reaches what was asked for, what the rules give now, and no further', async () => {
  await using server = await serverWith({ rules: [{ repositories: ['**'], users: ['ann'], allow: ['push', 'delete'] }, { repositories: ['team/app'], users: ['bob'], allow: ['pull'] }] }, ['team/app', 'other']);
  const ann = basic('ann', 'apple');
  const token = await tokenFor(server.url, 'scope=repository:team/app:pull&scope=repository:third:pull,push', ann);
  assert.equal((await ask(server.url, '/v2/team/app/manifests/v1', bearer(token))).status, 200);
  const other = await ask(server.url, '/v2/other/manifests/v1', bearer(token));
  assert.equal(other.status, 401);
  assert.match(other.challenge!, /scope="repository:other:pull",error="insufficient_scope"$/);
  assert.equal((await ask(server.url, '/v2/third/blobs/uploads/', bearer(token), 'POST')).status, 202);
  assert.equal((await ask(server.url, '/v2/_catalog', bearer(token))).status, 401);
  assert.equal((await ask(server.url, '/v2/_catalog', bearer(await tokenFor(server.url, 'scope=registry:catalog:*', ann)))).status, 200);
  const bobs = await tokenFor(server.url, 'scope=repository:team/app:pull,push,delete repository:other:*', basic('bob', 'berry'));
  const { decodeJwt } = await import('jose');
  assert.deepEqual(decodeJwt(bobs).access, [{ type: 'repository', name: 'team/app', actions: ['pull'] }]);
  const [head, body, signature] = token.split('.');
  const forged = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'bob' })).toString('base64url');
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
  for (const wrong of [`${head}.${forged}.${signature}`, unsigned, `${head}.${body}.${'A'.repeat(86)}`, 'x', '..', 'a.b.c']) {
    assert.equal((await ask(server.url, '/v2/', bearer(wrong))).code, 'UNAUTHORIZED', wrong.slice(0, 40));
  }
  assert.equal((await ask(server.url, '/token?service=another', ann)).status, 403);
  assert.equal((await ask(server.url, '/token', bearer(token))).status, 403, 'a token gives no token');
  assert.equal((await ask(server.url, '/token', basic('ann', 'x'))).status, 401);
  await writeUsers(server.users, { bob: 'berry' });
  await until(async () => (await ask(server.url, '/v2/team/app/manifests/v1', bearer(token))).status === 401);
});

test('refresh tokens end with the password; the form takes a password, too', async () => {
  await using server = await startWithAccess({ tokens: { refresh: 86_400_000 } });
  const form = async (fields: Record<string, string>): Promise<Response> => fetch(`${server.url}/token`, { method: 'POST', body: new URLSearchParams({ service: 'siru-registry', client_id: 'test', ...fields }) });
  const first = await form({ grant_type: 'password', username: 'ann', password: 'apple', access_type: 'offline', scope: 'repository:app:pull' });
  assert.equal(first.status, 200);
  const { refresh_token: refresh } = (await first.json()) as { refresh_token: string };
  const offline = (await (await fetch(`${server.url}/token?offline_token=true`, { headers: basic('ann', 'apple') })).json()) as { refresh_token?: string };
  assert.ok(offline.refresh_token);
  const again = await form({ grant_type: 'refresh_token', refresh_token: refresh, scope: 'repository:app:pull' });
  const { access_token: token } = (await again.json()) as { access_token: string };
  assert.equal((await ask(server.url, '/v2/', bearer(token))).status, 200);
  assert.equal((await ask(server.url, '/v2/', bearer(refresh))).status, 401, 'it is no token for the registry');
  assert.equal((await form({ grant_type: 'refresh_token', refresh_token: token })).status, 401);
  assert.equal((await form({ grant_type: 'client_credentials' })).status, 400);
  await writeUsers(server.users, { ann: 'another' });
  await until(async () => (await form({ grant_type: 'refresh_token', refresh_token: refresh })).status === 401);
});

test('the password file is read again when it changes; a broken one is told and leaves what was', async () => {
  await using server = await startWithAccess();
  assert.equal((await ask(server.url, '/v2/', basic('ann', 'apple'))).status, 200);
  await writeUsers(server.users, { ann: 'changed', eve: 'x' });
  await until(async () => (await ask(server.url, '/v2/', basic('ann', 'apple'))).status === 401);
  assert.equal((await ask(server.url, '/v2/', basic('ann', 'changed'))).status, 200);
  writeFileSync(server.users, 'ann:plain\n');
  await until(async () => {
    await ask(server.url, '/v2/', basic('ann', 'changed'));
    return server.faults.length > 0;
  });
  assert.match(String(server.faults[0]), /line 1: the hash is not bcrypt/);
  assert.equal((await ask(server.url, '/v2/', basic('eve', 'x'))).status, 200);
  assert.equal(server.faults.length, 1);
});

test('the key is made once, for its owner only', async () => {
  await using server = await startWithAccess();
  const { mode } = statSync(join(server.folder, '.siru/token-key.pem'));
  assert.equal(mode & 0o777, 0o600);
});

test('who guesses passwords is slowed down, and users and addresses have their number of requests', async () => {
  await using guessed = await startWithAccess({ limits: { failures: 3 } });
  for (let i = 0; i < 3; i++) assert.equal((await ask(guessed.url, '/v2/', basic('ann', `guess${i}`))).status, 401);
  const slow = await fetch(`${guessed.url}/v2/`, { headers: basic('ann', 'guess4') });
  assert.equal(slow.status, 429);
  assert.equal(await codeOf(slow), 'TOOMANYREQUESTS');
  assert.ok(Number(slow.headers.get('retry-after')) >= 1);
  await using limited = await startWithAccess({ limits: { users: 5, anonymous: 2 } });
  for (let i = 0; i < 5; i++) assert.equal((await ask(limited.url, '/v2/', basic('ann', 'apple'))).status, 200);
  assert.equal((await ask(limited.url, '/v2/', basic('ann', 'apple'))).code, 'TOOMANYREQUESTS');
  assert.equal((await ask(limited.url, '/v2/', basic('bob', 'berry'))).status, 200);
  assert.deepEqual([(await ask(limited.url, '/v2/')).status, (await ask(limited.url, '/v2/')).status, (await ask(limited.url, '/v2/')).status], [401, 401, 429]);
});

test('no password and no token is in an answer or an event', async () => {
  await using server = await startWithAccess();
  const token = await tokenFor(server.url, 'scope=repository:app:pull', basic('ann', 'apple'));
  const answers: string[] = [];
  for (const headers of [basic('ann', 'hunter2secret'), basic('apple', 'hunter2secret'), bearer('hunter2secret'), bearer(`${token}x`), { authorization: 'hunter2secret' }]) {
    const response = await fetch(`${server.url}/v2/app/manifests/x`, { headers });
    answers.push(await response.text(), JSON.stringify([...response.headers]));
  }
  const all = answers.join() + JSON.stringify(server.events, (_key, value: unknown) => (value instanceof Error ? String(value.stack) : value)) + String(server.faults);
  for (const secret of ['hunter2secret', Buffer.from('ann:hunter2secret').toString('base64'), token, 'apple']) assert.ok(!all.includes(secret), secret);
});

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await wait(100);
}
