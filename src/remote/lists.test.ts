/** Lists of a registry (tags, repositories, referrers) and deleting, against docker-registry, and a server that lists referrers itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import { isSiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { sha256, type Digest } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Reference } from '../oci/reference.ts';
import { createRemote } from './client.ts';
import type { Remote, RemoteOptions } from './client.ts';
import { referrersTag } from './referrers.ts';
import { serve } from './testing/serve.ts';
import { registryMissing, startRegistry } from './testing/start-registry.ts';
import { opensslMissing, startTokenServer } from './testing/start-token-server.ts';

const skip = registryMissing();
const context = contextOf();
const client = (options: RemoteOptions = {}): Remote =>
  createRemote({ environment: { HOME: '/nonexistent' }, credentials: async () => undefined, retry: { delay: 5 }, settle: 5, ...options });

async function gather<T>(values: AsyncIterable<T>, most = Infinity): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) if (all.push(value) >= most) break;
  return all;
}

/** Puts a manifest without layers; its digest changes with `note`. */
async function put(remote: Remote, reference: Reference, note: string, more: object = {}): Promise<Descriptor & { digest: Digest }> {
  const config = Buffer.from('{}');
  await remote.uploadBlob(reference, { open: async function* () { yield config; }, digest: () => sha256(config), size: config.length }, context);
  const document = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: { mediaType: mediaTypes.empty, digest: sha256(config), size: config.length }, layers: [], annotations: { note }, ...more };
  const bytes = Buffer.from(JSON.stringify(document));
  return { mediaType: mediaTypes.manifest, digest: await remote.putManifest(reference, bytes, mediaTypes.manifest, context), size: bytes.length };
}

test('tags are listed sorted, and a page is asked for when it is wanted', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  const repository = { domain: registry.host, path: 'group/app' };
  for (const tag of ['c', 'a', 'b']) await put(remote, { ...repository, tag }, 'x');
  assert.deepEqual(await gather(remote.listTags(repository, context)), ['a', 'b', 'c']);

  // docker-registry 2.8 gives all tags at once, so another server has to give pages.
  await using paging = await serve((request, response) => {
    const { searchParams } = new URL(request.url!, 'http://x');
    const last = Number(searchParams.get('last') ?? 0);
    const size = Number(searchParams.get('n'));
    response.setHeader('link', `</v2/app/tags/list?n=${size}&last=${last + size}>; rel="next"`);
    response.end(JSON.stringify({ name: 'app', tags: Array.from({ length: size }, (_, at) => `t${last + at}`) }));
  });
  assert.deepEqual(await gather(remote.listTags({ domain: paging.host, path: 'app' }, context, { page: 2 }), 3), ['t0', 't1', 't2']);
  assert.equal(paging.seen.filter(({ url }) => url.includes('tags')).length, 2);
});

test('repositories are listed where the registry lists them', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  for (const path of ['group/app', 'group/tool', 'other']) await put(remote, { domain: registry.host, path, tag: '1' }, 'x');
  assert.deepEqual(await gather(remote.listRepositories(registry.host, context, { page: 1 })), ['group/app', 'group/tool', 'other']);

  await using without = await serve((request, response) => void response.writeHead(request.url === '/v2/' ? 200 : 404).end('{}'));
  await assert.rejects(gather(remote.listRepositories(without.host, context)), (error) => isSiruError(error) && error.code === 'UNSUPPORTED' && /no list of its repositories/.test(error.message));
});

test('a registry that answers anything with JSON is not taken for one that searches', async () => {
  await using other = await serve((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(request.url!.startsWith('/v2/_catalog') ? '{"repositories":["a/x","b"]}' : '{"repositories":[]}');
  });
  await using remote = client();
  assert.deepEqual(await gather(remote.searchRepositories(other.host, 'x', context)), ['a/x']);
});

test('a manifest is deleted by its digest, and with it its tags', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  const reference = { domain: registry.host, path: 'app', tag: '1' };
  const { digest } = await put(remote, reference, 'x');
  // docker-registry 2.8 deletes no tag.
  await assert.rejects(remote.deleteManifest(reference, context), (error) => isSiruError(error) && error.code === 'UNSUPPORTED' && /does not delete manifest 1/.test(error.message));
  await remote.deleteManifest({ ...reference, digest }, context);
  assert.equal(await remote.headManifest(reference, context), undefined);
  await assert.rejects(remote.deleteManifest({ ...reference, digest }, context), (error) => isSiruError(error) && error.code === 'NOT_FOUND');
});

test('without a list of its own, a registry gets an index of referrers that keeps the entries and members of others', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  const repository = { domain: registry.host, path: 'app' };
  const subject = await put(remote, { ...repository, tag: '1' }, 'image');
  assert.deepEqual(await remote.listReferrers(repository, subject.digest, context), { descriptors: [], api: false });

  const foreign = await put(remote, { ...repository, digest: subject.digest }, 'of another client', { subject });
  const entry = { ...foreign, artifactType: 'x/foreign', 'io.example.extra': [1] };
  await remote.putManifest({ ...repository, tag: referrersTag(subject.digest) }, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry], 'io.example.more': true })), mediaTypes.index, context);

  const mine = { ...(await put(remote, { ...repository, digest: subject.digest }, 'mine', { subject })), artifactType: 'x/mine', annotations: { a: 'b' } };
  await remote.addReferrer(repository, subject.digest, mine, context);
  await remote.addReferrer(repository, subject.digest, mine, context);
  assert.deepEqual((await remote.listReferrers(repository, subject.digest, context)).descriptors, [entry, mine]);
  assert.deepEqual((await remote.listReferrers(repository, subject.digest, context, 'x/mine')).descriptors, [mine]);
  const { bytes } = await remote.getManifest({ ...repository, tag: referrersTag(subject.digest) }, context);
  assert.equal((JSON.parse(bytes.toString()) as Record<string, unknown>)['io.example.more'], true);

  await remote.removeReferrer(repository, subject.digest, mine.digest, context);
  assert.deepEqual((await remote.listReferrers(repository, subject.digest, context)).descriptors, [entry]);
});

test('referrers that several clients add at once to one index are all there afterwards', { skip }, async () => {
  await using registry = await startRegistry();
  await using first = client();
  await using second = client({ settle: 200 });
  const repository = { domain: registry.host, path: 'app' };
  const subject = await put(first, { ...repository, tag: '1' }, 'image');
  const referrers: Descriptor[] = [];
  for (let number = 0; number < 6; number++) referrers.push(await put(first, { ...repository, digest: subject.digest }, `${number}`, { subject }));
  await Promise.all(referrers.map((referrer, number) => (number === 0 ? second : first).addReferrer(repository, subject.digest, referrer, context)));
  const added = referrers.map(({ digest }) => digest);
  const { descriptors } = await first.listReferrers(repository, subject.digest, context);
  assert.deepEqual(descriptors.map(({ digest }) => digest).toSorted(), added.toSorted());
});

test('a write that another client overwrites is made again', async () => {
  const subject = sha256('subject');
  const entry = (text: string): Descriptor => ({ mediaType: mediaTypes.manifest, digest: sha256(text), size: 1 });
  const indexOf = (...manifests: Descriptor[]): Buffer => Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  let stored: Buffer | undefined;
  let writes = 0;
  await using server = await serve((request, response) => {
    if (!request.url!.includes('/manifests/')) return void response.writeHead(request.url === '/v2/' ? 200 : 404).end();
    if (request.method === 'PUT') {
      // Another client, which had read before, writes right after the first write.
      stored = ++writes === 1 ? indexOf(entry('other')) : request.body;
      return void response.writeHead(201).end();
    }
    if (!stored) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': mediaTypes.index, 'docker-content-digest': sha256(stored), 'content-length': stored.length }).end(request.method === 'HEAD' ? undefined : stored);
  });
  await using remote = client();
  await remote.addReferrer({ domain: server.host, path: 'app' }, subject, entry('mine'), context);
  assert.deepEqual((await remote.listReferrers({ domain: server.host, path: 'app' }, subject, context)).descriptors, [entry('other'), entry('mine')]);
  assert.equal(writes, 2);
});

test('a registry that lists referrers itself is asked for them, and what an older client wrote under the tag is added', async () => {
  const subject = sha256('subject');
  const entry = (text: string, artifactType: string): Descriptor => ({ mediaType: mediaTypes.manifest, digest: sha256(text), size: 1, artifactType });
  const index = (manifests: Descriptor[]): string => JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  await using server = await serve((request, response) => {
    const url = new URL(request.url!, 'http://x');
    if (url.pathname === '/v2/') return void response.end();
    response.setHeader('content-type', mediaTypes.index);
    if (url.pathname === `/v2/app/manifests/${referrersTag(subject)}`) return void response.end(index([entry('b', 'x/b'), entry('old', 'x/a')]));
    if (url.pathname !== `/v2/app/referrers/${subject}`) return void response.writeHead(404).end();
    if (url.searchParams.has('last')) return void response.end(index([entry('b', 'x/b')]));
    response.setHeader('link', `</v2/app/referrers/${subject}?last=1>; rel="next"`);
    response.end(index([entry('a', 'x/a')]));
  });
  await using remote = client();
  const repository = { domain: server.host, path: 'app' };
  const { descriptors, api } = await remote.listReferrers(repository, subject, context);
  assert.equal(api, true);
  assert.deepEqual(descriptors.map(({ digest }) => digest).toSorted(), ['a', 'b', 'old'].map((text) => sha256(text)).toSorted());
  // This server does not filter, so the client does.
  assert.deepEqual((await remote.listReferrers(repository, subject, context, 'x/a')).descriptors.map(({ artifactType }) => artifactType), ['x/a', 'x/a']);
  await remote.addReferrer(repository, subject, entry('c', 'x/c'), context);
  assert.ok(!server.seen.some(({ method }) => method === 'PUT'));
});

test('an address that answers with a web page is no list of referrers', async () => {
  await using server = await serve((request, response) => void response.writeHead(request.url!.includes('/manifests/') ? 404 : 200, { 'content-type': 'text/html' }).end('<html>'));
  await using remote = client();
  assert.deepEqual(await remote.listReferrers({ domain: server.host, path: 'app' }, sha256('x'), context), { descriptors: [], api: false });
});

test('lists, referrers and deleting have the rights that they ask for', { skip: skip || opensslMissing() }, async () => {
  await using tokens = await startTokenServer();
  await using registry = await startRegistry({ token: tokens.options });
  await using remote = client({ credentials: async () => ({ kind: 'password', username: 'tester', password: 'secret' }) });
  const repository = { domain: registry.host, path: 'app' };
  const subject = await put(remote, { ...repository, tag: '1' }, 'image');
  const referrer = await put(remote, { ...repository, digest: subject.digest }, 'referrer', { subject });
  await remote.addReferrer(repository, subject.digest, referrer, context);
  assert.deepEqual(await gather(remote.listTags(repository, context)), ['1', referrersTag(subject.digest)]);
  assert.deepEqual(await gather(remote.listRepositories(registry.host, context)), ['app']);
  await remote.deleteManifest({ ...repository, digest: referrer.digest }, context);
  await remote.removeReferrer(repository, subject.digest, referrer.digest, context);
  assert.deepEqual((await remote.listReferrers(repository, subject.digest, context)).descriptors, []);

  await using stranger = client();
  assert.deepEqual(await gather(stranger.listTags(repository, context)), ['1', referrersTag(subject.digest)]);
  await assert.rejects(stranger.deleteManifest({ ...repository, digest: subject.digest }, context), (error) => isSiruError(error) && error.code === 'AUTH' && /siru login/.test(error.hint ?? ''));
  await assert.rejects(gather(stranger.listRepositories(registry.host, context)), (error) => isSiruError(error) && error.code === 'AUTH');
});
