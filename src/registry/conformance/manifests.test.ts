/** Distribution specification, "Pushing Manifests": every kind of document that the conformance program pushes, and lies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypes } from '../../oci/media-types.ts';
import { codeOf, contentOf, indexOf, manifestOf, pushBlob, pushImage, putManifest, randomContent } from '../testing/content.ts';
import type { Content } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import type { TestServer } from '../testing/start-server.ts';

const repository = 'conformance/repo1';
const emptyJson = contentOf('{}');

async function checkPut(registry: TestServer, reference: string, content: Content, mediaType: string = mediaTypes.manifest): Promise<Response> {
  const response = await putManifest(registry.url, repository, reference, content, mediaType);
  assert.equal(response.status, 201, await response.text());
  assert.equal(response.headers.get('docker-content-digest'), content.digest);
  const got = await fetch(new URL(response.headers.get('location')!, registry.url));
  assert.equal(got.status, 200);
  assert.equal(got.headers.get('content-type'), mediaType);
  assert.deepEqual(Buffer.from(await got.arrayBuffer()), content.bytes);
  return response;
}

test('an index, an index of indexes and an empty index are pushed', async () => {
  await using registry = await startTestServer();
  const { manifest } = await pushImage(registry.url, repository, 'image');
  const index = indexOf([manifest]);
  await checkPut(registry, 'index', index, mediaTypes.index);
  await checkPut(registry, 'nested', contentOf(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.index, manifests: [{ mediaType: mediaTypes.index, digest: index.digest, size: index.bytes.length }],
  })), mediaTypes.index);
  await checkPut(registry, 'empty', indexOf([]), mediaTypes.index);
});

test("Docker's manifest and list are pushed", async () => {
  await using registry = await startTestServer();
  const { config, layers } = await pushImage(registry.url, repository, 'image');
  const manifest = manifestOf({ config, layers, more: { mediaType: mediaTypes.dockerManifest } });
  await checkPut(registry, 'docker', manifest, mediaTypes.dockerManifest);
  await checkPut(registry, 'list', indexOf([manifest], { mediaType: mediaTypes.dockerIndex }), mediaTypes.dockerIndex);
});

test('artifacts, manifests without layers, unknown members, data in descriptors and large annotations are taken as they are', async () => {
  await using registry = await startTestServer();
  const config = randomContent();
  const layer = randomContent();
  for (const blob of [config, layer, emptyJson]) await pushBlob(registry.url, repository, blob);
  await checkPut(registry, 'artifact', manifestOf({ config: emptyJson, layers: [layer], more: { artifactType: 'application/vnd.example+json' } }));
  await checkPut(registry, 'no-layers', manifestOf({ config }));
  await checkPut(registry, 'custom', manifestOf({ config, layers: [layer], more: { 'org.example.unknown': { deep: [1, null] } } }));
  await checkPut(registry, 'large', manifestOf({ config, layers: [layer], more: { annotations: Object.fromEntries(Array.from({ length: 390 }, (_item, at) => [`a${at}`, 'A'.repeat(10_000)])) } }));
  const data = { mediaType: mediaTypes.empty, digest: emptyJson.digest, size: 2, data: emptyJson.bytes.toString('base64') };
  await checkPut(registry, 'data', contentOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: data, layers: [data] })));
});

test('layers that lie elsewhere need not be here', async () => {
  await using registry = await startTestServer();
  await pushBlob(registry.url, repository, emptyJson);
  const { digest } = randomContent();
  await checkPut(registry, 'nondistributable', manifestOf({ config: emptyJson, more: { layers: [
    { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', digest, size: 123_456, urls: ['https://store.example.com/x'] },
  ] } }));
});

test('a manifest is pushed by its sha512 digest, and several tags come with a digest', async () => {
  await using registry = await startTestServer();
  const config = randomContent(100, 'sha512');
  await pushBlob(registry.url, repository, config);
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const manifest = manifestOf({ config, more: { annotations: { algorithm } } }, algorithm);
    const response = await checkPut(registry, `${manifest.digest}?tag=${algorithm}&tag=${algorithm}-1`, manifest);
    const tags = response.headers.get('oci-tag')!.split(',').map((tag) => tag.trim());
    assert.deepEqual(tags, [algorithm, `${algorithm}-1`]);
    for (const tag of tags) {
      const got = await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, { method: 'HEAD' });
      assert.equal(got.headers.get('docker-content-digest'), manifest.digest);
    }
  }
});

test('a manifest with absent blobs is refused, and taken where the setting says so; an index may be sparse', async () => {
  const config = randomContent();
  const manifest = manifestOf({ config, layers: [randomContent()] });
  {
    await using registry = await startTestServer();
    await pushBlob(registry.url, repository, config);
    const response = await putManifest(registry.url, repository, 'sparse', manifest);
    assert.equal(response.status, 404);
    assert.equal(await codeOf(response), 'MANIFEST_BLOB_UNKNOWN');
    assert.equal((await fetch(`${registry.url}/v2/${repository}/manifests/sparse`)).status, 404);
    await checkPut(registry, 'sparse-index', indexOf([manifest]), mediaTypes.index);
  }
  await using registry = await startTestServer({ settings: { requireBlobs: false, requireManifests: true } });
  await checkPut(registry, 'sparse', manifest);
  assert.equal((await putManifest(registry.url, repository, 'index', indexOf([randomContent()]), mediaTypes.index)).status, 404);
});

test('a blob of another repository does not count', async () => {
  await using registry = await startTestServer();
  const config = randomContent();
  await pushBlob(registry.url, 'elsewhere', config);
  assert.equal((await putManifest(registry.url, repository, 'x', manifestOf({ config }))).status, 404);
});

test('what lies about itself is refused', async () => {
  await using registry = await startTestServer();
  const { manifest } = await pushImage(registry.url, repository, 'image');
  const changed = contentOf(`${manifest.bytes.toString()}  `);
  const refused: [reference: string, content: Content | string, mediaType: string, status: number, code: string][] = [
    [manifest.digest, changed, mediaTypes.manifest, 400, 'DIGEST_INVALID'],
    ['sha256:baddigeststring', manifest, mediaTypes.manifest, 400, 'DIGEST_INVALID'],
    ['t', manifest, mediaTypes.index, 400, 'MANIFEST_INVALID'],
    ['t', manifest, 'application/json', 400, 'MANIFEST_INVALID'],
    ['t', 'no JSON', mediaTypes.manifest, 400, 'MANIFEST_INVALID'],
    ['t', '[]', mediaTypes.manifest, 400, 'MANIFEST_INVALID'],
    ['t', '{"schemaVersion":1}', mediaTypes.manifest, 400, 'MANIFEST_INVALID'],
    ['t', JSON.stringify({ ...JSON.parse(manifest.bytes.toString()) as object, manifests: [] }), mediaTypes.manifest, 400, 'MANIFEST_INVALID'],
    ['t', `{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`, mediaTypes.manifest, 413, 'SIZE_INVALID'],
    ['-bad', manifest, mediaTypes.manifest, 400, 'TAG_INVALID'],
    [`${manifest.digest}?tag=-bad`, manifest, mediaTypes.manifest, 400, 'TAG_INVALID'],
  ];
  for (const [reference, content, mediaType, status, code] of refused) {
    const response = await putManifest(registry.url, repository, reference, typeof content === 'string' ? contentOf(content) : content, mediaType);
    assert.equal(response.status, status, `${reference} ${mediaType}`);
    assert.equal(await codeOf(response), code, `${reference} ${mediaType}`);
  }
  assert.equal((await fetch(`${registry.url}/v2/${repository}/manifests/t`)).status, 404);
});
