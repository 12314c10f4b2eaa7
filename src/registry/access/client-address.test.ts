import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { createClientAddresses, networkOf } from './client-address.ts';
import { parseAuthorization } from './credentials.ts';
import { createRateLimit } from './rate-limit.ts';
import { grant, parseScopes, scopesOf } from './scopes.ts';

const request = (remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage => ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

test('only a proxy that is trusted tells where a request comes from', () => {
  const none = createClientAddresses();
  assert.equal(none.addressOf(request('::ffff:192.0.2.1', { 'x-forwarded-for': '127.0.0.1' })), '192.0.2.1');
  assert.equal(none.isPrivate(request('192.0.2.1', { 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' })), false);
  assert.equal(none.isPrivate(request('127.0.0.1')), true);
  const behind = createClientAddresses(['10.0.0.0/8', '::1']);
  assert.equal(behind.addressOf(request('10.1.2.3', { 'x-forwarded-for': '127.0.0.1, 192.0.2.9, 10.0.0.5' })), '192.0.2.9', 'what a client wrote there itself is not believed');
  assert.equal(behind.addressOf(request('192.0.2.1', { 'x-forwarded-for': '127.0.0.1' })), '192.0.2.1');
  assert.equal(behind.addressOf(request('10.1.2.3', { 'x-forwarded-for': 'nonsense' })), '10.1.2.3');
  assert.equal(behind.isPrivate(request('::1', { 'x-forwarded-for': '192.0.2.9' })), false, 'the proxy was spoken to over http');
  assert.equal(behind.isPrivate(request('::1', { 'x-forwarded-for': '192.0.2.9', 'x-forwarded-proto': 'https' })), true);
});

test('an IPv6 client has one network, however its address is written', () => {
  assert.equal(networkOf('2001:db8:0:1::5'), '2001:db8:0:1::/64');
  assert.equal(networkOf('2001:db8:0:1:9:8:7:6'), '2001:db8:0:1::/64');
  assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(networkOf('::1'), '0:0:0:0::/64');
  assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
});

test('a bucket refills with time, and tells when to come again', () => {
  let now = 0;
  const limit = createRateLimit(60, 'requests', () => now);
  for (let i = 0; i < 60; i++) limit.take('a');
  assert.throws(() => limit.take('a'), { reason: 'TOOMANYREQUESTS', headers: { 'retry-after': '1' } });
  limit.take('b');
  now += 2000;
  limit.take('a');
  limit.take('a');
  assert.throws(() => limit.take('a'));
  now -= 1e9;
  assert.throws(() => limit.take('a'), 'a clock that steps back gives nothing');
});

test('whatever an Authorization header has, it is read or nothing', () => {
  assert.deepEqual(parseAuthorization(`Basic ${Buffer.from('ann:a:b').toString('base64')}`), { kind: 'password', name: 'ann', password: 'a:b' });
  assert.deepEqual(parseAuthorization('bearer a.b-c_d'), { kind: 'token', token: 'a.b-c_d' });
  for (const wrong of ['', 'Basic', 'Basic !', `Basic ${Buffer.from('ann').toString('base64')}`, 'Bearer', 'Bearer a b', 'Digest x', `Bearer ${'a'.repeat(20_000)}`]) assert.equal(parseAuthorization(wrong), undefined);
  fc.assert(fc.property(fc.string(), (text) => void parseAuthorization(text)));
});

test('scopes that are asked for are cut to what is allowed, and read again from the claim', () => {
  const asked = parseScopes(['repository:team/app:pull,push repository(plugin):x:pull', 'registry:catalog:*', 'nonsense', 'repository:Bad:pull', 'repository:b:*']);
  const access = grant(asked, { repository: (name) => (name === 'b' ? 5 : 1), catalog: false });
  assert.deepEqual(access, [
    { type: 'repository', name: 'team/app', actions: ['pull'] }, { type: 'repository', name: 'x', actions: ['pull'] }, { type: 'repository', name: 'b', actions: ['pull', 'delete'] },
  ]);
  assert.deepEqual([...scopesOf(access).repositories], [['team/app', 1], ['x', 1], ['b', 5]]);
  assert.equal(parseScopes(['a:b:c '.repeat(1000)]).length, 100);
  fc.assert(fc.property(fc.anything(), (claim) => {
    const { repositories, catalog } = scopesOf(claim);
    assert.ok(repositories instanceof Map && typeof catalog === 'boolean');
  }));
});
