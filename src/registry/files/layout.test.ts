/** The OCI layout of a repository on disk, as other tools read it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { validateDocument } from '../../oci/validate.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { indexOf, pushBlob, pushImage, putManifest, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import { openFileStorage } from './open.ts';
import { blobPath, layoutBlobPath } from './paths.ts';

const missing = spawnSync('skopeo', ['--version']).error ? 'skopeo is not installed' : false;

type IndexJson = { manifests: { digest: string; annotations?: Record<string, string> }[] };
const indexJson = (root: string, repository: string): IndexJson => JSON.parse(readFileSync(join(root, repository, 'index.json'), 'utf8')) as IndexJson;

test('a repository is a layout with its tags, its manifests and hard links of its blobs', async () => {
  await using registry = await startTestServer();
  const { manifest, config, layers: [layer] } = await pushImage(registry.url, 'team/app', 'v1');
  await fetch(`${registry.url}/v2/team/app/manifests/${manifest.digest}?tag=v2`, { method: 'PUT', body: manifest.bytes, headers: { 'content-type': mediaTypes.manifest } });
  const untagged = indexOf([manifest]);
  await putManifest(registry.url, 'team/app', untagged.digest, untagged, mediaTypes.index);
  await registry.storage.core.layouts.flush();
  const { manifests } = indexJson(registry.root, 'team/app');
  assert.deepEqual(manifests.map(({ digest, annotations }) => [annotations?.['org.opencontainers.image.ref.name'], digest]), [['v1', manifest.digest], ['v2', manifest.digest], [undefined, untagged.digest]]);
  validateDocument('layout', readFileSync(join(registry.root, 'team/app/oci-layout')));
  validateDocument('index', readFileSync(join(registry.root, 'team/app/index.json')));
  for (const { digest, bytes } of [manifest, untagged, config, layer!]) assert.deepEqual(readFileSync(layoutBlobPath(registry.root, 'team/app', digest)), bytes);
  assert.equal(statSync(layoutBlobPath(registry.root, 'team/app', layer!.digest)).ino, statSync(blobPath(registry.root, layer!.digest)).ino);
});

test('what is deleted is gone from the layout', async () => {
  await using registry = await startTestServer();
  const { manifest, layers: [layer] } = await pushImage(registry.url, 'app', 'v1');
  await registry.storage.core.layouts.flush();
  await fetch(`${registry.url}/v2/app/manifests/${manifest.digest}`, { method: 'DELETE' });
  await fetch(`${registry.url}/v2/app/blobs/${layer!.digest}`, { method: 'DELETE' });
  for (const { digest } of [manifest, layer!]) assert.ok(!existsSync(layoutBlobPath(registry.root, 'app', digest)));
  await registry.storage.core.layouts.flush();
  assert.deepEqual(indexJson(registry.root, 'app').manifests, []);
});

test('a layout that was not written before a kill is written at the next start', async () => {
  await using registry = await startTestServer();
  await pushImage(registry.url, 'app', 'v1');
  // As if the server had been killed: nothing was flushed, and another one opens the root.
  const next = await openFileStorage({ root: registry.root });
  await next.core.layouts.flush();
  assert.equal(indexJson(registry.root, 'app').manifests.length, 1);
  await next[Symbol.asyncDispose]();
});

test('two servers that change one repository leave one whole layout', async () => {
  await using one = await startTestServer();
  await using two = await startTestServer({ root: one.root });
  for (let round = 0; round < 5; round++) {
    await Promise.all([one, two].map((server, n) => pushImage(server.url, 'app', `t${round}-${n}`, { more: { annotations: { round: String(round), n: String(n) } } })));
    await Promise.all([one, two].map((server) => server.storage.core.layouts.flush()));
    assert.equal(indexJson(one.root, 'app').manifests.length, 2 * (round + 1));
  }
});

test('repositories whose names are those of files of a layout lie beside it', async () => {
  await using registry = await startTestServer();
  for (const name of ['app', 'app/blobs', 'app/index.json', 'app/oci-layout', 'app/blobs/sha256']) await pushImage(registry.url, name, 'v1');
  await registry.storage.core.layouts.flush();
  for (const path of ['app', 'app/_blobs', 'app/_index.json', 'app/_oci-layout', 'app/_blobs/sha256']) assert.equal(indexJson(registry.root, path).manifests.length, 1, path);
});

test('skopeo reads the layout', { skip: missing }, async () => {
  await using registry = await startTestServer();
  const layer = randomContent();
  await pushBlob(registry.url, 'app', layer);
  const { manifest } = await pushImage(registry.url, 'app', 'v1', { layers: [layer] });
  await registry.storage.core.layouts.flush();
  const found = spawnSync('skopeo', ['inspect', '--raw', `oci:${join(registry.root, 'app')}:v1`]);
  assert.equal(found.stdout.toString(), manifest.bytes.toString(), found.stderr.toString());
});
