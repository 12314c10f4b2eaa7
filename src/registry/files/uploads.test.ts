/** Uploads that break off: by a client that dies, a server that is told to end, killed, or joined by another one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { linkSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { request } from 'node:http';
import type { ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { codeOf, pushBlob, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import type { TestServer } from '../testing/start-server.ts';
import { openUpload, send, withDigest } from '../testing/uploads.ts';
import { blobPath } from './paths.ts';

const folder = (t: TestContext): string => {
  const root = mkdtempSync(join(tmpdir(), 'siru-server-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
};

/** A PATCH that sends these bytes and then nothing more. */
async function hanging(location: URL, bytes: Buffer, length: number): Promise<ClientRequest> {
  const client = request(location, { method: 'PATCH', headers: { 'content-length': length } });
  client.on('error', () => {});
  client.write(bytes);
  await once(client, 'socket');
  return client;
}

/** Waits until the server has so many bytes. */
async function arrived(registry: TestServer, size: number): Promise<void> {
  for (let id: string | undefined; ; ) {
    [id] = readdirSync(join(registry.root, '.siru/uploads'));
    if (id !== undefined && (await registry.storage.uploads.state('app', id))?.size === size) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a client that died goes on where it was', async (t) => {
  await using registry = await startTestServer({ root: folder(t) });
  const content = randomContent(500_000);
  const location = await openUpload(registry, 'app');
  const client = await hanging(location, content.bytes.subarray(0, 300_000), content.bytes.length);
  await arrived(registry, 300_000);
  client.destroy();
  const state = await send(location, 'GET');
  assert.equal(state.headers.get('range'), '0-299999');
  assert.equal((await send(location, 'PATCH', content.bytes.subarray(300_000), { 'content-range': '300000-499999' })).status, 202);
  assert.equal((await send(withDigest(location, content.digest), 'PUT')).status, 201);
  const broken = registry.events.find((event) => event.type === 'request' && event.broken);
  assert.ok(broken?.type === 'request' && broken.error === undefined, 'that is no fault of the server');
});

test('a client whose old connection still hangs takes its upload over', async (t) => {
  await using registry = await startTestServer({ root: folder(t) });
  const content = randomContent(200_000);
  const location = await openUpload(registry, 'app');
  const hung = await hanging(location, content.bytes.subarray(0, 100_000), content.bytes.length);
  await arrived(registry, 100_000);
  assert.equal((await send(location, 'PATCH', content.bytes.subarray(100_000), { 'content-range': '100000-199999' })).status, 202);
  assert.equal((await send(withDigest(location, content.digest), 'PUT')).status, 201);
  assert.ok(hung.destroyed || hung.socket?.destroyed);
});

test('cancelling ends the request that is sending', async (t) => {
  await using registry = await startTestServer({ root: folder(t) });
  const location = await openUpload(registry, 'app');
  const client = await hanging(location, Buffer.alloc(1000), 2000);
  const closed = new Promise((resolve) => client.once('close', resolve));
  await arrived(registry, 1000);
  assert.equal((await send(location, 'DELETE')).status, 204);
  await closed;
  assert.deepEqual(readdirSync(join(registry.root, '.siru/uploads')), []);
});

test('an upload goes on at the next server of the same root, which has no running hash', async (t) => {
  const root = folder(t);
  const content = randomContent(3_000_000);
  let location: URL;
  {
    await using registry = await startTestServer({ root });
    location = await openUpload(registry, 'app');
    const client = await hanging(location, content.bytes.subarray(0, 2_000_000), content.bytes.length);
    await arrived(registry, 2_000_000);
    t.after(() => client.destroy());
  }
  await using registry = await startTestServer({ root });
  const there = new URL(location.pathname, registry.url);
  assert.equal((await send(there, 'GET')).headers.get('range'), '0-1999999');
  assert.equal((await send(withDigest(there, content.digest), 'PUT', content.bytes.subarray(2_000_000))).status, 201);
  const blob = await fetch(`${registry.url}/v2/app/blobs/${content.digest}`);
  assert.deepEqual(Buffer.from(await blob.arrayBuffer()), content.bytes);
});

test('two servers on one root take turns at one upload, and each has what the other took', async (t) => {
  const root = folder(t);
  await using one = await startTestServer({ root });
  await using two = await startTestServer({ root });
  const content = randomContent(400_000);
  const location = await openUpload(one, 'app');
  const elsewhere = new URL(location.pathname, two.url);
  for (let at = 0; at < 400_000; at += 100_000) {
    const response = await send((at / 100_000) % 2 === 0 ? location : elsewhere, 'PATCH', content.bytes.subarray(at, at + 100_000), { 'content-range': `${at}-${at + 99_999}` });
    assert.equal(response.status, 202);
  }
  assert.equal((await send(withDigest(location, content.digest), 'PUT')).status, 201);
  assert.equal((await fetch(`${two.url}/v2/app/blobs/${content.digest}`, { method: 'HEAD' })).status, 200);
  assert.equal((await send(elsewhere, 'GET')).status, 404);
});

test('a server is told when another one is receiving the upload', async (t) => {
  const root = folder(t);
  await using one = await startTestServer({ root });
  await using two = await startTestServer({ root });
  const location = await openUpload(one, 'app');
  const client = await hanging(location, Buffer.alloc(1000), 2000);
  await arrived(one, 1000);
  const response = await send(new URL(location.pathname, two.url), 'PATCH', Buffer.alloc(10));
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '1');
  assert.equal(await codeOf(response), 'UNAVAILABLE');
  client.destroy();
});

test('the same blob from many clients at once is taken once', async (t) => {
  const root = folder(t);
  await using one = await startTestServer({ root });
  await using two = await startTestServer({ root });
  const content = randomContent(100_000);
  const statuses = await Promise.all(Array.from({ length: 20 }, async (_item, n) => {
    const { url } = n % 2 === 0 ? one : two;
    return (await fetch(`${url}/v2/r${n}/blobs/uploads/?digest=${content.digest}`, { method: 'POST', body: content.bytes })).status;
  }));
  assert.deepEqual(new Set(statuses), new Set([201]));
  assert.deepEqual(readdirSync(join(root, '.siru/blobs/sha256')), [content.digest.slice(7)]);
  assert.deepEqual(readdirSync(join(root, '.siru/uploads')), []);
});

test('ten thousand uploads that nobody goes on with are rows, not files', async (t) => {
  await using registry = await startTestServer({ root: folder(t) });
  for (let n = 0; n < 10_000; n++) await registry.storage.uploads.start('app', 'sha256');
  assert.deepEqual(readdirSync(join(registry.root, '.siru/uploads')), []);
  assert.equal((await send(await openUpload(registry, 'app'), 'GET')).headers.get('range'), '0-0');
});

test('a body that ends before its length, or is refused, leaves the server answering', async (t) => {
  await using registry = await startTestServer({ root: folder(t) });
  const big = Buffer.alloc(5 * 1024 * 1024, 'x');
  const chunked = (async function* () {
    for (let at = 0; at < big.length; at += 65_536) yield big.subarray(at, at + 65_536);
  })();
  const response = await fetch(`${registry.url}/v2/app/manifests/x`, { method: 'PUT', body: chunked, duplex: 'half', headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' } } as RequestInit);
  assert.equal(response.status, 413);
  assert.equal(await codeOf(response), 'SIZE_INVALID');
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
});

test('an upload that a kill left between its file and its row adds nothing to the blob that another client finished', async (t) => {
  await using registry = await startTestServer({ root: folder(t) });
  const content = randomContent(100_000);
  const location = await openUpload(registry, 'app');
  assert.equal((await send(location, 'PATCH', content.bytes)).status, 202);
  const [id] = readdirSync(join(registry.root, '.siru/uploads'));
  // What a kill, or a full disk, leaves in keep-blob.ts: the file has the name of the blob, the row does not say so.
  const path = blobPath(registry.root, content.digest);
  linkSync(join(registry.root, '.siru/uploads', id!), path);
  await pushBlob(registry.url, 'other', content);
  assert.equal((await send(location, 'PATCH', Buffer.from('more'))).status, 404);
  assert.deepEqual(readFileSync(path), content.bytes);
  assert.equal((await send(location, 'GET')).status, 404);
});

test('a push takes the place of a file that has not the size of its blob', async (t) => {
  await using registry = await startTestServer({ root: folder(t) });
  const content = randomContent(100_000);
  await pushBlob(registry.url, 'app', content);
  await registry.storage.core.layouts.flush();
  const path = blobPath(registry.root, content.digest);
  truncateSync(path, 10);
  await pushBlob(registry.url, 'other', content);
  await registry.storage.core.layouts.flush();
  assert.deepEqual(readFileSync(path), content.bytes);
  for (const name of ['app', 'other']) assert.deepEqual(readFileSync(join(registry.root, name, 'blobs/sha256', content.digest.slice(7))), content.bytes, name);
  assert.deepEqual(readdirSync(join(registry.root, '.siru/tmp')), []);
});
