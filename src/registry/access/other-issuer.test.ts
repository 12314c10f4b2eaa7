/** Tokens of another issuer, made by node:crypto: what is verified must not depend on what verifies. */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { basic, bearer, startWithAccess } from '../testing/start-with-access.ts';

interface Key {
  secret: KeyObject;
  jwk: object;
  alg: string;
}

function keyOf(kid: string, kind: 'ec' | 'ed25519' | 'rsa' = 'ec'): Key {
  const alg = { ec: 'ES256', ed25519: 'EdDSA', rsa: 'RS256' }[kind];
  const pair = kind === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
  return { secret: pair.privateKey, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }, alg };
}

function jwt(key: Key, claims: object, header: object = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const kid = (key.jwk as { kid: string }).kid;
  const text = `${part({ alg: key.alg, kid, ...header })}.${part(claims)}`;
  const signature = sign(key.alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), key.alg === 'ES256' ? { key: key.secret, dsaEncoding: 'ieee-p1363' } : key.secret);
  return `${text}.${signature.toString('base64url')}`;
}

const now = (): number => Math.floor(Date.now() / 1000);
const claims = (more: object = {}): object => ({ iss: 'https://ci.example', aud: 'registry.example', sub: 'robot', exp: now() + 600, ...more });

function keysFile(t: TestContext, ...keys: Key[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'siru-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'keys.json');
  writeFileSync(path, JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  return path;
}

async function status(url: string, token: string, path = '/v2/'): Promise<number> {
  return (await fetch(`${url}${path}`, { headers: bearer(token) })).status;
}

test('tokens with EC, Ed25519 and RSA signatures are taken, those of others not', async (t) => {
  const keys = [keyOf('one'), keyOf('two', 'ed25519'), keyOf('three', 'rsa')];
  const path = keysFile(t, ...keys);
  await using server = await startWithAccess({ issuers: [{ issuer: 'https://ci.example', keys: path, audience: ['registry.example', 'other'] }] });
  for (const key of keys) assert.equal(await status(server.url, jwt(key, claims())), 200, key.alg);
  const key = keys[0]!;
  assert.equal(await status(server.url, jwt(key, claims({ aud: ['x', 'other'] }))), 200);
  assert.equal(await status(server.url, jwt(key, claims({ exp: now() - 10 }))), 200, 'clocks may differ a little');
  const rsa = keys[2]!;
  // The public key as a shared secret: the classic mistake of verifiers.
  const asSecret = `${Buffer.from('{"alg":"HS256","kid":"three"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}`;
  const forged = `${asSecret}.${createHmac('sha256', JSON.stringify(rsa.jwk)).update(asSecret).digest('base64url')}`;
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.`;
  const wrong: Record<string, string> = {
    issuer: jwt(key, claims({ iss: 'https://evil.example' })), audience: jwt(key, claims({ aud: 'another' })), 'no audience': jwt(key, claims({ aud: undefined })),
    ended: jwt(key, claims({ exp: now() - 120 })), 'no end': jwt(key, claims({ exp: undefined })), 'not yet': jwt(key, claims({ nbf: now() + 120 })),
    'no user': jwt(key, claims({ sub: undefined })), 'user is a number': jwt(key, claims({ sub: 5 })), 'long name': jwt(key, claims({ sub: 'x'.repeat(256) })), 'control characters': jwt(key, claims({ sub: 'a\nb' })),
    'another key': jwt(keyOf('one'), claims()), 'unknown key': jwt(keyOf('nine'), claims()), 'other algorithm': jwt(key, claims(), { alg: 'RS256' }),
    critical: jwt(key, claims(), { crit: ['exp2'], exp2: 1 }), forged, none,
    'a key in the token': jwt(keyOf('one'), claims(), { jwk: keyOf('one').jwk, kid: undefined }),
  };
  for (const [what, token] of Object.entries(wrong)) assert.equal(await status(server.url, token), 401, what);
});

test('only the algorithms that are listed are taken', async (t) => {
  const [ec, rsa] = [keyOf('one'), keyOf('two', 'rsa')];
  await using server = await startWithAccess({ issuers: [{ issuer: 'https://ci.example', keys: keysFile(t, ec, rsa), audience: ['registry.example'], algorithms: ['ES256'] }] });
  assert.equal(await status(server.url, jwt(ec, claims())), 200);
  assert.equal(await status(server.url, jwt(rsa, claims())), 401);
});

test('names and groups come from the claims that are named, behind a prefix; a claim access narrows', async (t) => {
  const key = keyOf('one');
  await using server = await startWithAccess({
    issuers: [{ issuer: 'https://ci.example', keys: keysFile(t, key), audience: ['registry.example'], user: 'login', groups: 'roles', prefix: 'ci-' }],
    rules: [
      { repositories: ['home/${user}/**'], users: ['*'], allow: ['push'] },
      { repositories: ['team/**'], groups: ['ci-builders'], allow: ['push'] },
      { repositories: ['**'], users: ['ann', 'robot'], allow: ['push'] },
    ],
  });
  const post = async (repository: string, more: object): Promise<number> => (await fetch(`${server.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: bearer(jwt(key, claims({ login: 'robot', ...more }))) })).status;
  assert.equal(await post('home/ci-robot/x', {}), 202);
  assert.equal(await post('team/x', {}), 403);
  assert.equal(await post('team/x', { roles: ['builders'] }), 202);
  assert.equal(await post('team/x', { roles: 'builders' }), 202);
  assert.equal(await post('other', { login: 'ann' }), 403, 'the other ann is not this one');
  const narrow = { roles: 'builders', access: [{ type: 'repository', name: 'team/x', actions: ['pull'] }] };
  assert.equal(await post('team/x', narrow), 401);
});

test('a key that is new is found without a restart, one that went is taken no more', async (t) => {
  const [old, fresh] = [keyOf('old'), keyOf('fresh')];
  let keys = [old];
  let asked = 0;
  const issuer = createServer((_request, response) => {
    asked++;
    response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  t.after(() => issuer.close());
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`;
  await using server = await startWithAccess({ issuers: [{ issuer: 'https://ci.example', keys: url, audience: ['registry.example'] }], limits: { failures: 1000 } });
  await Promise.all(Array.from({ length: 5 }, async (_, i) => assert.equal(await status(server.url, jwt(old, claims({ jti: i }))), 200)));
  assert.equal(asked, 1, 'tokens that come together ask once');
  for (let i = 0; i < 5; i++) assert.equal(await status(server.url, jwt(keyOf('x'), claims({ jti: i }))), 401);
  assert.equal(asked, 1, 'tokens with invented keys do not make the registry ask at their speed');
  keys = [fresh];
  t.mock.timers.tick(16_000);
  assert.equal(await status(server.url, jwt(fresh, claims())), 200);
  assert.equal(asked, 2);
  assert.equal(await status(server.url, jwt(old, claims({ jti: 'another' }))), 401);
});

test('keys that cannot be had, are no keys or too many bytes: nobody gets in by them, and the reason is told', async (t) => {
  let body = 'x'.repeat(300_000);
  const issuer = createServer((request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: '/keys' });
    response.end(body);
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  t.after(() => issuer.close());
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const key = keyOf('one');
  const server = async (keys: string): Promise<string> => {
    await using one = await startWithAccess({ issuers: [{ issuer: 'https://ci.example', keys, audience: ['registry.example'] }] });
    assert.equal(await status(one.url, jwt(key, claims())), 401);
    return one.faults.map(String).join();
  };
  assert.match(await server(`${url}/keys`), /larger than 262144 bytes/);
  body = '{"keys":5}';
  assert.match(await server(`${url}/keys`), /no list of keys/);
  assert.match(await server(`${url}/away`), /cannot get the keys/);
  assert.match(await server('/nowhere/keys.json'), /cannot get the keys/);
});

test('docker can send a token of another issuer as a password: it gets one of the registry for it, no wider and no longer', async (t) => {
  const key = keyOf('one');
  await using server = await startWithAccess({
    issuers: [{ issuer: 'https://ci.example', keys: keysFile(t, key), audience: ['registry.example'], prefix: 'ci-' }],
    tokens: { refresh: 3_600_000 },
    rules: [{ repositories: ['team/**'], groups: ['ci-builders'], allow: ['push'] }, { repositories: ['home/${user}'], users: ['*'], allow: ['push'] }],
  });
  const exchange = async (secret: string): Promise<Response> => fetch(`${server.url}/token?service=siru-registry&offline_token=true&scope=repository:team/x:pull,push&scope=repository:home/ci-robot:push`, { headers: basic('anything', secret) });
  const login = jwt(key, claims({ groups: ['builders'], exp: now() + 100 }));
  const answer = (await (await exchange(login)).json()) as { token: string; expires_in: number; refresh_token?: string };
  assert.ok(answer.expires_in <= 100);
  assert.equal(answer.refresh_token, undefined);
  const post = async (repository: string, token: string): Promise<number> => (await fetch(`${server.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: bearer(token) })).status;
  assert.deepEqual([await post('team/x', answer.token), await post('home/ci-robot', answer.token), await post('team/y', answer.token)], [202, 202, 401]);
  assert.equal((await exchange(answer.token)).status, 401, 'a token of the registry is no password');
  assert.equal((await fetch(`${server.url}/token`, { headers: bearer(answer.token) })).status, 403);
  const narrow = jwt(key, claims({ groups: ['builders'], access: [{ type: 'repository', name: 'team/x', actions: ['pull'] }] }));
  const { token } = (await (await exchange(narrow)).json()) as { token: string };
  const { decodeJwt } = await import('jose');
  assert.deepEqual(decodeJwt(token).access, [{ type: 'repository', name: 'team/x', actions: ['pull'] }]);
  assert.equal((await exchange(jwt(keyOf('one'), claims()))).status, 401);
  assert.equal((await exchange('apple')).status, 401);
});

test('a name of another issuer is no user of the password file', async (t) => {
  const key = keyOf('one');
  await using server = await startWithAccess({ issuers: [{ issuer: 'https://ci.example', keys: keysFile(t, key), audience: ['registry.example'] }], tokens: { refresh: 3_600_000 } });
  const response = await fetch(`${server.url}/token?offline_token=true`, { headers: basic('ann', jwt(key, claims({ sub: 'ann' }))) });
  assert.equal('refresh_token' in ((await response.json()) as object), false, 'it would be good for as long as the password of the other ann');
});
