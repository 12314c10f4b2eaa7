/** Distribution specification, "Pull": manifests and blobs by GET and HEAD. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypes } from '../../oci/media-types.ts';
import { codeOf, pushImage } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';

test('a manifest is got by tag and by digest, with its media type and digest', async () => {
  await using registry = await startTestServer();
  const { manifest } = await pushImage(registry.url, 'team/app', 'v1');
  for (const reference of ['v1', manifest.digest]) {
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(`${registry.url}/v2/team/app/manifests/${reference}`, { method });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('docker-content-digest'), manifest.digest);
      assert.equal(response.headers.get('content-type'), mediaTypes.manifest);
      assert.equal(response.headers.get('content-length'), String(manifest.bytes.length));
      assert.equal(await response.text(), method === 'GET' ? manifest.bytes.toString() : '');
    }
  }
});

test('a blob is got whole, with its digest', async () => {
  await using registry = await startTestServer();
  const { layers: [layer] } = await pushImage(registry.url, 'app', 'v1');
  for (const method of ['GET', 'HEAD']) {
    const response = await fetch(`${registry.url}/v2/app/blobs/${layer!.digest}`, { method });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('docker-content-digest'), layer!.digest);
    assert.equal(response.headers.get('content-length'), String(layer!.bytes.length));
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), method === 'GET' ? layer!.bytes : Buffer.alloc(0));
  }
});

test('a part of a blob is got by Range', async () => {
  await using registry = await startTestServer();
  const { layers: [layer] } = await pushImage(registry.url, 'app', 'v1');
  const get = (range: string): Promise<Response> => fetch(`${registry.url}/v2/app/blobs/${layer!.digest}`, { headers: { range } });
  for (const [range, start, end] of [['bytes=0-9', 0, 9], ['bytes=10-', 10, 999], ['bytes=-5', 995, 999], ['bytes=990-5000', 990, 999]] as const) {
    const response = await get(range);
    assert.equal(response.status, 206, range);
    assert.equal(response.headers.get('content-range'), `bytes ${start}-${end}/1000`);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), layer!.bytes.subarray(start, end + 1));
  }
  const beyond = await get('bytes=1000-');
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get('content-range'), 'bytes */1000');
  const several = await get('bytes=0-1,5-6');
  assert.equal(several.status, 200, 'several ranges may be answered with all');
});

test('what is not there is 404 with its code', async () => {
  await using registry = await startTestServer();
  await pushImage(registry.url, 'app', 'v1');
  const unknown = `sha256:${'a'.repeat(64)}`;
  for (const [path, code] of [
    ['app/manifests/v2', 'MANIFEST_UNKNOWN'], [`app/manifests/${unknown}`, 'MANIFEST_UNKNOWN'], ['other/manifests/v1', 'MANIFEST_UNKNOWN'],
    [`app/blobs/${unknown}`, 'BLOB_UNKNOWN'], ['other/tags/list', 'NAME_UNKNOWN'],
  ] as const) {
    const response = await fetch(`${registry.url}/v2/${path}`);
    assert.equal(response.status, 404, path);
    assert.equal(await codeOf(response), code, path);
  }
});
