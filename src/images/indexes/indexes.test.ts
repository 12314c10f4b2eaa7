/** Indexes that are made of images, changed and shown, with skopeo as another reader. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../../base/context.ts';
import { isSiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { sha256 } from '../../oci/digest.ts';
import type { Index } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { parseReferenceWithTag } from '../../oci/reference.ts';
import { createRemote } from '../../remote/client.ts';
import type { Remote } from '../../remote/client.ts';
import { registryMissing, startRegistry } from '../../remote/testing/start-registry.ts';
import { openSource } from '../places/open-place.ts';
import { parsePlace } from '../places/parse-place.ts';
import { pushImage } from '../push.ts';
import { makeImage } from '../testing/make-image.ts';
import { temporaryStore } from '../testing/temporary-store.ts';
import type { TemporaryStore } from '../testing/temporary-store.ts';
import { annotateIndex } from './annotate-index.ts';
import { createIndex } from './create-index.ts';
import type { IndexAnnotation } from './index-document.ts';
import { readIndexTree } from './index-tree.ts';

const skip = registryMissing() || (spawnSync('skopeo', ['--version']).error ? 'skopeo is not installed' : false);
const quiet = contextOf();
const client = (): Remote => createRemote({ environment: { HOME: '/nonexistent' }, credentials: async () => undefined, retry: { delay: 5 } });
const raw = (name: string): string => execFileSync('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${name}`], { encoding: 'utf8' });
const indexAt = (name: string): Index => JSON.parse(raw(name)) as Index;
const platforms = ({ manifests }: Index): string[] => manifests.map(({ platform }) => (platform ? formatPlatform(platform) : 'none'));

interface World {
  here: TemporaryStore;
  create: (target: string, sources: string[], more?: { append?: boolean; dryRun?: boolean; annotations?: IndexAnnotation[] }) => ReturnType<typeof createIndex>;
  push: (name: string, architecture: string, text?: string) => Promise<void>;
}

function world(here: TemporaryStore, remote: Remote): World {
  return {
    here,
    create: (target, sources, more = {}) => createIndex({ target: parsePlace(target), sources: sources.map((source) => parsePlace(source)), remote, store: async () => here.store, ...more }, quiet),
    async push(name, architecture, text = architecture) {
      const image = makeImage(here.store, { name, layers: [{ 'bin/tool': text }], platform: { os: 'linux', architecture, ...(architecture === 'arm' && { variant: 'v7' }) } });
      await pushImage({ store: here.store, remote, image, reference: parseReferenceWithTag(name) }, quiet);
    },
  };
}

test('images of several repositories, layouts and the store become one index, with the platforms of their configurations', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const { create, push } = world(here, remote);
  const { host } = registry;
  await push(`${host}/one/app:1`, 'amd64');
  await push(`${host}/two/app:1`, 'arm');
  makeImage(here.store, { name: 'mine:1', layers: [{ a: 'b' }], platform: { os: 'linux', architecture: 'riscv64' } });
  const document = await create(`${host}/all:1`, [`${host}/one/app:1`, `${host}/two/app:1`, 'store:mine:1']);
  assert.equal(sha256(raw(`${host}/all:1`)), document.digest);
  const index = indexAt(`${host}/all:1`);
  assert.deepEqual(platforms(index), ['linux/amd64', 'linux/arm/v7', 'linux/riscv64']);
  // What was not compressed in the store is compressed in the registry.
  assert.match(raw(`${host}/all@${index.manifests[2]!.digest}`), /tar\+gzip/);
  execFileSync('skopeo', ['copy', '--insecure-policy', '--all', '--src-tls-verify=false', `docker://${host}/all:1`, `oci:${join(here.folder, 'out')}:1`]);

  const folder = `oci:${join(here.folder, 'layout')}:all`;
  await push(`${host}/three/app:1`, 'amd64', 'another');
  await assert.rejects(create(folder, [`${host}/three/app:1`, `oci:${join(here.folder, 'out')}:1`]), (error) => isSiruError(error) && error.code === 'USAGE' && /both have an image for linux\/amd64/.test(error.message));
  assert.equal((await create(folder, [`oci:${join(here.folder, 'out')}:1`])).bytes.length, document.bytes.length);
  assert.equal((await create('store:all:1', [folder])).digest, document.digest);
  assert.equal(here.store.images.byName('docker.io/library/all:1')?.descriptor.digest, document.digest);
});

test('appending keeps what is listed, and puts an image in the place of the one for its platform', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const { create, push } = world(here, remote);
  const { host } = registry;
  await push(`${host}/app:amd64`, 'amd64');
  await push(`${host}/app:arm64`, 'arm64');
  await push(`${host}/app:new`, 'amd64', 'a newer one');
  await create(`${host}/app:1`, [`${host}/app:amd64`], { annotations: [{ key: 'a', value: 'b' }] });
  await create(`${host}/app:1`, [`${host}/app:arm64`], { append: true });
  await create(`${host}/app:1`, [`${host}/app:new`], { append: true });
  const index = indexAt(`${host}/app:1`);
  assert.deepEqual(platforms(index), ['linux/arm64', 'linux/amd64']);
  assert.equal(index.manifests[1]!.digest, sha256(raw(`${host}/app:new`)));
  assert.deepEqual(index.annotations, { a: 'b' });
});

test('a dry run writes nothing, and gives the bytes that would be written', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const { create, push } = world(here, remote);
  const { host } = registry;
  await push(`${host}/from:1`, 'amd64');
  const dry = await create(`${host}/app:1`, [`${host}/from:1`], { dryRun: true });
  assert.equal(await remote.headManifest(parseReferenceWithTag(`${host}/app:1`), quiet), undefined);
  assert.equal(await remote.hasBlob({ domain: host, path: 'app' }, (JSON.parse(raw(`${host}/from:1`)) as { config: Descriptor }).config, quiet), false);
  assert.equal((await create(`${host}/app:1`, [`${host}/from:1`])).digest, dry.digest);
});

test('annotations and platforms of an index are changed, and its images are not', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const { create, push } = world(here, remote);
  const { host } = registry;
  for (const architecture of ['amd64', 'arm64']) await push(`${host}/app:${architecture}`, architecture);
  await create(`${host}/app:1`, [`${host}/app:amd64`, `${host}/app:arm64`], { annotations: [{ key: 'gone', value: 'x' }, { key: 'note', value: 'every', on: '*' }] });
  const before = indexAt(`${host}/app:1`);
  assert.deepEqual(before.manifests.map(({ annotations }) => annotations), [{ note: 'every' }, { note: 'every' }]);
  const annotate = (more: Partial<Parameters<typeof annotateIndex>[0]>): ReturnType<typeof annotateIndex> =>
    annotateIndex({ index: parsePlace(`${host}/app:1`), annotations: [], remote, store: async () => here.store, ...more }, quiet);
  await annotate({ annotations: [{ key: 'gone', value: undefined }, { key: 'kept', value: 'y' }, { key: 'note', value: 'one', on: 'linux/arm64' }] });
  await annotate({ entry: { on: before.manifests[1]!.digest, platform: { variant: 'v8', 'os.version': '1' } } });
  const after = indexAt(`${host}/app:1`);
  assert.deepEqual(after.annotations, { kept: 'y' });
  assert.deepEqual(after.manifests[0], before.manifests[0]);
  assert.deepEqual(after.manifests[1], { ...before.manifests[1]!, annotations: { note: 'one' }, platform: { os: 'linux', architecture: 'arm64', variant: 'v8', 'os.version': '1' } });
  await assert.rejects(annotate({ annotations: [{ key: 'a', value: 'b', on: 'linux/s390x' }] }), (error) => isSiruError(error) && error.code === 'NOT_FOUND' && /linux\/amd64/.test(error.hint ?? ''));
  await assert.rejects(annotate({ index: parsePlace(`${host}/app:amd64`), annotations: [{ key: 'a', value: 'b' }] }), (error) => isSiruError(error) && error.code === 'USAGE');
});

test('a tree tells images, attestations and artifacts from each other, and what is not there', { skip }, async () => {
  await using remote = client();
  await using here = await temporaryStore();
  const { store } = here;
  const image = makeImage(store, { layers: [{ a: 'b' }], platform: { os: 'linux', architecture: 'arm64' } });
  const put = (value: object): { digest: `sha256:${string}`; size: number } => store.blobs.put(Buffer.from(JSON.stringify(value))) as { digest: `sha256:${string}`; size: number };
  const empty = put({});
  const attestation = put({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: { mediaType: mediaTypes.config, ...empty }, layers: [] });
  const artifact = put({ schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType: 'application/x-chart', config: { mediaType: mediaTypes.empty, ...empty }, layers: [] });
  const index = put({
    schemaVersion: 2, mediaType: mediaTypes.index,
    manifests: [
      { ...image.descriptor, platform: { os: 'linux', architecture: 'arm64' } },
      { mediaType: mediaTypes.manifest, ...attestation, platform: { os: 'unknown', architecture: 'unknown' }, annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': image.descriptor.digest } },
      { mediaType: mediaTypes.manifest, ...artifact },
      { mediaType: mediaTypes.manifest, digest: sha256('gone'), size: 4, platform: { os: 'linux', architecture: 's390x' } },
    ],
  });
  const folder = join(here.folder, 'layout');
  execFileSync('mkdir', ['-p', folder]);
  execFileSync('cp', ['-r', join(store.root, 'blobs'), join(store.root, 'oci-layout'), folder]);
  execFileSync('tee', [join(folder, 'index.json')], { input: JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: mediaTypes.index, ...index }] }), stdio: ['pipe', 'ignore', 'inherit'] });
  await using source = await openSource(parsePlace(`oci:${folder}`), { remote, store: async () => store }, quiet);
  const { tree } = await readIndexTree(source, quiet);
  assert.equal(tree.digest, index.digest);
  assert.deepEqual(tree.children!.map(({ kind, about, artifactType, missing, layers }) => [kind, about, artifactType, missing, layers]), [
    ['image', undefined, undefined, undefined, 1],
    ['artifact', image.descriptor.digest, mediaTypes.config, undefined, 0],
    ['artifact', undefined, 'application/x-chart', undefined, 0],
    ['image', undefined, undefined, true, undefined],
  ]);
});
