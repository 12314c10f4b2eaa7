/** Distribution specification, "Error Codes"; and what every answer has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../refusal.ts';
import { codeOf, pushImage, putManifest, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';

test('the base tells the version of the API, and each answer has an id of its own', async () => {
  await using registry = await startTestServer();
  const one = await fetch(`${registry.url}/v2/`);
  const two = await fetch(`${registry.url}/v2/`);
  assert.equal(one.status, 200);
  assert.equal(one.headers.get('docker-distribution-api-version'), 'registry/2.0');
  assert.notEqual(one.headers.get('x-request-id'), two.headers.get('x-request-id'));
  assert.deepEqual(registry.events.filter(({ type }) => type === 'request').map(({ id }) => id), [one, two].map(({ headers }) => headers.get('x-request-id')));
});

test('paths, methods and names that are none are refused with their code', async () => {
  await using registry = await startTestServer();
  const digest = `sha256:${'a'.repeat(64)}`;
  const refused: [method: string, path: string, status: number, code: string][] = [
    ['GET', '/v2/app', 404, 'UNSUPPORTED'], ['GET', '/v3/', 404, 'UNSUPPORTED'], ['GET', '/', 404, 'UNSUPPORTED'],
    ['GET', '/v2/Upper/manifests/x', 400, 'NAME_INVALID'], ['GET', '/v2/a//b/manifests/x', 400, 'NAME_INVALID'],
    ['GET', '/v2/a/%2e%2e/manifests/x', 400, 'NAME_INVALID'], ['GET', '/v2/%ff/manifests/x', 400, 'NAME_INVALID'],
    ['GET', `/v2/${'a'.repeat(256)}/manifests/x`, 400, 'NAME_INVALID'], ['GET', '/v2/manifests/x', 400, 'NAME_INVALID'],
    ['GET', `/v2/app/manifests/${'t'.repeat(129)}`, 400, 'TAG_INVALID'], ['GET', '/v2/app/manifests/sha256:x', 400, 'DIGEST_INVALID'],
    ['GET', '/v2/app/blobs/x', 400, 'DIGEST_INVALID'], ['GET', '/v2/app/referrers/x', 400, 'DIGEST_INVALID'],
    ['GET', '/v2/app/blobs/uploads/unknown', 404, 'BLOB_UPLOAD_UNKNOWN'], ['PATCH', '/v2/app/blobs/uploads/unknown', 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['PUT', `/v2/app/blobs/uploads/unknown?digest=${digest}`, 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['POST', '/v2/', 405, 'UNSUPPORTED'], ['POST', '/v2/app/manifests/x', 405, 'UNSUPPORTED'], ['PUT', `/v2/app/blobs/${digest}`, 405, 'UNSUPPORTED'],
    ['GET', '/v2/app/blobs/uploads/', 405, 'UNSUPPORTED'], ['DELETE', '/v2/app/tags/list', 405, 'UNSUPPORTED'], ['POST', '/v2/_catalog', 405, 'UNSUPPORTED'],
  ];
  for (const [method, path, status, code] of refused) {
    const response = await fetch(`${registry.url}${path}`, { method });
    assert.equal(response.status, status, `${method} ${path}`);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(await codeOf(response), code, `${method} ${path}`);
    if (status === 405) assert.ok(response.headers.get('allow'));
  }
});

test('names of repositories that look like parts of the API work', async () => {
  await using registry = await startTestServer();
  for (const name of ['manifests', 'blobs', 'tags/list', 'a/manifests/b', 'a/blobs', 'a/blobs/uploads', 'a/index.json', 'a/oci-layout', 'referrers']) {
    const { manifest } = await pushImage(registry.url, name, 'list');
    assert.equal((await fetch(`${registry.url}/v2/${name}/manifests/list`)).headers.get('docker-content-digest'), manifest.digest, name);
    assert.deepEqual(await (await fetch(`${registry.url}/v2/${name}/tags/list`)).json(), { name, tags: ['list'] });
  }
  await registry.storage.core.layouts.flush();
});

test('what the access hook refuses comes with its status, code and headers, before anything is looked up', async () => {
  await using registry = await startTestServer({
    access: {
      identify: ({ headers }) => (headers.authorization === undefined ? undefined : { name: 'ann', groups: [] }),
      allow({ user, action, repository }) {
        if (user === undefined) throw new Refusal('UNAUTHORIZED', 'log in', { headers: { 'www-authenticate': 'Basic realm="test"' } });
        if (action === 'push' && repository === 'slow') throw new Refusal('TOOMANYREQUESTS', 'slowly', { headers: { 'retry-after': '7' } });
        if (action !== 'pull') throw new Refusal('DENIED', 'ann may only pull');
      },
    },
  });
  const anonymous = await fetch(`${registry.url}/v2/app/manifests/x`);
  assert.equal(anonymous.status, 401);
  assert.equal(anonymous.headers.get('www-authenticate'), 'Basic realm="test"');
  assert.equal(await codeOf(anonymous), 'UNAUTHORIZED');
  const ask = (method: string, path: string, body?: Buffer): Promise<Response> => fetch(`${registry.url}/v2/${path}`, { method, headers: { authorization: 'x' }, ...(body && { body }) });
  const slow = await ask('POST', 'slow/blobs/uploads/');
  assert.equal(slow.status, 429);
  assert.equal(slow.headers.get('retry-after'), '7');
  for (const [method, path] of [['PUT', 'app/manifests/x'], ['DELETE', 'app/manifests/x'], ['POST', 'app/blobs/uploads/'], ['GET', '_catalog']] as const) {
    const response = await ask(method, path, method === 'PUT' ? Buffer.from('{}') : undefined);
    assert.equal(response.status, 403, path);
    assert.equal(await codeOf(response), 'DENIED');
  }
  assert.equal((await ask('GET', 'app/manifests/x')).status, 404);
});

test('a tag that may not move stays, and nothing of the push is kept', async () => {
  await using registry = await startTestServer({
    access: {
      identify: () => undefined,
      allow: () => {},
      changeTag({ tag }) {
        if (tag === 'v1') throw new Refusal('DENIED', 'v1 does not move');
      },
    },
  });
  const { config, manifest } = await pushImage(registry.url, 'app', 'v1');
  const { manifestOf } = await import('../testing/content.ts');
  const other = manifestOf({ config, more: { annotations: { other: 'yes' } } });
  assert.equal((await putManifest(registry.url, 'app', 'v1', other)).status, 403);
  assert.equal((await putManifest(registry.url, 'app', 'v1', manifest)).status, 201, 'the same again is no move');
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/${other.digest}`)).status, 404);
  for (const path of ['v1', manifest.digest]) assert.equal((await fetch(`${registry.url}/v2/app/manifests/${path}`, { method: 'DELETE' })).status, 403, path);
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/v1`)).headers.get('docker-content-digest'), manifest.digest);
});

test('a fault of the server is told without its reason, and logged with it', async () => {
  await using registry = await startTestServer({
    access: {
      identify: () => undefined,
      allow() {
        throw new Error('the secret reason');
      },
    },
  });
  const response = await fetch(`${registry.url}/v2/app/blobs/${randomContent().digest}`);
  assert.equal(response.status, 500);
  const text = await response.text();
  assert.ok(!text.includes('secret'));
  const event = registry.events.find(({ type }) => type === 'request');
  assert.ok(event?.type === 'request' && event.error instanceof Error && event.error.message === 'the secret reason');
});
