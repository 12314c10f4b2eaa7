/** Health, readiness and metrics, over HTTP. */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Configuration } from '../config/configuration.ts';
import type { Access } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import { serveRegistry } from '../serve.ts';
import { pushImage } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import { formatMetrics } from './exposition.ts';
import { createHealthPages } from './health-pages.ts';
import { createMetrics } from './metrics-page.ts';

/** The value of a sample, as `name{label="value"}`. */
function valueOf(text: string, sample: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

test('what is written is the text format: escaped, with +Inf, one HELP and TYPE for each family', () => {
  assert.equal(formatMetrics([{ name: 'a', help: 'one\ntwo \\', type: 'gauge', samples: [{ value: 1.5 }, { suffix: '_x', labels: { l: 'q"\\\n' }, value: Infinity }] }]),
    '# HELP a one\\ntwo \\\\\n# TYPE a gauge\na 1.5\na_x{l="q\\"\\\\\\n"} +Inf\n');
});

test('metrics count requests by route, method and status, bytes, durations and what is stored', async () => {
  using metrics = createMetrics();
  await using registry = await startTestServer({ groups: [metrics.page], onEvent: [metrics.count] });
  const { manifest } = await pushImage(registry.url, 'app', 'v1');
  for (const path of ['v1', 'v1', 'v2']) await (await fetch(`${registry.url}/v2/app/manifests/${path}`)).arrayBuffer();
  await fetch(`${registry.url}/v2/app/blobs/uploads/`, { method: 'POST' });
  await fetch(`${registry.url}/v2/`, { method: 'OPTIONS' });
  const response = await fetch(`${registry.url}/metrics`);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  assert.equal(valueOf(text, 'siru_registry_requests_total{route="manifest",method="GET",status="200"}'), 2);
  assert.equal(valueOf(text, 'siru_registry_requests_total{route="manifest",method="GET",status="404"}'), 1);
  assert.equal(valueOf(text, 'siru_registry_requests_total{route="base",method="other",status="405"}'), 1);
  assert.equal(valueOf(text, 'siru_registry_request_duration_seconds_bucket{route="manifest",method="GET",le="+Inf"}'), 3);
  assert.equal(valueOf(text, 'siru_registry_request_duration_seconds_count{route="manifest",method="GET"}'), 3);
  assert.equal(valueOf(text, 'siru_registry_received_bytes_total{route="manifest"}'), manifest.bytes.length);
  assert.ok(valueOf(text, 'siru_registry_sent_bytes_total{route="manifest"}')! > 2 * manifest.bytes.length);
  assert.equal(valueOf(text, 'siru_registry_content_total{type="push",kind="manifest"}'), 1);
  assert.equal(valueOf(text, 'siru_registry_blobs'), 2);
  assert.ok(valueOf(text, 'siru_registry_blob_bytes')! > 1000);
  assert.equal(valueOf(text, 'siru_registry_uploads_open'), 1);
  assert.equal(valueOf(text, 'siru_registry_requests_in_flight'), 1);
  // Buckets only grow.
  const buckets = [...text.matchAll(/_bucket\{route="manifest",method="GET",le="[^"]+"\} (\d+)/g)].map(([, n]) => Number(n));
  assert.deepEqual(buckets, buckets.toSorted((a, b) => a - b));
  for (const line of text.trimEnd().split('\n')) assert.match(line, /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? [\d.e+-]+|\w+\{.*\} \+Inf)$/);
});

test('methods and paths that clients make up do not make further series', async () => {
  using metrics = createMetrics();
  await using registry = await startTestServer({ groups: [metrics.page], onEvent: [metrics.count] });
  for (let i = 0; i < 20; i++) await (await fetch(`${registry.url}/nothing-${i}`)).arrayBuffer();
  const text = await (await fetch(`${registry.url}/metrics`)).text();
  assert.equal(valueOf(text, 'siru_registry_requests_total{route="unknown",method="GET",status="404"}'), 20);
});

test('metrics are for whom the settings say', async () => {
  const users: Access = {
    identify: ({ headers: { authorization } }) => {
      if (authorization === undefined) return undefined;
      if (authorization === 'Basic YW5uOmE=') return { name: 'ann', groups: [] };
      throw new Refusal('UNAUTHORIZED', 'wrong password');
    },
    allow: () => {},
  };
  const status = async (options: Parameters<typeof createMetrics>[0], access: Access | undefined, authorization?: string): Promise<number> => {
    using metrics = createMetrics(options);
    await using registry = await startTestServer({ groups: [metrics.page], ...(access && { access }) });
    return (await fetch(`${registry.url}/metrics`, { headers: authorization === undefined ? {} : { authorization } })).status;
  };
  assert.equal(await status({}, undefined), 200);
  assert.equal(await status({ public: false }, undefined), 401);
  assert.equal(await status({}, users), 401);
  assert.equal(await status({}, { hasUsers: false, identify: () => undefined, allow: () => {} }), 200);
  assert.equal(await status({}, users, 'Basic YW5uOmE='), 200);
  assert.equal(await status({ public: true }, users), 200);
  assert.equal(await status({ token: 'a-token' }, users, 'Basic YW5uOmE='), 401);
  assert.equal(await status({ token: 'a-token' }, undefined), 401);
  assert.equal(await status({ token: 'a-token' }, undefined, 'Bearer a-toke'), 401);
  assert.equal(await status({ token: 'a-token' }, undefined, 'bearer a-token'), 200);
});

test('the server is ready while its root can be written to, and not when it ends', async () => {
  const errors: unknown[] = [];
  const ending = new AbortController();
  await using first = await startTestServer();
  const health = createHealthPages({ storage: first.storage, signal: ending.signal, onError: (error) => errors.push(error) });
  await using registry = await startTestServer({ groups: [health] });
  const ask = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`${registry.url}${path}`);
    return [response.status, await response.text()];
  };
  assert.deepEqual(await ask('/healthz'), [200, 'alive\n']);
  assert.deepEqual(await ask('/readyz'), [200, 'ready\n']);
  ending.abort();
  assert.equal((await ask('/readyz'))[0], 503);
  assert.equal((await ask('/healthz'))[0], 200);

  const other = createHealthPages({ storage: first.storage, onError: (error) => errors.push(error) });
  await using second = await startTestServer({ groups: [other] });
  renameSync(join(first.root, '.siru/tmp'), join(first.root, '.siru/away'));
  assert.equal((await fetch(`${second.url}/readyz`)).status, 503);
  assert.match(String(errors[0]), /not ready/);
  renameSync(join(first.root, '.siru/away'), join(first.root, '.siru/tmp'));
});

interface Served extends AsyncDisposable {
  address: string;
  metrics: string | undefined;
}

async function serve(more: Configuration): Promise<Served> {
  const root = mkdtempSync(join(tmpdir(), 'siru-operations-'));
  const ending = new AbortController();
  let done: Promise<unknown> = Promise.resolve();
  const about = await new Promise<Omit<Served, symbol>>((resolve, reject) => {
    done = serveRegistry({ configuration: { root, listen: '127.0.0.1:0', ...more }, signal: ending.signal, onError: () => {}, onEvent: [], onListening: resolve });
    done.catch(reject);
  });
  return {
    address: about.address,
    metrics: about.metrics,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await done;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

test('at an address of their own there are metrics and health and nothing else', async () => {
  await using served = await serve({ metrics: { listen: '127.0.0.1:0' } });
  await pushImage(`http://${served.address}`, 'app', 'v1');
  const status = async (host: string, path: string): Promise<number> => (await fetch(`http://${host}${path}`)).status;
  assert.equal(await status(served.address, '/metrics'), 404);
  for (const path of ['/metrics', '/healthz', '/readyz']) assert.equal(await status(served.metrics!, path), 200, path);
  for (const path of ['/v2/', '/v2/app/tags/list', '/', '/v2/_catalog']) assert.equal(await status(served.metrics!, path), 404, path);
  const text = await (await fetch(`http://${served.metrics}/metrics`)).text();
  assert.equal(valueOf(text, 'siru_registry_content_total{type="push",kind="manifest"}'), 1);
});

test('a file without a token is refused, and an address that is taken ends the start', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'siru-token-')), 'token');
  writeFileSync(file, '\n');
  await assert.rejects(serve({ metrics: { token: file } }), /has no token/);
  await using first = await serve({});
  await assert.rejects(serve({ metrics: { listen: first.address } }), /in use/);
});
