/** Distribution specification, "Push": blobs whole, streamed, in chunks, cancelled, with a wrong digest; for each algorithm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { algorithms } from '../storage.ts';
import { codeOf, contentOf, randomContent } from '../testing/content.ts';
import type { Content } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import type { TestServer } from '../testing/start-server.ts';
import { openUpload, send, withDigest } from '../testing/uploads.ts';

const repository = 'conformance/repo1';

/** What every way of a push must have led to. */
async function checkPushed(registry: TestServer, response: Response, { digest, bytes }: Content): Promise<void> {
  assert.equal(response.status, 201, await response.text());
  assert.equal(response.headers.get('docker-content-digest'), digest);
  const blob = await fetch(new URL(response.headers.get('location')!, registry.url));
  assert.equal(blob.status, 200);
  assert.equal(blob.headers.get('docker-content-digest'), digest);
  assert.equal(blob.headers.get('content-length'), String(bytes.length));
  assert.deepEqual(Buffer.from(await blob.arrayBuffer()), bytes);
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

/** Ways to push; each gives the last answer. */
const ways: Record<string, (registry: TestServer, content: Content) => Promise<Response>> = {
  'in one POST': (registry, { digest, bytes }) => fetch(`${registry.url}/v2/${repository}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes }),
  'in POST and PUT': async (registry, { digest, bytes }) => send(withDigest(await openUpload(registry, repository), digest), 'PUT', bytes),
  'in POST, streamed PATCH and PUT': async (registry, { digest, bytes }) => {
    const patched = await fetch(await openUpload(registry, repository), { method: 'PATCH', body: inPieces(bytes), duplex: 'half' } as RequestInit);
    assert.equal(patched.status, 202);
    assert.equal(patched.headers.get('range'), `0-${Math.max(0, bytes.length - 1)}`);
    return send(withDigest(new URL(patched.headers.get('location')!, registry.url), digest), 'PUT');
  },
  'in chunks': (registry, content) => pushInChunks(registry, content, false),
  'in chunks, the last one with the PUT': (registry, content) => pushInChunks(registry, content, true),
};

async function pushInChunks(registry: TestServer, { digest, bytes }: Content, lastWithPut: boolean): Promise<Response> {
  const size = Math.floor(bytes.length / 3) + 1;
  let location = await openUpload(registry, repository);
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = bytes.subarray(at, at + size);
    const last = at + size >= bytes.length;
    const put = last && lastWithPut;
    const response = await send(put ? withDigest(location, digest) : location, put ? 'PUT' : 'PATCH', chunk, { 'content-range': `${at}-${at + chunk.length - 1}` });
    if (put) return response;
    assert.equal(response.status, 202);
    assert.equal(response.headers.get('range'), `0-${at + chunk.length - 1}`);
    location = new URL(response.headers.get('location')!, registry.url);
  }
  return send(withDigest(location, digest), 'PUT');
}

for (const algorithm of algorithms) {
  for (const [name, push] of Object.entries(ways)) {
    test(`a ${algorithm} blob is pushed ${name}`, async () => {
      await using registry = await startTestServer();
      const content = randomContent(3067, algorithm);
      await checkPushed(registry, await push(registry, content), content);
    });

    test(`a ${algorithm} blob with other bytes than its digest is refused when pushed ${name}`, async () => {
      await using registry = await startTestServer();
      const { digest, bytes } = randomContent(3067, algorithm);
      const response = await push(registry, { digest, bytes: Buffer.concat([bytes, Buffer.from('oh no')]) });
      assert.equal(response.status, 400);
      assert.equal(await codeOf(response), 'DIGEST_INVALID');
      assert.equal((await fetch(`${registry.url}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })).status, 404);
    });
  }

  for (const [name, text] of [['empty', ''], ['empty JSON', '{}']] as const) {
    test(`the ${name} ${algorithm} blob is pushed and pulled in every way`, async () => {
      await using registry = await startTestServer();
      const content = contentOf(text, algorithm);
      for (const way of ['in one POST', 'in POST and PUT', 'in POST, streamed PATCH and PUT']) await checkPushed(registry, await ways[way]!(registry, content), content);
    });
  }
}

test('an upload under the announced digest-algorithm is hashed on the way, and under another one in the end', async () => {
  await using registry = await startTestServer();
  for (const announced of ['sha512', 'sha256']) {
    for (const algorithm of algorithms) {
      const content = randomContent(2000, algorithm);
      const location = await openUpload(registry, repository, `?digest-algorithm=${announced}`);
      assert.equal((await send(location, 'PATCH', content.bytes)).status, 202);
      await checkPushed(registry, await send(withDigest(location, content.digest), 'PUT'), content);
    }
  }
  const unknown = await fetch(`${registry.url}/v2/${repository}/blobs/uploads/?digest-algorithm=md5`, { method: 'POST' });
  assert.equal(unknown.status, 400);
});

test('a chunk that does not follow is refused with what is here, and the upload goes on', async () => {
  await using registry = await startTestServer();
  const content = randomContent(3000);
  const location = await openUpload(registry, repository);
  const early = await send(location, 'PATCH', content.bytes.subarray(1000, 2000), { 'content-range': '1000-1999' });
  assert.equal(early.status, 416);
  assert.equal((await send(location, 'PATCH', content.bytes.subarray(0, 1000), { 'content-range': '0-999' })).status, 202);
  for (const range of ['0-999', '2000-2999']) assert.equal((await send(location, 'PATCH', content.bytes.subarray(0, 1000), { 'content-range': range })).status, 416);
  assert.equal((await send(withDigest(location, content.digest), 'PUT', content.bytes.subarray(2000), { 'content-range': '2000-2999' })).status, 416);
  const state = await send(location, 'GET');
  assert.equal(state.status, 204);
  assert.equal(state.headers.get('range'), '0-999');
  assert.ok(state.headers.get('location'));
  await checkPushed(registry, await send(withDigest(location, content.digest), 'PUT', content.bytes.subarray(1000), { 'content-range': '1000-2999' }), content);
});

test('a cancelled upload is gone', async () => {
  await using registry = await startTestServer();
  const location = await openUpload(registry, repository);
  await send(location, 'PATCH', Buffer.from('something'));
  assert.equal((await send(location, 'DELETE')).status, 204);
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    const response = await send(location, method);
    assert.equal(response.status, 404);
    assert.equal(await codeOf(response), 'BLOB_UPLOAD_UNKNOWN');
  }
});

test('an upload belongs to its repository', async () => {
  await using registry = await startTestServer();
  const location = await openUpload(registry, repository);
  const elsewhere = new URL(location.href.replace(repository, 'other/repo'));
  assert.equal((await send(elsewhere, 'PATCH', Buffer.from('x'))).status, 404);
  assert.equal((await send(elsewhere, 'DELETE')).status, 404);
  assert.equal((await send(location, 'GET')).status, 204);
});

test('what lies about itself is refused: a range that is none, a length that is another, a digest that is none', async () => {
  await using registry = await startTestServer();
  const location = await openUpload(registry, repository);
  assert.equal((await send(location, 'PATCH', Buffer.from('abc'), { 'content-range': '2-0' })).status, 416);
  assert.equal((await send(location, 'PATCH', Buffer.from('abc'), { 'content-range': '0-5' })).status, 400);
  assert.equal((await send(location, 'GET')).headers.get('range'), '0-0');
  for (const digest of ['sha256:abc', 'md5:d41d8cd98f00b204e9800998ecf8427e', '']) {
    const response = await send(withDigest(location, digest), 'PUT');
    assert.equal(response.status, 400, digest);
    assert.equal(await codeOf(response), 'DIGEST_INVALID');
  }
  assert.equal((await send(location, 'PUT')).status, 400, 'no digest');
});
