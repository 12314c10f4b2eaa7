/** Distribution specification, "Content Management": deletes are seen at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, pushImage } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';

test('a tag is deleted and its manifest stays; a manifest is deleted with its tags; a blob is deleted', async () => {
  await using registry = await startTestServer();
  const { manifest, layers: [layer] } = await pushImage(registry.url, 'app', 'one');
  await pushImage(registry.url, 'app', 'two', { layers: [layer!] });
  const status = async (method: string, path: string): Promise<number> => (await fetch(`${registry.url}/v2/app/${path}`, { method })).status;
  assert.equal(await status('DELETE', 'manifests/one'), 202);
  assert.equal(await status('HEAD', 'manifests/one'), 404);
  assert.equal(await status('HEAD', `manifests/${manifest.digest}`), 200);
  assert.equal(await status('DELETE', `manifests/${manifest.digest}`), 202);
  assert.equal(await status('HEAD', `manifests/${manifest.digest}`), 404);
  assert.equal(await status('HEAD', 'manifests/two'), 404, 'the other tag led to the same manifest');
  assert.equal(await status('DELETE', `blobs/${layer!.digest}`), 202);
  assert.equal(await status('HEAD', `blobs/${layer!.digest}`), 404);
  for (const path of ['manifests/one', `manifests/${manifest.digest}`, `blobs/${layer!.digest}`]) assert.equal(await status('DELETE', path), 404, path);
});

test('a blob is deleted from one repository only', async () => {
  await using registry = await startTestServer();
  const { layers: [layer] } = await pushImage(registry.url, 'one', 'x');
  await pushImage(registry.url, 'two', 'x', { layers: [layer!] });
  await fetch(`${registry.url}/v2/one/blobs/${layer!.digest}`, { method: 'DELETE' });
  assert.equal((await fetch(`${registry.url}/v2/two/blobs/${layer!.digest}`)).status, 200);
});

test('where deleting is switched off it is refused with 405', async () => {
  await using registry = await startTestServer({ settings: { deletes: false } });
  const { manifest, layers: [layer] } = await pushImage(registry.url, 'app', 'one');
  for (const path of ['manifests/one', `manifests/${manifest.digest}`, `blobs/${layer!.digest}`]) {
    const response = await fetch(`${registry.url}/v2/app/${path}`, { method: 'DELETE' });
    assert.equal(response.status, 405);
    assert.equal(await codeOf(response), 'UNSUPPORTED');
  }
});
