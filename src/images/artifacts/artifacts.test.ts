/** Files attached to images, found, fetched and deleted again: in docker-registry, which lists no referrers itself, and in layouts. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../../base/context.ts';
import { isSiruError } from '../../base/errors.ts';
import { sha256 } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { parseReference, parseReferenceWithTag } from '../../oci/reference.ts';
import { createRemote } from '../../remote/client.ts';
import type { Remote } from '../../remote/client.ts';
import { registryMissing, startRegistry } from '../../remote/testing/start-registry.ts';
import { copyImage } from '../copy.ts';
import { openSource } from '../places/open-place.ts';
import { parsePlace } from '../places/parse-place.ts';
import type { Source } from '../places/place.ts';
import { pushImage } from '../push.ts';
import { makeImage, makeIndex } from '../testing/make-image.ts';
import { temporaryStore } from '../testing/temporary-store.ts';
import type { TemporaryStore } from '../testing/temporary-store.ts';
import { attachFiles, parseAttachedFile } from './attach.ts';
import type { Attached, AttachOptions } from './attach.ts';
import { readReferrers } from './referrer-tree.ts';
import type { Referrer } from './referrer-tree.ts';
import { removeRemote } from './remove-remote.ts';
import { saveFiles } from './save-files.ts';

const skip = registryMissing();
const quiet = contextOf();
const client = (): Remote => createRemote({ environment: { HOME: '/nonexistent' }, credentials: async () => undefined, retry: { delay: 5 }, settle: 5 });

interface World {
  attach: (subject: string, files: string[], more?: Partial<AttachOptions>) => Promise<Attached>;
  listed: (subject: string, type?: string) => Promise<Referrer[]>;
  open: (place: string) => Promise<Source>;
  /** A file in the folder of the test. */
  write: (name: string, text: string) => string;
}

function world(here: TemporaryStore, remote: Remote): World {
  const store = async (): Promise<TemporaryStore['store']> => here.store;
  const open = (place: string): Promise<Source> => openSource(parsePlace(place), { remote, store }, quiet);
  return {
    open,
    attach: (subject, files, more = {}) => attachFiles({ subject: parsePlace(subject), artifactType: 'application/x-note', files: files.map((file) => parseAttachedFile(file)), remote, store, ...more }, quiet),
    async listed(subject, type) {
      await using source = await open(subject);
      return await readReferrers(source, (await source.head(quiet)).digest, type, quiet);
    },
    write(name, text) {
      const path = join(here.folder, name);
      writeFileSync(path, text);
      return path;
    },
  };
}

async function pushSample(here: TemporaryStore, remote: Remote, name: string): Promise<Digest> {
  const image = makeImage(here.store, { layers: [{ a: 'b' }], platform: { os: 'linux', architecture: 'arm64' } });
  const index = makeIndex(here.store, [{ image, platform: { os: 'linux', architecture: 'arm64' } }]);
  return (await pushImage({ store: here.store, remote, image: index, reference: parseReferenceWithTag(name) }, quiet)).digest;
}

test('what is attached is listed by type, with what refers to it, and its files come back', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const { attach, listed, open, write } = world(here, remote);
  const app = `${registry.host}/app:1`;
  const digest = await pushSample(here, remote, app);
  const sbom = await attach(app, [write('app.spdx.json', '{"a":1}'), `${write('notes', 'text')}:text/markdown`], { artifactType: 'application/spdx+json', annotations: { by: 'test' } });
  assert.equal(sbom.subject.digest, digest);
  const again = await attach(app, [join(here.folder, 'app.spdx.json'), `${join(here.folder, 'notes')}:text/markdown`], { artifactType: 'application/spdx+json', annotations: { by: 'test' } });
  assert.equal(again.descriptor.digest, sbom.descriptor.digest);
  const note = await attach(app, [], { annotations: { approved: 'yes' } });
  const ofSbom = await attach(`${registry.host}/app@${sbom.descriptor.digest}`, [write('seal', 'x')]);

  const all = await listed(app);
  assert.deepEqual(all.map((one) => [one.digest, one.artifactType]), [[sbom.descriptor.digest, 'application/spdx+json'], [note.descriptor.digest, 'application/x-note']]);
  assert.deepEqual(all[0]!.files.map(({ name, descriptor }) => [name, descriptor.mediaType]), [['app.spdx.json', 'application/spdx+json'], ['notes', 'text/markdown']]);
  assert.deepEqual(all[0]!.annotations, { by: 'test' });
  assert.deepEqual(all[0]!.referrers.map((one) => one.digest), [ofSbom.descriptor.digest]);
  assert.deepEqual(all[1]!.files, []);
  const notes = await listed(app, 'application/x-note');
  assert.deepEqual(notes.map((one) => one.digest), [note.descriptor.digest]);

  await using source = await open(app);
  const folder = join(here.folder, 'out');
  const saved = await saveFiles(source, all, folder, quiet);
  assert.deepEqual(saved.map(({ path }) => path), [join(folder, 'app.spdx.json'), join(folder, 'notes')]);
  assert.equal(readFileSync(join(folder, 'app.spdx.json'), 'utf8'), '{"a":1}');
  await saveFiles(source, all, folder, quiet);
  writeFileSync(join(folder, 'notes'), 'mine!');
  await assert.rejects(saveFiles(source, all, folder, quiet), (error) => isSiruError(error) && error.code === 'USAGE' && /is there already/.test(error.message));
  assert.equal(readFileSync(join(folder, 'notes'), 'utf8'), 'mine!');
});

test('an artifact of one platform is its own', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const { attach, listed, write } = world(here, remote);
  const app = `${registry.host}/app:1`;
  const index = await pushSample(here, remote, app);
  const { subject } = await attach(app, [write('a', 'b')], { platform: parsePlatform('linux/arm64') });
  assert.notEqual(subject.digest, index);
  assert.deepEqual(await listed(app), []);
  const ofPlatform = await listed(`${registry.host}/app@${subject.digest}`);
  assert.equal(ofPlatform.length, 1);
});

test('a deleted artifact is listed no more, and a deleted image takes its tags with it', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const { attach, listed, write } = world(here, remote);
  const app = `${registry.host}/app:1`;
  const digest = await pushSample(here, remote, app);
  const first = await attach(app, [write('a', 'a')]);
  const second = await attach(app, [write('b', 'b')]);
  await removeRemote(remote, parseReference(`${registry.host}/app@${first.descriptor.digest}`), quiet);
  const left = await listed(app);
  assert.deepEqual(left.map((one) => one.digest), [second.descriptor.digest]);
  await removeRemote(remote, parseReference(`${registry.host}/app@${digest}`), quiet);
  assert.equal(await remote.headManifest(parseReference(app), quiet), undefined);
  await assert.rejects(removeRemote(remote, parseReference(`${registry.host}/app`), quiet), (error) => isSiruError(error) && error.code === 'USAGE');
});

test('an artifact in a layout is attached, found and copied as in a registry', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const { attach, listed, write } = world(here, remote);
  const app = `${registry.host}/app:1`;
  await pushSample(here, remote, app);
  const layout = `oci:${join(here.folder, 'layout')}:1`;
  const copy = (source: string, target: string): ReturnType<typeof copyImage> => copyImage({ source: parsePlace(source), target: parsePlace(target), remote, store: async () => here.store }, quiet);
  await copy(app, layout);
  const { descriptor } = await attach(layout, [write('a', 'b')]);
  const found = await listed(layout);
  assert.deepEqual(found.map((one) => one.digest), [descriptor.digest]);
  await copy(layout, `${registry.host}/copied:1`);
  const copied = await listed(`${registry.host}/copied:1`);
  assert.deepEqual(copied.map((one) => one.digest), [descriptor.digest]);
  const inStore = attach('store:app:1', [join(here.folder, 'a')]);
  await assert.rejects(inStore, (error) => isSiruError(error) && error.code === 'UNSUPPORTED');
});

test('a hostile artifact writes nothing outside of the folder, and its lies are told', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await using here = await temporaryStore();
  const { listed, open } = world(here, remote);
  const app = `${registry.host}/app:1`;
  const digest = await pushSample(here, remote, app);
  const repository = { domain: registry.host, path: 'app' };
  const titles = ['../outside', '/etc/passwd', '..', '.bashrc', 'C:\\x\\evil', '-rf', 'same', 'same', '\u001b]0;x\u0007name', ''];
  const layers = [];
  for (const [number, title] of titles.entries()) {
    const bytes = Buffer.from(`content ${number}`);
    await remote.uploadBlob(repository, { open: async function* () { yield bytes; }, digest: () => sha256(bytes), size: bytes.length }, quiet);
    layers.push({ mediaType: 'text/plain', digest: sha256(bytes), size: bytes.length, annotations: { 'org.opencontainers.image.title': title } });
  }
  await remote.uploadBlob(repository, { open: async function* () { yield Buffer.from('{}'); }, digest: () => sha256('{}'), size: 2 }, quiet);
  const bytes = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType: 'x/y', config: { mediaType: mediaTypes.empty, digest: sha256('{}'), size: 2 },
    layers, subject: { mediaType: mediaTypes.index, digest, size: 1 },
  }));
  const manifest = await remote.putManifest({ ...repository, digest: sha256(bytes) }, bytes, mediaTypes.manifest, quiet);
  await remote.addReferrer(repository, digest, { mediaType: mediaTypes.manifest, digest: manifest, size: bytes.length, artifactType: 'x/y' }, quiet);
  const folder = join(here.folder, 'in', 'out');
  await using source = await open(app);
  const saved = await saveFiles(source, await listed(app), folder, quiet);
  assert.equal(saved.length, titles.length);
  assert.deepEqual(readdirSync(join(here.folder, 'in')), ['out']);
  const names = readdirSync(folder);
  assert.equal(names.length, titles.length);
  // oxlint-disable-next-line no-control-regex -- that is what it looks for
  assert.ok(names.every((name) => !/^[.-]|[\u0000-\u001f]/.test(name)), names.join());
  assert.equal(existsSync(join(here.folder, 'outside')), false);
});

test('a file and its media type are told apart as people write them', async () => {
  await using here = await temporaryStore();
  assert.deepEqual(parseAttachedFile('a.json'), { path: 'a.json' });
  assert.deepEqual(parseAttachedFile('a.json:application/spdx+json'), { path: 'a.json', mediaType: 'application/spdx+json' });
  assert.deepEqual(parseAttachedFile('/x/y:z/a.json:text/plain'), { path: '/x/y:z/a.json', mediaType: 'text/plain' });
  mkdirSync(join(here.folder, 'a:b'));
  writeFileSync(join(here.folder, 'a:b/c'), '');
  assert.deepEqual(parseAttachedFile(join(here.folder, 'a:b/c')), { path: join(here.folder, 'a:b/c') });
  assert.deepEqual(parseAttachedFile('a:b'), { path: 'a:b' });
});
