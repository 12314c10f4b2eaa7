/** Distribution specification, "Listing Referrers", and the headers of a push with a subject. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { contentOf, indexOf, manifestOf, pushBlob, pushImage, putManifest, randomContent } from '../testing/content.ts';
import type { Content } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import type { TestServer } from '../testing/start-server.ts';

const repository = 'conformance/repo1';
const empty = contentOf('{}');

async function referrers(registry: TestServer, subject: Digest, query = ''): Promise<{ items: Descriptor[]; headers: Headers }> {
  const response = await fetch(`${registry.url}/v2/${repository}/referrers/${subject}${query}`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), mediaTypes.index);
  const index = (await response.json()) as { schemaVersion: number; mediaType: string; manifests: Descriptor[] };
  assert.equal(index.schemaVersion, 2);
  assert.equal(index.mediaType, mediaTypes.index);
  return { items: index.manifests, headers: response.headers };
}

async function attach(registry: TestServer, subject: Content, more: object, asIndex = false): Promise<Content> {
  const full = { subject: { mediaType: mediaTypes.manifest, digest: subject.digest, size: subject.bytes.length }, ...more };
  const content = asIndex ? indexOf([], full) : manifestOf({ config: empty, more: full });
  const response = await putManifest(registry.url, repository, content.digest, content, asIndex ? mediaTypes.index : mediaTypes.manifest);
  assert.equal(response.status, 201, await response.text());
  assert.equal(response.headers.get('oci-subject'), subject.digest);
  return content;
}

test('an unknown subject has no referrers, in a repository that is not there either', async () => {
  await using registry = await startTestServer();
  const { items } = await referrers(registry, randomContent().digest);
  assert.deepEqual(items, []);
});

test('referrers are listed with type, size and annotations, and filtered by artifact type', async () => {
  await using registry = await startTestServer();
  const { manifest } = await pushImage(registry.url, repository, 'image');
  await pushBlob(registry.url, repository, empty);
  const annotations = { 'org.example': 'hello' };
  const sbom = await attach(registry, manifest, { artifactType: 'application/vnd.example.sbom', annotations });
  const byConfig = await attach(registry, manifest, { annotations: { n: '2' } });
  const index = await attach(registry, manifest, { artifactType: 'application/vnd.example.list' }, true);
  const bare = await attach(registry, manifest, {}, true);
  const { items, headers } = await referrers(registry, manifest.digest);
  assert.equal(headers.get('oci-filters-applied'), null);
  const expected: Descriptor[] = [
    { mediaType: mediaTypes.manifest, digest: sbom.digest, size: sbom.bytes.length, artifactType: 'application/vnd.example.sbom', annotations },
    { mediaType: mediaTypes.manifest, digest: byConfig.digest, size: byConfig.bytes.length, artifactType: mediaTypes.config, annotations: { n: '2' } },
    { mediaType: mediaTypes.index, digest: index.digest, size: index.bytes.length, artifactType: 'application/vnd.example.list' },
    { mediaType: mediaTypes.index, digest: bare.digest, size: bare.bytes.length },
  ];
  assert.deepEqual(items, expected.toSorted((a, b) => (a.digest < b.digest ? -1 : 1)));
  const filtered = await referrers(registry, manifest.digest, `?artifactType=${encodeURIComponent('application/vnd.example.sbom')}`);
  assert.equal(filtered.headers.get('oci-filters-applied'), 'artifactType');
  assert.deepEqual(filtered.items, [expected[0]]);
});

test('a subject may be missing when the referrer is pushed, and a deleted referrer is no longer listed', async () => {
  await using registry = await startTestServer();
  await pushBlob(registry.url, repository, empty);
  const subject = randomContent();
  const referrer = await attach(registry, subject, { artifactType: 'application/vnd.example' });
  assert.deepEqual((await referrers(registry, subject.digest)).items.map(({ digest }) => digest), [referrer.digest]);
  assert.equal((await fetch(`${registry.url}/v2/${repository}/manifests/${referrer.digest}`, { method: 'DELETE' })).status, 202);
  assert.deepEqual((await referrers(registry, subject.digest)).items, []);
});

test('many referrers come in pages', async () => {
  await using registry = await startTestServer();
  await pushBlob(registry.url, repository, empty);
  const subject = randomContent();
  const digests: string[] = [];
  for (let n = 0; n < 5; n++) digests.push((await attach(registry, subject, { artifactType: 'application/vnd.example', annotations: { n: String(n) } })).digest);
  const seen: string[] = [];
  for (let query: string | undefined = '?n=2&artifactType=application/vnd.example'; query !== undefined; ) {
    const { items, headers } = await referrers(registry, subject.digest, query);
    assert.ok(items.length <= 2);
    seen.push(...items.map(({ digest }) => digest));
    query = /<[^>]*(\?[^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
  }
  assert.deepEqual(seen, digests.toSorted());
});

test('a list whose annotations are large is cut into pages that clients can read', async () => {
  await using registry = await startTestServer();
  const { manifest } = await pushImage(registry.url, repository, 'image');
  await pushBlob(registry.url, repository, empty);
  const made = new Set<string>();
  for (let n = 0; n < 40; n++) made.add((await attach(registry, manifest, { annotations: { n: String(n), long: 'x'.repeat(60_000) } })).digest);
  const seen: string[] = [];
  for (let query = ''; ; ) {
    const { items, headers } = await referrers(registry, manifest.digest, query);
    assert.ok(JSON.stringify(items).length < 2 * 1024 * 1024);
    seen.push(...items.map(({ digest }) => digest));
    const next = /<[^?]*(\?[^>]*)>/.exec(headers.get('link') ?? '')?.[1];
    if (next === undefined) break;
    query = next;
  }
  assert.deepEqual(seen, [...made].toSorted());
});
