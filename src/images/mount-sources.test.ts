/** What a registry has already is neither sent nor asked for more often than need be. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import type { Event } from '../base/events.ts';
import { parseReferenceWithTag } from '../oci/reference.ts';
import { createRemote } from '../remote/client.ts';
import type { Remote, RemoteOptions } from '../remote/client.ts';
import { registryMissing, startRegistry } from '../remote/testing/start-registry.ts';
import { opensslMissing, startTokenServer } from '../remote/testing/start-token-server.ts';
import { watchRequests } from '../remote/testing/watch-requests.ts';
import type { WatchedRegistry } from '../remote/testing/watch-requests.ts';
import type { StoredImage } from '../store/store.ts';
import { pullImage } from './pull.ts';
import { pushImage } from './push.ts';
import { makeImage, makeIndex } from './testing/make-image.ts';
import type { TreeSpec } from './testing/make-image.ts';
import { temporaryStore } from './testing/temporary-store.ts';
import type { TemporaryStore } from './testing/temporary-store.ts';

const skip = registryMissing();
const client = (options: RemoteOptions = {}): Remote => createRemote({ environment: { HOME: '/nonexistent' }, credentials: async () => undefined, retry: { delay: 5 }, ...options });
const layers: TreeSpec[] = [{ 'app/data': randomBytes(2 << 20) }, { 'app/more': randomBytes(100) }];

/** Pushes with a client of its own, and gives the requests that this took. */
async function push({ store }: TemporaryStore, image: StoredImage, registry: WatchedRegistry, name: string, events: Event[] = [], options: RemoteOptions = {}): Promise<string[]> {
  registry.requests.length = 0;
  await using remote = client(options);
  await pushImage({ store, remote, image, reference: parseReferenceWithTag(`${registry.host}/${name}`) }, contextOf({ onEvent: (event) => events.push(event) }));
  return [...registry.requests];
}

test('a push of nothing new takes one request, and another tag three', { skip }, async () => {
  await using real = await startRegistry();
  await using registry = await watchRequests(real.host);
  await using here = await temporaryStore();
  const platforms = [{ os: 'linux', architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }];
  const single = makeImage(here.store, { layers });
  const index = makeIndex(here.store, platforms.map((platform) => ({ platform, image: makeImage(here.store, { layers: [{ arch: platform.architecture }], platform }) })));
  for (const [image, path] of [[single, 'single'], [index, 'index']] as const) {
    const stored = (): StoredImage => here.store.images.list().find(({ descriptor }) => descriptor.digest === image.descriptor.digest)!;
    await push(here, stored(), registry, `${path}:1`);
    assert.deepEqual(await push(here, stored(), registry, `${path}:1`), [`HEAD /v2/${path}/manifests/1`]);
    assert.equal((await push(here, stored(), registry, `${path}:2`)).length, 3);
  }
});

test('a push of nothing new takes three round trips where a token has to be fetched', { skip: skip || opensslMissing() }, async () => {
  await using tokens = await startTokenServer();
  await using real = await startRegistry({ token: tokens.options });
  await using registry = await watchRequests(real.host);
  await using here = await temporaryStore();
  const credentials = async (): Promise<{ kind: 'password'; username: string; password: string }> => ({ kind: 'password', username: 'tester', password: 'secret' });
  makeImage(here.store, { layers });
  await push(here, here.store.images.list()[0]!, registry, 'app:1', [], { credentials });
  tokens.seen.length = 0;
  const requests = await push(here, here.store.images.list()[0]!, registry, 'app:1', [], { credentials });
  assert.equal(requests.length + tokens.seen.length, 3, requests.join('\n'));
});

test('a blob that a repository was seen to have, by push or by pull, is mounted from there', { skip }, async () => {
  await using real = await startRegistry();
  await using registry = await watchRequests(real.host);
  await using here = await temporaryStore();
  await using there = await temporaryStore();
  makeImage(here.store, { layers });
  await push(here, here.store.images.list()[0]!, registry, 'first:1');
  {
    await using remote = client();
    await pullImage({ store: there.store, remote, reference: parseReferenceWithTag(`${registry.host}/first:1`) }, contextOf());
  }
  for (const [place, path] of [[here, 'second'], [there, 'third']] as const) {
    const requests = await push(place, place.store.images.list()[0]!, registry, `${path}:1`);
    const posts = requests.filter((line) => line.startsWith('POST'));
    assert.equal(posts.length, 3);
    for (const line of posts) assert.match(line, /\/blobs\/uploads\/\?mount=sha256%3A[0-9a-f]{64}&from=[a-z]+$/);
    assert.equal(requests.filter((line) => /^(?:PATCH|HEAD .*blobs)/.test(line)).length, 0, requests.join('\n'));
  }
});

test('a layer that was just seen there is not asked for, and sent after all when the registry has lost it', { skip }, async () => {
  await using real = await startRegistry();
  await using registry = await watchRequests(real.host);
  await using here = await temporaryStore();
  await push(here, makeImage(here.store, { layers }), registry, 'app:1');
  const more = makeImage(here.store, { layers: [...layers, { 'app/new': 'new' }] });
  const requests = await push(here, more, registry, 'app:2');
  assert.equal(requests.filter((line) => /HEAD .*blobs|POST/.test(line)).length, 3, `the new layer is sent at once, the configuration is asked for: ${requests.join('\n')}`);

  // The registry's folder is emptied behind its back, as a collection there would.
  rmSync(join(real.root, 'docker/registry/v2/repositories/app'), { recursive: true });
  rmSync(join(real.root, 'docker/registry/v2/blobs'), { recursive: true });
  const events: Event[] = [];
  const newest = makeImage(here.store, { layers: [...layers, { 'app/new': 'newer' }] });
  await push(here, newest, registry, 'app:3', events);
  assert.ok(events.some((event) => event.type === 'status' && /lacks blobs that it had; asking for each/.test(event.text)));
  await using to = await temporaryStore();
  await using remote = client();
  assert.equal((await pullImage({ store: to.store, remote, reference: parseReferenceWithTag(`${registry.host}/app:3`) }, contextOf())).imageId, newest.imageId);
});

test('what was seen counts for a time only, and is bounded', async () => {
  await using here = await temporaryStore();
  const { registries } = here.store;
  const digest = (number: number): `sha256:${string}` => `sha256:${number.toString(16).padStart(64, '0')}`;
  registries.sawBlobs('r.example', 'a', [digest(1), digest(2), digest(1)]);
  registries.sawBlobs('r.example', 'b', [digest(1)]);
  assert.deepEqual(registries.repositoriesOf('r.example', digest(1)).map(({ repository }) => repository).sort(), ['a', 'b']);
  assert.deepEqual(registries.repositoriesOf('other.example', digest(1)), []);
  registries.forgetBlobs('r.example', 'a');
  assert.deepEqual(registries.repositoriesOf('r.example', digest(1)).map(({ repository }) => repository), ['b']);
  assert.deepEqual(registries.repositoriesOf('r.example', digest(2)), []);
  registries.sawBlobs('r.example', 'c', Array.from({ length: 100_010 }, (_, number) => digest(number)));
  const left = [digest(5), digest(100_009)].map((each) => registries.repositoriesOf('r.example', each).length);
  assert.ok(left.every((count) => count <= 1));

  const place = { registry: 'r.example', repository: 'a', digest: digest(1) };
  for (let number = 0; number < 1010; number++) registries.keepUpload({ ...place, digest: digest(number) }, { location: `/${number}`, bytes: number });
  assert.deepEqual({ ...registries.upload({ ...place, digest: digest(1009) }) }, { location: '/1009', bytes: 1009 });
  assert.equal(Array.from({ length: 1010 }, (_, number) => registries.upload({ ...place, digest: digest(number) })).filter(Boolean).length, 1000);
  assert.equal(registries.upload({ ...place, digest: digest(1009), form: 'gzip:4' }), undefined);
  registries.dropUpload({ ...place, digest: digest(1009) });
  assert.equal(registries.upload({ ...place, digest: digest(1009) }), undefined);
});
