/** Distribution specification, "Listing Tags", and docker's catalog. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypes } from '../../oci/media-types.ts';
import { codeOf, contentOf, indexOf, putManifest } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import type { TestServer } from '../testing/start-server.ts';

const tagNames = ['Beta', '1.10', '1.9', '_x', 'alpha', 'Zeta', 'a-b', 'a.b', '2'];

async function pushTags(registry: TestServer, repository: string, tags: string[]): Promise<void> {
  for (const tag of tags) {
    const response = await putManifest(registry.url, repository, tag, indexOf([], { annotations: { tag } }), mediaTypes.index);
    assert.equal(response.status, 201, await response.text());
  }
}

const next = (response: Response): string | undefined => /^<([^>]*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];

test('tags are listed in the order of ASCII, whole or in pages with a link to the next', async () => {
  await using registry = await startTestServer();
  await pushTags(registry, 'a/app', tagNames);
  const sorted = tagNames.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const whole = await fetch(`${registry.url}/v2/a/app/tags/list`);
  assert.deepEqual(await whole.json(), { name: 'a/app', tags: sorted });
  assert.equal(next(whole), undefined);

  const seen: string[] = [];
  for (let path: string | undefined = '/v2/a/app/tags/list?n=4'; path !== undefined; ) {
    const response: Response = await fetch(new URL(path, registry.url));
    const { tags } = (await response.json()) as { tags: string[] };
    assert.ok(tags.length <= 4);
    seen.push(...tags);
    path = next(response);
  }
  assert.deepEqual(seen, sorted);
});

test('n and last choose the page: also a last that is no tag, and n=0', async () => {
  await using registry = await startTestServer();
  await pushTags(registry, 'app', ['a', 'b', 'd']);
  const list = async (query: string): Promise<unknown> => ((await (await fetch(`${registry.url}/v2/app/tags/list?${query}`)).json()) as { tags: string[] }).tags;
  assert.deepEqual(await list('last=a'), ['b', 'd']);
  assert.deepEqual(await list('last=c'), ['d']);
  assert.deepEqual(await list('last=d'), []);
  assert.deepEqual(await list('n=1&last=a'), ['b']);
  assert.deepEqual(await list('n=0'), []);
  assert.deepEqual(await list('n=100'), ['a', 'b', 'd']);
  const wrong = await fetch(`${registry.url}/v2/app/tags/list?n=-1`);
  assert.equal(wrong.status, 400);
  assert.equal(await codeOf(wrong), 'PAGINATION_NUMBER_INVALID');
});

test('a repository without tags has an empty list, and one that is not there none', async () => {
  await using registry = await startTestServer();
  const manifest = indexOf([]);
  await putManifest(registry.url, 'app', manifest.digest, manifest, mediaTypes.index);
  assert.deepEqual(await (await fetch(`${registry.url}/v2/app/tags/list`)).json(), { name: 'app', tags: [] });
  assert.equal((await fetch(`${registry.url}/v2/other/tags/list`)).status, 404);
});

test('the catalog lists repositories in pages, only those that the user sees', async () => {
  const secret = new Set(['m/secret']);
  await using registry = await startTestServer({ access: { identify: () => undefined, allow: () => {}, sees: (_user, name) => !secret.has(name) } });
  for (const name of ['z', 'a', 'm/secret', 'm/app', 'm/app/sub']) await pushTags(registry, name, ['latest']);
  const content = contentOf('only a blob');
  await fetch(`${registry.url}/v2/blobs-only/blobs/uploads/?digest=${content.digest}`, { method: 'POST', body: content.bytes });
  assert.deepEqual(await (await fetch(`${registry.url}/v2/_catalog`)).json(), { repositories: ['a', 'm/app', 'm/app/sub', 'z'] });
  const seen: string[] = [];
  for (let path: string | undefined = '/v2/_catalog?n=1'; path !== undefined; ) {
    const response: Response = await fetch(new URL(path, registry.url));
    seen.push(...((await response.json()) as { repositories: string[] }).repositories);
    path = next(response);
  }
  assert.deepEqual(seen, ['a', 'm/app', 'm/app/sub', 'z']);
});
