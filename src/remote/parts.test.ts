import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseChallenges } from './challenge.ts';
import { loadConfiguration } from './configuration.ts';
import { endpointsOf } from './endpoint.ts';
import { redactUrl } from './errors.ts';
import { checkTarget, isLoopback } from './hosts.ts';
import { proxyFor } from './proxy.ts';
import { isScarce, parseRateLimit, rateLimitText } from './rate-limit.ts';
import { parseRetryAfter, waitBefore } from './retry.ts';

test('challenges are read as RFC 9110 writes them', () => {
  assert.deepEqual(parseChallenges('Bearer realm="https://a/t",service="s, \\"q\\"",scope="repository:x:pull,push", Basic realm=plain'), [
    { scheme: 'bearer', parameters: { realm: 'https://a/t', service: 's, "q"', scope: 'repository:x:pull,push' } },
    { scheme: 'basic', parameters: { realm: 'plain' } },
  ]);
  assert.deepEqual(parseChallenges('Basic'), [{ scheme: 'basic', parameters: {} }]);
  assert.deepEqual(parseChallenges(''), []);
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseChallenges(text))));
});

test('the configuration file is found, merged under the options and checked with its path', () => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-configuration-'));
  try {
    mkdirSync(join(folder, 'siru'));
    const file = join(folder, 'siru', 'config.json');
    const load = (value: unknown): ReturnType<typeof loadConfiguration> => {
      writeFileSync(file, JSON.stringify(value));
      return loadConfiguration({ mirrors: { 'docker.io': ['first:1'] }, insecure: ['plain.example'] }, { XDG_CONFIG_HOME: folder });
    };
    const { mirrors, insecure } = load({ registries: { 'index.docker.io': { mirrors: ['first:1', 'localhost:5000/hub'] }, 'r.example': { insecure: true } } });
    assert.deepEqual(mirrors.get('docker.io'), ['first:1', 'localhost:5000/hub']);
    assert.deepEqual([...insecure], ['plain.example', 'r.example']);
    const path = (value: unknown, message: RegExp): void => assert.throws(() => load(value), { code: 'CONFIG', message });
    path({ registry: {} }, /\$\.registry: unknown member/);
    path({ registries: { h: { mirrors: 'x' } } }, /\$\.registries\["h"\]\.mirrors: not an array/);
    path({ registries: { h: { mirrors: ['ok', 'not a host'] } } }, /\$\.registries\["h"\]\.mirrors\[1\]: not a host/);
    path({ registries: { h: { insecure: 'yes' } } }, /\.insecure: not true or false/);
    assert.throws(() => loadConfiguration({}, { SIRU_CONFIG: join(folder, 'none') }), { code: 'CONFIG' });
    assert.equal(loadConfiguration({}, { XDG_CONFIG_HOME: join(folder, 'none') }).mirrors.size, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('endpoints: mirrors for pulls, the registry for pushes, Docker Hub by its interface\'s name', () => {
  const configuration = { mirrors: new Map([['docker.io', ['localhost:5000', 'https://m.example/hub']]]), insecure: new Set(['plain.example']) };
  assert.deepEqual(endpointsOf({ domain: 'docker.io' }, configuration, 'pull').map(({ host, prefix, plain, scheme, mirror }) => ({ host, prefix, plain, scheme, mirror })), [
    { host: 'localhost:5000', prefix: '', plain: true, scheme: undefined, mirror: true },
    { host: 'm.example', prefix: 'hub/', plain: false, scheme: 'https', mirror: true },
    { host: 'registry-1.docker.io', prefix: '', plain: false, scheme: undefined, mirror: false },
  ]);
  assert.equal(endpointsOf({ domain: 'docker.io' }, configuration, 'push').length, 1);
  assert.equal(endpointsOf({ domain: 'plain.example' }, configuration, 'push')[0]!.unverified, true);
});

test('a server may not send its clients down to http or into private networks', () => {
  const to = (from: string, target: string): void => checkTarget(new URL(from), new URL(target), 'x');
  to('https://a.example', 'https://b.example/y');
  to('http://localhost:1', 'http://127.0.0.1:2');
  to('https://a.example', 'https://a.example/other');
  for (const target of ['http://b.example', 'https://127.0.0.1', 'https://169.254.169.254/meta', 'https://[::1]/', 'https://10.1.2.3', 'https://[fd00::1]', 'file:///etc/passwd']) {
    assert.throws(() => to('https://a.example', target), { code: 'REGISTRY' }, target);
  }
  to('http://10.0.0.1:5000', 'http://10.0.0.2:9000');
  to('http://169.254.1.1:5000', 'http://169.254.1.1:9000');
  to('https://a.example', 'https://feather.example');
  for (const target of ['http://169.254.169.254/meta', 'http://[fe80::1]', 'http://[::ffff:169.254.169.254]/']) {
    for (const from of ['http://localhost:5000', 'http://10.0.0.1:5000', 'http://a.example']) assert.throws(() => to(from, target), { code: 'REGISTRY', message: /link-local/ }, `${from} ${target}`);
  }
});

test('loopback is localhost, 127/8 and ::1', () => {
  for (const name of ['localhost', 'a.localhost', '127.1.2.3', '::1', '[::1]']) assert.ok(isLoopback(name), name);
  for (const name of ['localhost.example', '128.0.0.1', '127.evil.example', '10.0.0.1', 'nlocalhost']) assert.ok(!isLoopback(name), name);
});

test('NO_PROXY knows hosts, suffixes, ports, addresses and blocks', () => {
  const via = (url: string, no: string): string | undefined => proxyFor(new URL(url), { https_proxy: 'proxy:3128', NO_PROXY: no });
  assert.equal(via('https://a.example', ''), 'http://proxy:3128');
  for (const no of ['a.example', '.example', '*.example', 'example', '*', 'a.example:443', 'x, a.example']) assert.equal(via('https://a.example', no), undefined, no);
  for (const no of ['b.example', 'a.example:80', 'ample']) assert.equal(via('https://a.example', no), 'http://proxy:3128', no);
  assert.equal(via('https://10.1.2.3', '10.0.0.0/8'), undefined);
  assert.equal(via('https://11.1.2.3', '10.0.0.0/8'), 'http://proxy:3128');
  assert.equal(via('https://localhost', ''), undefined);
  assert.throws(() => proxyFor(new URL('http://a.example'), { HTTP_PROXY: 'socks5://u:p@x' }), { code: 'CONFIG', message: /socks5:\/\/x$/ });
});

test('waiting: Retry-After first, else doubling with jitter, and an end', () => {
  assert.equal(parseRetryAfter('2'), 2000);
  assert.equal(parseRetryAfter('Wed, 21 Oct 2026 07:28:05 GMT', Date.parse('2026-10-21T07:28:00Z')), 5000);
  assert.equal(parseRetryAfter('soon'), undefined);
  const policy = { attempts: 3, delay: 100, longest: 1000 };
  const second = waitBefore(2, policy, undefined)!;
  assert.ok(second >= 150 && second <= 250);
  assert.equal(waitBefore(3, policy, '0'), undefined);
  assert.equal(waitBefore(1, policy, '2'), undefined);
  assert.equal(waitBefore(1, policy, '1'), 1000);
});

test('a limit on pulls is read, and told when little is left', () => {
  const read = (remaining: string, limit?: string): string | undefined => {
    const rate = parseRateLimit({ 'ratelimit-remaining': remaining, 'ratelimit-limit': limit });
    return rate && `${isScarce(rate)} ${rateLimitText(rate)}`;
  };
  assert.equal(read('76;w=21600', '100;w=21600'), 'false 76 of 100 pulls are left for 6 h');
  assert.equal(read('9;w=21600', '100;w=21600'), 'true 9 of 100 pulls are left for 6 h');
  assert.equal(read('3', undefined), 'true 3 pulls are left');
  assert.equal(read('0;w=90'), 'true 0 pulls are left for 2 min');
  for (const nonsense of ['', 'many', '-1', '9999999999999']) assert.equal(read(nonsense), undefined, nonsense);
});

test('URLs in messages show no secrets', () => {
  assert.equal(redactUrl(new URL('https://u:p@h/x?digest=sha256:1&X-Amz-Signature=abc#f')), 'https://h/x?digest=sha256%3A1&X-Amz-Signature=xxx');
});

