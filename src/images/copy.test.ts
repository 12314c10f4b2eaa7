/** Copies between registries, layouts, archives and the store, with skopeo as another reader and writer. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import type { Context } from '../base/context.ts';
import { isSiruError } from '../base/errors.ts';
import type { Event } from '../base/events.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { sha256 } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { parsePlatform } from '../oci/platform.ts';
import { parseReferenceWithTag } from '../oci/reference.ts';
import { createRemote } from '../remote/client.ts';
import type { Remote, RemoteOptions } from '../remote/client.ts';
import { serve } from '../remote/testing/serve.ts';
import { registryMissing, startRegistry } from '../remote/testing/start-registry.ts';
import { copyImage } from './copy.ts';
import type { CopyResult } from './copy.ts';
import { copyTags } from './copy-tags.ts';
import { loadImages } from './load.ts';
import { parsePlace } from './places/parse-place.ts';
import { pushImage } from './push.ts';
import { makeImage, makeIndex } from './testing/make-image.ts';
import { temporaryStore } from './testing/temporary-store.ts';
import type { TemporaryStore } from './testing/temporary-store.ts';

const skip = registryMissing();
const skipSkopeo = skip || (spawnSync('skopeo', ['--version']).error ? 'skopeo is not installed' : false);
const quiet = contextOf();
const client = (options: RemoteOptions = {}): Remote => createRemote({ environment: { HOME: '/nonexistent' }, credentials: async () => undefined, retry: { delay: 5 }, settle: 5, ...options });
const linux = (architecture: string): { os: string; architecture: string } => ({ os: 'linux', architecture });
const skopeo = (...words: string[]): string => execFileSync('skopeo', ['--insecure-policy', ...words], { encoding: 'utf8' });
const digestOf = (place: string): string => sha256(Buffer.from(skopeo('inspect', '--raw', ...(place.startsWith('docker:') ? ['--tls-verify=false'] : []), place)));

/** Two platforms that share a layer, pushed as `<host>/from/app:1`. Gives the digest of the index. */
async function pushSample(here: TemporaryStore, remote: Remote, host: string): Promise<Descriptor> {
  const shared = { 'usr/share/data': randomBytes(1 << 20) };
  const images = ['amd64', 'arm64'].map((architecture) => ({
    image: makeImage(here.store, { layers: [shared, { 'bin/tool': `for ${architecture}` }], platform: linux(architecture) }),
    platform: linux(architecture),
  }));
  const image = makeIndex(here.store, images, `${host}/from/app:1`);
  const { digest, size } = await pushImage({ store: here.store, remote, image, reference: parseReferenceWithTag(`${host}/from/app:1`) }, quiet);
  return { mediaType: mediaTypes.index, digest, size };
}

/** Puts a manifest that refers to the subject, with a file, and lists it under the tag. */
async function refer(remote: Remote, host: string, path: string, subject: Descriptor, text: string): Promise<Descriptor> {
  const repository = { domain: host, path };
  const blob = Buffer.from(text);
  for (const bytes of [blob, Buffer.from('{}')]) await remote.uploadBlob(repository, { open: async function* () { yield bytes; }, digest: () => sha256(bytes), size: bytes.length }, quiet);
  const { mediaType, digest: of, size } = subject;
  const bytes = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType: 'application/x-note',
    config: { mediaType: mediaTypes.empty, digest: sha256('{}'), size: 2 },
    layers: [{ mediaType: 'text/plain', digest: sha256(blob), size: blob.length }],
    subject: { mediaType, digest: of, size },
  }));
  const digest = await remote.putManifest({ ...repository, digest: sha256(bytes) }, bytes, mediaTypes.manifest, quiet);
  const entry = { mediaType: mediaTypes.manifest, digest, size: bytes.length, artifactType: 'application/x-note' };
  await remote.addReferrer(repository, of, entry, quiet);
  return entry;
}

function copier(here: TemporaryStore, remote: Remote): (source: string, target: string, more?: { platform?: string; referrers?: boolean; context?: Context }) => Promise<CopyResult> {
  return (source, target, { platform, referrers, context = quiet } = {}) => copyImage({
    source: parsePlace(source), target: parsePlace(target), remote, store: async () => here.store, referrers,
    platform: platform === undefined ? undefined : parsePlatform(platform),
  }, context);
}

test('an index goes through a registry, a layout, an archive and back with the digest that it had', { skip: skipSkopeo }, async () => {
  await using registry = await startRegistry();
  await using other = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const copy = copier(here, remote);
  const index = await pushSample(here, remote, registry.host);
  const folder = join(here.folder, 'layout');
  const file = join(here.folder, 'image.tar');
  await using empty = await temporaryStore();
  const bare = copier(empty, remote);
  const steps = [
    [`${registry.host}/from/app:1`, `${other.host}/to/app:2`],
    [`${other.host}/to/app:2`, `oci:${folder}:1`],
    [`oci:${folder}:1`, `oci-archive:${file}:x`],
    [`oci-archive:${file}:x`, `${other.host}/back:3`],
    [`${other.host}/back:3`, 'store:again:1'],
    ['store:again:1', `oci:${folder}:stored`],
  ] as const;
  for (const [from, to] of steps) {
    const result = await bare(from, to);
    assert.equal(result.digest, index.digest, `${from} to ${to}`);
    assert.equal(result.size, index.size);
  }
  assert.equal(digestOf(`docker://${other.host}/to/app:2`), index.digest);
  assert.equal(digestOf(`docker://${other.host}/back:3`), index.digest);
  assert.equal(digestOf(`oci:${folder}:1`), index.digest);
  assert.equal(digestOf(`oci-archive:${file}:x`), index.digest);
  assert.equal(empty.store.images.byName('docker.io/library/again:1')?.descriptor.digest, index.digest);
  // Another reader takes all of it.
  skopeo('copy', '--all', '--src-tls-verify=false', `docker://${other.host}/back:3`, `oci:${join(here.folder, 'taken')}:1`);
  skopeo('copy', '--all', `oci-archive:${file}:x`, `oci:${join(here.folder, 'taken')}:2`);
  await copy(`${registry.host}/from/app:1`, `oci:${folder}:again`);
  assert.deepEqual(readdirSync(join(folder, 'blobs/sha256')).filter((name) => name.includes('partial')), []);
});

test('an archive has the same bytes whenever it is written', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const copy = copier(here, remote);
  await pushSample(here, remote, registry.host);
  for (const name of ['a.tar', 'b.tar']) await copy(`${registry.host}/from/app:1`, `oci-archive:${join(here.folder, name)}:1`);
  assert.ok(readFileSync(join(here.folder, 'a.tar')).equals(readFileSync(join(here.folder, 'b.tar'))));
});

test('what the target has is not read from the source: a second copy takes no blob and no manifest', { skip }, async () => {
  await using registry = await startRegistry();
  await using other = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const index = await pushSample(here, remote, registry.host);
  const requests: string[] = [];
  await using watched = await serve(async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const answer = await fetch(`http://${registry.host}${request.url}`, { method: request.method, headers: request.headers as Record<string, string> });
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
  });
  const copy = copier(here, remote);
  const first = await copy(`${watched.host}/from/app:1`, `${other.host}/app:1`);
  // Two configurations, and three layers of which one is shared.
  assert.deepEqual(first.blobs, { copied: 5, existing: 0, mounted: 0 });
  requests.length = 0;
  const events: Event[] = [];
  const second = await copy(`${watched.host}/from/app:1`, `${other.host}/app:1`, { referrers: false, context: contextOf({ onEvent: (event) => events.push(event) }) });
  assert.equal(second.digest, index.digest);
  assert.deepEqual(requests.filter((text) => !text.endsWith('/v2/')), ['HEAD /v2/from/app/manifests/1']);
  assert.ok(events.some((event) => event.type === 'status' && event.text.endsWith('is up to date')));
  requests.length = 0;
  await copy(`${watched.host}/from/app:1`, `${other.host}/app:another`, { referrers: false });
  assert.deepEqual(requests.filter((text) => !text.endsWith('/v2/')), ['HEAD /v2/from/app/manifests/1']);
  assert.equal((await remote.headManifest(parseReferenceWithTag(`${other.host}/app:another`), quiet))?.digest, index.digest);
});

test('within a registry, blobs are mounted', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  await pushSample(here, remote, registry.host);
  const { blobs } = await copier(here, remote)(`${registry.host}/from/app:1`, `${registry.host}/elsewhere/app:1`);
  assert.deepEqual(blobs, { copied: 0, existing: 0, mounted: 5 });
});

test('one platform is chosen, and is then the image itself', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  await pushSample(here, remote, registry.host);
  const copy = copier(here, remote);
  const folder = join(here.folder, 'layout');
  const result = await copy(`${registry.host}/from/app:1`, `oci:${folder}`, { platform: 'linux/arm64' });
  assert.equal(result.mediaType, mediaTypes.manifest);
  assert.equal(result.blobs.copied, 3);
  const back = await copy(`oci:${folder}`, `${registry.host}/arm:1`);
  assert.equal(back.digest, result.digest);
  await assert.rejects(copy(`${registry.host}/from/app:1`, `oci:${folder}`, { platform: 'linux/s390x' }), (error) => isSiruError(error) && error.code === 'PLATFORM');
});

test('every tag of a repository is copied, again only what is new, and what stands for a list of referrers is not a tag', { skip }, async () => {
  await using registry = await startRegistry();
  await using other = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const index = await pushSample(here, remote, registry.host);
  await refer(remote, registry.host, 'from/app', index, 'note');
  const all = async (source: string, target: string): Promise<Record<string, number>> => {
    const copied: Record<string, number> = {};
    const options = { source: parsePlace(source), target: parsePlace(target), remote, store: async () => here.store };
    for await (const { tag, result } of copyTags(options, quiet)) copied[tag] = result.blobs.copied + result.referrers;
    return copied;
  };
  const [from, to] = [`${registry.host}/from/app`, `${other.host}/to/app`];
  await copier(here, remote)(`${from}:1`, `${from}:2`);
  assert.deepEqual(await all(from, to), { 1: 8, 2: 0 });
  assert.deepEqual(await all(from, to), { 1: 0, 2: 0 });
  assert.equal((await remote.listReferrers({ domain: other.host, path: 'to/app' }, index.digest, quiet)).descriptors.length, 1);
  const folder = `oci:${join(here.folder, 'layout')}`;
  assert.deepEqual(Object.keys(await all(from, folder)), ['1', '2']);
  assert.equal((await copier(here, remote)(`${folder}:2`, `${other.host}/back:2`)).digest, index.digest);
  for (const [source, target] of [[`${from}:1`, to], [from, `${to}:1`], ['store:x', to], [from, 'oci-archive:x']] as const) {
    await assert.rejects(all(source, target), (error) => isSiruError(error) && error.code === 'USAGE', `${source} ${target}`);
  }
});

test('what refers to an image, to a platform of it and to such an artifact goes with it, or stays', { skip }, async () => {
  await using registry = await startRegistry();
  await using other = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const copy = copier(here, remote);
  const index = await pushSample(here, remote, registry.host);
  const { bytes } = await remote.getManifest(parseReferenceWithTag(`${registry.host}/from/app:1`), quiet);
  const [child] = (JSON.parse(bytes.toString()) as { manifests: Descriptor[] }).manifests;
  const note = await refer(remote, registry.host, 'from/app', index, 'of the index');
  const ofChild = await refer(remote, registry.host, 'from/app', child!, 'of a platform');
  const ofNote = await refer(remote, registry.host, 'from/app', note, 'of the note');
  const listed = async (host: string, path: string, subject: Descriptor): Promise<string[]> => (await remote.listReferrers({ domain: host, path }, subject.digest, quiet)).descriptors.map(({ digest }) => digest);

  const folder = join(here.folder, 'layout');
  const file = join(here.folder, 'image.tar');
  const results = [
    await copy(`${registry.host}/from/app:1`, `oci:${folder}:1`),
    await copy(`oci:${folder}:1`, `oci-archive:${file}:1`),
    await copy(`oci-archive:${file}:1`, `${other.host}/app:1`),
  ];
  assert.deepEqual(results.map(({ referrers }) => referrers), [3, 3, 3]);
  assert.deepEqual(await listed(other.host, 'app', index), [note.digest]);
  assert.deepEqual(await listed(other.host, 'app', child!), [ofChild.digest]);
  assert.deepEqual(await listed(other.host, 'app', note), [ofNote.digest]);
  // A layout with artifacts in it still has one image.
  assert.equal((await copy(`oci:${folder}`, `${other.host}/app:2`)).digest, index.digest);
  assert.equal((await copy(`${registry.host}/from/app:1`, `${other.host}/bare:1`, { referrers: false })).referrers, 0);
  assert.deepEqual(await listed(other.host, 'bare', index), []);
  // An image that is there already gets what was attached to it since.
  const late = await refer(remote, registry.host, 'from/app', index, 'later');
  assert.equal((await copy(`${registry.host}/from/app:1`, `${other.host}/app:1`)).referrers, 1);
  assert.deepEqual(await listed(other.host, 'app', index), [note.digest, late.digest]);
});

test('what is listed as referring to an image but does not is left out with a warning', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const index = await pushSample(here, remote, registry.host);
  const other = await refer(remote, registry.host, 'from/app', { mediaType: mediaTypes.manifest, digest: sha256('else'), size: 4 }, 'x');
  await remote.addReferrer({ domain: registry.host, path: 'from/app' }, index.digest, other, quiet);
  const warnings: string[] = [];
  const context = contextOf({ onEvent: (event) => event.type === 'warning' && warnings.push(event.text) });
  const { referrers } = await copier(here, remote)(`${registry.host}/from/app:1`, `oci:${join(here.folder, 'l')}:1`, { context });
  assert.equal(referrers, 0);
  assert.match(warnings.join(), /listed as referring to .* but does not/);
});

test('an archive of docker goes to a registry compressed, and an image of a registry into one that docker reads', { skip: skipSkopeo }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const copy = copier(here, remote);
  await pushSample(here, remote, registry.host);
  const file = join(here.folder, 'docker.tar');
  await copy(`${registry.host}/from/app:1`, `docker-archive:${file}:app:7`, { platform: 'linux/arm64' });
  assert.match(skopeo('inspect', '--override-arch', 'arm64', `docker-archive:${file}`), /"Architecture": "arm64"/);
  await using fresh = await temporaryStore();
  const [loaded] = await loadImages({ store: fresh.store, source: file }, quiet);
  assert.deepEqual(loaded!.names, ['docker.io/library/app:7']);

  const plain = join(here.folder, 'plain.tar');
  skopeo('copy', '--override-arch', 'arm64', '--src-tls-verify=false', `docker://${registry.host}/from/app:1`, `docker-archive:${plain}:app:8`);
  await using another = await temporaryStore();
  const result = await copier(another, remote)(`docker-archive:${plain}:app:8`, `${registry.host}/archived:1`);
  assert.equal(digestOf(`docker://${registry.host}/archived:1`), result.digest);
  assert.match(skopeo('inspect', '--raw', '--tls-verify=false', `docker://${registry.host}/archived:1`), /tar\+gzip/);
  assert.deepEqual(another.store.images.list(), []);
});

test('an image of the store goes into a layout as it is, and of an index what is here', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const copy = copier(here, remote);
  const image = makeImage(here.store, { name: 'app:1', layers: [{ a: 'b' }] });
  const folder = join(here.folder, 'layout');
  assert.equal((await copy('store:app:1', `oci:${folder}:1`)).digest, image.descriptor.digest);
  const pushed = await copy('store:app:1', `${registry.host}/app:1`);
  assert.deepEqual(pushed.blobs, { copied: 2, existing: 0, mounted: 0 });

  const missing = { ...image, descriptor: { ...image.descriptor, digest: sha256('not here') } };
  makeIndex(here.store, [{ image, platform: linux('amd64') }, { image: missing, platform: linux('arm64') }], 'half:1');
  const warnings: string[] = [];
  const context = contextOf({ onEvent: (event) => event.type === 'warning' && warnings.push(event.text) });
  assert.equal((await copy('store:half:1', `oci:${folder}:half`, { context })).digest, image.descriptor.digest);
  assert.match(warnings.join(), /not all platforms/);
});

test('a copy that was killed is finished by the next one, which sends what is missing', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const bytes = randomBytes(8 << 20);
  const image = makeImage(here.store, { layers: [{ one: randomBytes(1000) }, { two: bytes }] });
  await pushImage({ store: here.store, remote, image, reference: parseReferenceWithTag(`${registry.host}/app:1`) }, quiet);
  let serving = 0;
  let served = 0;
  let cut = true;
  await using slow = await serve(async (request, response) => {
    const answer = await fetch(`http://${registry.host}${request.url}`, { method: request.method, headers: request.headers as Record<string, string> });
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (request.method === 'GET' && body.length > 4 << 20 && cut) {
      serving++;
      response.write(body.subarray(0, 6 << 20));
      return; // and no more
    }
    if (request.method === 'GET' && request.url!.includes('/blobs/')) served += body.length;
    response.end(body);
  });
  const folder = join(here.folder, 'layout');
  const script = join(import.meta.dirname, 'testing/copy-process.ts');
  const child = spawn(process.execPath, [script, join(here.folder, 'store-of-child'), `${slow.host}/app:1`, `oci:${folder}:1`], { stdio: 'inherit' });
  const blobs = join(folder, 'blobs/sha256');
  const partial = (): string | undefined => (existsSync(blobs) ? readdirSync(blobs).find((name) => name.endsWith('.partial')) : undefined);
  const size = (name: string | undefined): number => (name === undefined ? 0 : readFileSync(join(blobs, name)).length);
  while (serving === 0 || size(partial()) < 5 << 20) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(existsSync(join(folder, 'index.json')), false);
  cut = false;
  const result = await copier(here, remote)(`${slow.host}/app:1`, `oci:${folder}:1`);
  assert.ok(served < 4 << 20, `${served} bytes were read again`);
  assert.equal(partial(), undefined);
  assert.equal((await copier(here, remote)(`oci:${folder}:1`, `${registry.host}/copied:1`)).digest, result.digest);
});

test('a damaged blob is refused wherever it lies, and nothing gets its name', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const copy = copier(here, remote);
  const folder = join(here.folder, 'layout');
  makeImage(here.store, { name: 'app:1', layers: [{ a: randomBytes(5000) }] });
  await copy('store:app:1', `oci:${folder}:1`);
  const manifest = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
  const layer = (JSON.parse(readFileSync(join(folder, 'blobs/sha256', manifest.manifests[0]!.digest.slice(7)), 'utf8')) as { layers: Descriptor[] }).layers[0]!;
  const path = join(folder, 'blobs/sha256', layer.digest.slice(7));
  writeFileSync(path, randomBytes(layer.size));
  const targets = [`${registry.host}/app:1`, `oci:${join(here.folder, 'other')}:1`, `oci-archive:${join(here.folder, 'other.tar')}:1`];
  for (const target of targets) await assert.rejects(copy(`oci:${folder}:1`, target), (error) => isSiruError(error) && error.code === 'DIGEST', target);
  await using fresh = await temporaryStore();
  await assert.rejects(copier(fresh, remote)(`oci:${folder}:1`, 'store:bad:1'), (error) => isSiruError(error) && error.code === 'DIGEST');
  assert.equal(await remote.headManifest(parseReferenceWithTag(`${registry.host}/app:1`), quiet), undefined);
  assert.equal(existsSync(join(here.folder, 'other/index.json')), false);
  assert.equal(existsSync(join(here.folder, 'other.tar')), false);
  truncateSync(path, 10);
  await assert.rejects(copy(`oci:${folder}:1`, targets[1]!), (error) => isSiruError(error) && error.code === 'DIGEST');
  // A link out of the layout is not followed.
  rmSync(path);
  symlinkSync('/etc/passwd', path);
  await assert.rejects(copy(`oci:${folder}:1`, targets[1]!), (error) => isSiruError(error) && error.code === 'NOT_FOUND');
});

test('a layout that skopeo wrote, also compressed as a whole, is read, and one that was written here is read by skopeo', { skip: skipSkopeo }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const index = await pushSample(here, remote, registry.host);
  const file = join(here.folder, 'skopeo.tar');
  skopeo('copy', '--all', '--src-tls-verify=false', `docker://${registry.host}/from/app:1`, `oci-archive:${file}:group/app:1`);
  execFileSync('gzip', ['-k', file]);
  const copy = copier(here, remote);
  assert.equal((await copy(`oci-archive:${file}:group/app:1`, `${registry.host}/a:1`)).digest, index.digest);
  assert.equal((await copy(`oci-archive:${file}.gz`, `${registry.host}/b:1`)).digest, index.digest);
  assert.equal((await copy(`oci-archive:${file}@${index.digest}`, `${registry.host}/c@${index.digest}`)).digest, index.digest);
  await assert.rejects(copy(`oci-archive:${file}`, `${registry.host}/c@${sha256('x')}`), (error) => isSiruError(error) && error.code === 'DIGEST');
});

test('two copies into one folder keep each other', { skip }, async () => {
  await using remote = client();
  await using here = await temporaryStore();
  const names = ['1', '2', '3', '4', '5', '6'];
  for (const name of names) makeImage(here.store, { name: `app:${name}`, layers: [{ name }] });
  const folder = join(here.folder, 'layout');
  mkdirSync(folder);
  await Promise.all(names.map((name) => copier(here, remote)(`store:app:${name}`, `oci:${folder}:${name}`)));
  const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
  assert.deepEqual(manifests.map(({ annotations }) => annotations!['org.opencontainers.image.ref.name']!).toSorted(), names);
});
