/** Our own search for clients: `/_siru/v1/search`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from '../../base/context.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { createRemote } from '../../remote/client.ts';
import { searchRoute } from '../routes/search.ts';
import { indexOf, putManifest } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';

test('repositories are found by a part of their names, in pages, those that the user sees', async () => {
  await using registry = await startTestServer({ groups: [searchRoute], access: { identify: () => undefined, allow: () => {}, sees: (_user, name) => name !== 'team/hidden' } });
  for (const name of ['team/api', 'team/app', 'team/hidden', 'other/app', 'x']) await putManifest(registry.url, name, 'v', indexOf([]), mediaTypes.index);
  const search = async (query: string): Promise<{ names: string[]; next: string | undefined }> => {
    const response = await fetch(`${registry.url}/_siru/v1/search?${query}`);
    assert.equal(response.status, 200);
    const { repositories } = (await response.json()) as { repositories: string[] };
    return { names: repositories, next: /^<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1] };
  };
  assert.deepEqual((await search('q=APP')).names, ['other/app', 'team/app']);
  assert.deepEqual((await search('q=team/')).names, ['team/api', 'team/app']);
  assert.deepEqual((await search('')).names, ['other/app', 'team/api', 'team/app', 'x']);
  const first = await search('q=a&n=2');
  assert.deepEqual(first.names, ['other/app', 'team/api']);
  assert.deepEqual((await search(first.next!.split('?')[1]!)).names, ['team/app']);
  assert.equal((await fetch(`${registry.url}/_siru/v1/search?n=x`)).status, 400);
});

test('the client lets the server look, and reads the list of a server that does not', async () => {
  for (const groups of [[searchRoute], []]) {
    await using registry = await startTestServer({ groups });
    for (const name of ['team/api', 'team/app', 'x']) await putManifest(registry.url, name, 'v', indexOf([]), mediaTypes.index);
    await using remote = createRemote({ environment: { HOME: '/nonexistent' }, credentials: async () => undefined });
    const found: string[] = [];
    for await (const name of remote.searchRepositories(registry.host, 'team', contextOf(), { page: 1 })) found.push(name);
    assert.deepEqual(found, ['team/api', 'team/app']);
    const routes = new Set(registry.events.flatMap((event) => (event.type === 'request' && event.status === 200 ? [event.route] : [])));
    assert.equal(routes.has('search'), groups.length > 0);
    assert.equal(routes.has('catalog'), groups.length === 0);
  }
});
