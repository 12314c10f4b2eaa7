/** Pull-through: of our own server as the upstream, and of one that misbehaves. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { mediaTypes } from '../../oci/media-types.ts';
import { serve } from '../../remote/testing/serve.ts';
import type { Configuration } from '../config/configuration.ts';
import { serveRegistry } from '../serve.ts';
import { contentOf, indexOf, manifestOf, pushImage, putManifest, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';

interface Through extends AsyncDisposable {
  url: string;
  root: string;
  errors: string[];
}

async function startThrough(t: TestContext, configuration: Configuration, root = mkdtempSync(join(tmpdir(), 'siru-server-'))): Promise<Through> {
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const controller = new AbortController();
  const errors: string[] = [];
  const { promise, resolve } = Promise.withResolvers<string>();
  const ended = serveRegistry({
    configuration: { root, listen: '127.0.0.1:0', grace: 0, ...configuration },
    signal: controller.signal,
    onError: (error) => errors.push(String(error)),
    onListening: ({ address }) => resolve(`http://${address}`),
    onEvent: [],
  });
  const url = await Promise.race([promise, ended.then(() => '')]);
  return {
    url, root, errors,
    async [Symbol.asyncDispose]() {
      controller.abort();
      await ended;
    },
  };
}

async function pull(url: string, path: string): Promise<{ status: number; bytes: Buffer; digest: string | null }> {
  const response = await fetch(`${url}/v2/${path}`);
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()), digest: response.headers.get('docker-content-digest') };
}

test('an image is brought with its blobs, and is here when the upstream is away', async (t) => {
  const upstream = await startTestServer();
  const { manifest, config, layers: [layer] } = await pushImage(upstream.url, 'team/app', 'v1', { layers: [randomContent(2_000_000)] });
  const index = indexOf([manifest]);
  await putManifest(upstream.url, 'team/app', 'multi', index, mediaTypes.index);
  await using through = await startThrough(t, { upstreams: [{ prefix: 'up', registry: upstream.host, interval: 0 }] });
  for (let round = 0; round < 2; round++) {
    assert.equal((await pull(through.url, 'up/team/app/manifests/multi')).digest, index.digest);
    assert.equal((await pull(through.url, `up/team/app/manifests/${manifest.digest}`)).digest, manifest.digest);
    assert.equal((await pull(through.url, 'up/team/app/manifests/v1')).digest, manifest.digest);
    for (const { digest, bytes } of [config, layer!]) assert.deepEqual((await pull(through.url, `up/team/app/blobs/${digest}`)).bytes, bytes);
    if (round === 0) await upstream[Symbol.asyncDispose]();
  }
  assert.match(through.errors.join(), /does not answer/);
  const absent = await fetch(`${through.url}/v2/up/team/app/manifests/other`);
  assert.equal(absent.status, 503);
  assert.equal(absent.headers.get('retry-after'), '30');
});

test('a tag that moved upstream moves here after the interval, by HEAD first', async (t) => {
  await using upstream = await startTestServer();
  const first = await pushImage(upstream.url, 'app', 'latest');
  await using through = await startThrough(t, { upstreams: [{ registry: upstream.host, interval: 0 }] });
  await using slow = await startThrough(t, { upstreams: [{ registry: upstream.host, interval: 3_600_000 }] });
  await using fixed = await startThrough(t, { upstreams: [{ registry: upstream.host, interval: 0 }], access: { immutable: [{ repositories: ['**'], tags: ['latest'] }] } });
  for (const { url } of [through, slow, fixed]) assert.equal((await pull(url, 'app/manifests/latest')).digest, first.manifest.digest);
  const second = await pushImage(upstream.url, 'app', 'latest');
  upstream.events.length = 0;
  for (const { url } of [slow, fixed]) assert.equal((await pull(url, 'app/manifests/latest')).digest, first.manifest.digest);
  assert.equal(upstream.events.length, 0);
  for (let n = 0; n < 3; n++) assert.equal((await pull(through.url, 'app/manifests/latest')).digest, second.manifest.digest);
  const asked = upstream.events.filter((event) => event.type === 'request').map(({ method }) => method);
  assert.deepEqual(asked, ['HEAD', 'GET', 'HEAD', 'HEAD']);
});

test('many clients that want one blob at once cost the upstream one transfer, and ranges are served', async (t) => {
  await using upstream = await startTestServer();
  const { layers: [layer] } = await pushImage(upstream.url, 'app', 'v1', { layers: [randomContent(3_000_000)] });
  await using through = await startThrough(t, { upstreams: [{ registry: upstream.host }] });
  await pull(through.url, 'app/manifests/v1');
  const part = async (): Promise<Buffer> => Buffer.from(await (await fetch(`${through.url}/v2/app/blobs/${layer!.digest}`, { headers: { range: 'bytes=1000000-2999999' } })).arrayBuffer());
  const got = await Promise.all([...Array.from({ length: 10 }, () => pull(through.url, `app/blobs/${layer!.digest}`).then(({ bytes }) => bytes)), part()]);
  for (const bytes of got.slice(0, 10)) assert.ok(bytes.equals(layer!.bytes));
  assert.ok(got[10]!.equals(layer!.bytes.subarray(1_000_000)));
  assert.equal(upstream.events.filter((event) => event.type === 'pull' && event.kind === 'blob').length, 1);
});

test('the longest prefix decides, and what no upstream has is unknown', async (t) => {
  await using one = await startTestServer();
  await using two = await startTestServer();
  const first = await pushImage(one.url, 'sub/app', 'v1');
  const second = await pushImage(two.url, 'app', 'v1');
  await using through = await startThrough(t, { upstreams: [{ prefix: 'a', registry: one.host }, { prefix: 'a/sub', registry: two.host }] });
  assert.equal((await pull(through.url, 'a/sub/app/manifests/v1')).digest, second.manifest.digest);
  assert.equal((await pull(through.url, 'a/app/manifests/v1')).status, 404);
  assert.equal((await pull(through.url, 'b/app/manifests/v1')).status, 404);
  assert.equal((await pull(through.url, `a/sub/app/blobs/${first.layers[0]!.digest}`)).status, 404, 'no manifest names it');
  assert.equal((await fetch(`${through.url}/v2/a/sub/app/blobs/${second.layers[0]!.digest}`, { method: 'HEAD' })).status, 404, 'not here yet');
  await pushImage(through.url, 'own', 'v1');
});

test('an upstream that lies about a blob poisons nothing: the client gets no whole blob, and nothing is kept', async (t) => {
  const layer = randomContent(300_000);
  const config = contentOf('{}');
  const manifest = manifestOf({ config, layers: [layer] });
  await using upstream = await serve((request, response) => {
    const headers = { 'content-type': mediaTypes.manifest, 'docker-content-digest': manifest.digest, 'content-length': manifest.bytes.length };
    if (request.url!.includes('/manifests/')) return void response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : manifest.bytes);
    if (request.url!.includes('/blobs/')) return void response.writeHead(200, { 'content-length': layer.bytes.length }).end(Buffer.alloc(layer.bytes.length, 1));
    response.end('{}');
  });
  await using through = await startThrough(t, { upstreams: [{ registry: upstream.host }] });
  assert.equal((await pull(through.url, 'app/manifests/v1')).digest, manifest.digest);
  // It breaks off, or, when all of the lie came before the answer began, there is an error in its place.
  const answered = await pull(through.url, `app/blobs/${layer.digest}`).catch(() => undefined);
  assert.ok(answered === undefined || answered.status >= 500, `answered ${answered?.status} with ${answered?.bytes.length} bytes`);
  assert.deepEqual(readdirSync(join(through.root, '.siru/blobs/sha256')), []);
  assert.deepEqual(readdirSync(join(through.root, '.siru/uploads')), []);
  assert.equal(createHash('sha256').update(layer.bytes).digest('hex'), layer.digest.slice(7));
});

test('a manifest of the upstream that is none does not make the upstream one that is away', async (t) => {
  const good = manifestOf({ config: contentOf('{}') });
  const bad = contentOf('{"schemaVersion":2,"config":7,"layers":[]}');
  await using upstream = await serve((request, response) => {
    const { bytes, digest } = request.url!.includes('/bad/') ? bad : good;
    if (!request.url!.includes('/manifests/')) return void response.end('{}');
    response.writeHead(200, { 'content-type': mediaTypes.manifest, 'docker-content-digest': digest, 'content-length': bytes.length }).end(request.method === 'HEAD' ? undefined : bytes);
  });
  await using through = await startThrough(t, { upstreams: [{ registry: upstream.host }] });
  assert.notEqual((await pull(through.url, 'bad/manifests/v1')).status, 200);
  assert.equal((await pull(through.url, 'good/manifests/v1')).digest, good.digest);
});
