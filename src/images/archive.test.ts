/** Save and load, with skopeo and umoci as judges. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream, lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { contextOf } from '../base/context.ts';
import { sha256, hexOf } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { archiveChunks, itemsToSave, saveImages } from './save.ts';
import { ensureCompressed } from './compress.ts';
import { ensureToc } from './layers.ts';
import { loadImages } from './load.ts';
import { readImage } from './read.ts';
import { makeImage, makeIndex } from './testing/make-image.ts';
import { temporaryStore } from './testing/temporary-store.ts';

const quiet = contextOf();
const lacks = (program: string): string | false => (spawnSync(program, ['--version']).error ? `${program} is not installed` : false);
const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const sample = (store: Store, name?: string): StoredImage => makeImage(store, { name, layers: [{ 'etc/motd': 'hello' }, { 'app/': '', 'app/x': 'x'.repeat(100_000) }], config: { Cmd: ['sh'] } });
const diffIds = (store: Store, image: StoredImage): string[] => readImage(store, image).layers.map(({ diffId }) => diffId);

test('what was saved is loaded with the same digest and names', async () => {
  await using from = await temporaryStore();
  await using to = await temporaryStore();
  const image = sample(from.store, 'group/app:1');
  from.store.images.tag('docker.io/group/app:2', image.descriptor.digest);
  const other = makeImage(from.store, { layers: [{ b: 'other' }] });
  const archive = join(from.folder, 'saved.tar');
  await saveImages({ store: from.store, items: itemsToSave(from.store, ['group/app', other.imageId]) }, archive, quiet);
  const loaded = await loadImages({ store: to.store, source: archive }, quiet);
  assert.deepEqual(loaded.map(({ image: { descriptor }, names }) => ({ digest: descriptor.digest, names })), [
    { digest: image.descriptor.digest, names: ['docker.io/group/app:1', 'docker.io/group/app:2'] },
    { digest: other.descriptor.digest, names: [] },
  ]);
  for (const layer of readImage(to.store, loaded[0]!.image).layers) await ensureToc(to.store, layer, quiet);
  assert.deepEqual(readdirSync(from.folder).sort(), ['saved.tar', 'store']);
});

test('a stream and a compressed archive are loaded too, and saving twice gives equal bytes', async () => {
  await using from = await temporaryStore();
  const image = sample(from.store, 'app:1');
  const gather = async (): Promise<Buffer> => {
    const parts: Uint8Array[] = [];
    for await (const chunk of archiveChunks({ store: from.store, items: itemsToSave(from.store, ['app:1']) }, quiet)) parts.push(Buffer.from(chunk));
    return Buffer.concat(parts);
  };
  const bytes = await gather();
  assert.ok(bytes.equals(await gather()));
  for (const form of [bytes, gzipSync(bytes)]) {
    await using to = await temporaryStore();
    const source = (async function* () {
      for (let at = 0; at < form.length; at += 777) yield form.subarray(at, at + 777);
    })();
    assert.equal((await loadImages({ store: to.store, source }, quiet))[0]!.image.imageId, image.imageId);
  }
});

test('an image is chosen for saving by name, repository or ID', async () => {
  await using here = await temporaryStore();
  const image = sample(here.store, 'app:1');
  here.store.images.tag('docker.io/library/app:2', image.descriptor.digest);
  const names = (...texts: string[]): string[][] => itemsToSave(here.store, texts).map((item) => item.names);
  assert.deepEqual(names('app:2'), [['docker.io/library/app:2']]);
  assert.deepEqual(names('app'), [['docker.io/library/app:1', 'docker.io/library/app:2']]);
  assert.deepEqual(names(image.imageId.slice(7, 19)), [[]]);
  assert.throws(() => names('none'), { code: 'NOT_FOUND' });
});

test('skopeo reads the archive as docker\'s and as OCI\'s', { skip: lacks('skopeo') }, async () => {
  await using here = await temporaryStore();
  const image = sample(here.store, 'app:1');
  const archive = join(here.folder, 'saved.tar');
  await saveImages({ store: here.store, items: itemsToSave(here.store, ['app:1']) }, archive, quiet);
  for (const source of [`docker-archive:${archive}:app:1`, `oci-archive:${archive}:1`]) {
    const target = join(here.folder, source.split(':', 1)[0]!);
    run('skopeo', 'copy', source, `dir:${target}`);
    const manifest = JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8')) as { config: { digest: string } };
    assert.equal(manifest.config.digest, image.imageId, source);
  }
});

test('skopeo reads an archive with compressed layers', { skip: lacks('skopeo') }, async () => {
  await using here = await temporaryStore();
  const image = sample(here.store);
  const { manifest, layers } = readImage(here.store, image);
  const compressed = [];
  for (const layer of layers) compressed.push(await ensureCompressed(here.store, layer, { compression: 'gzip', docker: false }, quiet));
  const { digest, size } = here.store.blobs.put(Buffer.from(JSON.stringify({ ...manifest, layers: compressed })));
  here.store.images.put({ descriptor: { mediaType: mediaTypes.manifest, digest, size }, imageId: image.imageId, manifest: digest });
  here.store.images.tag('docker.io/library/zipped:1', digest);
  const archive = join(here.folder, 'saved.tar');
  await saveImages({ store: here.store, items: itemsToSave(here.store, ['zipped:1']) }, archive, quiet);
  for (const source of [`docker-archive:${archive}:zipped:1`, `oci-archive:${archive}:1`]) run('skopeo', 'copy', source, `dir:${join(here.folder, source.split(':', 1)[0]!)}`);
});

test('what skopeo and umoci wrote is loaded: docker archive, OCI archive, OCI layout', { skip: lacks('skopeo') || lacks('umoci') }, async () => {
  await using from = await temporaryStore();
  const image = sample(from.store, 'app:1');
  const archive = join(from.folder, 'saved.tar');
  await saveImages({ store: from.store, items: itemsToSave(from.store, ['app:1']) }, archive, quiet);
  const layout = join(from.folder, 'layout');
  const oci = join(from.folder, 'oci.tar');
  const docker = join(from.folder, 'docker.tar');
  run('skopeo', 'copy', `docker-archive:${archive}:app:1`, `oci:${layout}:name:tag`);
  run('skopeo', 'copy', `oci:${layout}:name:tag`, `oci-archive:${oci}:other:tag`);
  run('skopeo', 'copy', `oci:${layout}:name:tag`, `docker-archive:${docker}:again:1`);
  for (const [source, name] of [[layout, 'name:tag'], [oci, 'other:tag'], [docker, 'again:1']] as const) {
    await using to = await temporaryStore();
    const [loaded] = await loadImages({ store: to.store, source }, quiet);
    assert.deepEqual(loaded!.names, [`docker.io/library/${name}`]);
    assert.deepEqual(diffIds(to.store, loaded!.image), diffIds(from.store, image));
    for (const layer of readImage(to.store, loaded!.image).layers) await ensureToc(to.store, layer, quiet);
  }
  const empty = join(from.folder, 'umoci');
  run('umoci', 'init', '--layout', empty);
  run('umoci', 'new', '--image', `${empty}:blank`);
  await using to = await temporaryStore();
  const [blank] = await loadImages({ store: to.store, source: empty }, quiet);
  assert.deepEqual(readImage(to.store, blank!.image).layers, []);
});

test('docker\'s old layout is loaded: folders with layer.tar, and links between them', async () => {
  await using from = await temporaryStore();
  const image = sample(from.store);
  const { layers, configBytes, configDigest } = readImage(from.store, image);
  const folder = join(from.folder, 'old');
  const layerFiles = layers.map(({ diffId }, index) => {
    mkdirSync(join(folder, `id${index}`), { recursive: true });
    writeFileSync(join(folder, `${hexOf(diffId)}.tar`), readFileSync(from.store.blobs.path(diffId)));
    if (index === 0) symlinkSync(`../${hexOf(diffId)}.tar`, join(folder, 'id0', 'layer.tar'));
    else writeFileSync(join(folder, `id${index}`, 'layer.tar'), readFileSync(from.store.blobs.path(diffId)));
    return `id${index}/layer.tar`;
  });
  writeFileSync(join(folder, `${hexOf(configDigest)}.json`), configBytes);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify([{ Config: `${hexOf(configDigest)}.json`, RepoTags: ['old:1'], Layers: layerFiles }]));
  writeFileSync(join(folder, 'repositories'), '{}');
  const archive = join(from.folder, 'old.tar');
  run('tar', '-C', folder, '-cf', archive, ...readdirSync(folder));
  await using to = await temporaryStore();
  const [loaded] = await loadImages({ store: to.store, source: archive }, quiet);
  assert.equal(loaded!.image.imageId, image.imageId);
  assert.deepEqual(loaded!.names, ['docker.io/library/old:1']);
});

test('of an index the child for this machine is the image', async () => {
  await using from = await temporaryStore();
  const children = ['amd64', 'arm64', 'riscv64'].map((architecture) => ({ platform: { os: 'linux', architecture }, image: makeImage(from.store, { layers: [{ architecture }], platform: { os: 'linux', architecture } }) }));
  const index = makeIndex(from.store, children, 'multi:1');
  const archive = join(from.folder, 'saved.tar');
  await saveImages({ store: from.store, items: itemsToSave(from.store, ['multi:1']) }, archive, quiet);
  await using to = await temporaryStore();
  const [loaded] = await loadImages({ store: to.store, source: archive, platform: children[2]!.platform }, quiet);
  assert.equal(loaded!.image.descriptor.digest, index.descriptor.digest);
  assert.equal(loaded!.image.imageId, children[2]!.image.imageId);
  await assert.rejects(loadImages({ store: to.store, source: archive, platform: { os: 'linux', architecture: 's390x' } }, quiet), { code: 'PLATFORM' });

  await saveImages({ store: from.store, items: itemsToSave(from.store, ['multi:1']), platform: children[1]!.platform }, archive, quiet);
  await using alone = await temporaryStore();
  assert.equal((await loadImages({ store: alone.store, source: archive }, quiet))[0]!.image.descriptor.digest, children[1]!.image.descriptor.digest);
});

test('archives that are broken, hostile or something else are refused, and name nothing', async () => {
  await using from = await temporaryStore();
  const image = sample(from.store, 'app:1');
  const { configBytes, configDigest, layers } = readImage(from.store, image);
  const pack = (files: Record<string, string | Uint8Array>, links: Record<string, string> = {}): string => {
    const folder = join(from.folder, `bad${Math.random()}`);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    for (const [path, target] of Object.entries(links)) symlinkSync(target, join(folder, path));
    run('tar', '-C', folder, '-cf', `${folder}.tar`, '.');
    return `${folder}.tar`;
  };
  const item = (over: object): string => JSON.stringify([{ Config: 'c.json', RepoTags: ['a:1'], Layers: ['l.tar', 'm.tar'], ...over }]);
  const good = { 'c.json': configBytes, 'l.tar': readFileSync(from.store.blobs.path(layers[0]!.diffId)), 'm.tar': readFileSync(from.store.blobs.path(layers[1]!.diffId)) };
  const whole = join(from.folder, 'whole.tar');
  await saveImages({ store: from.store, items: itemsToSave(from.store, ['app:1']) }, whole, quiet);
  const cut = join(from.folder, 'cut.tar');
  writeFileSync(cut, readFileSync(whole).subarray(0, 60_000));
  const plain = (text: string, name = 'x'): string => {
    const file = join(from.folder, `${name}${Math.random()}`);
    writeFileSync(file, text);
    return file;
  };
  const cases: [string, string, string][] = [
    ['nothing of an image', pack({ 'etc/passwd': '' }), 'DOCUMENT'],
    ['no tar', plain('hello'), 'LAYER'],
    ['empty', plain(''), 'LAYER'],
    ['not there', join(from.folder, 'none.tar'), 'NOT_FOUND'],
    ['cut off', cut, 'LAYER'],
    ['xz', plain('\xfd7zXZ\0'.padEnd(600, 'x')), 'LAYER'],
    ['a blob that is another', pack({ 'index.json': '{}', [`blobs/sha256/${hexOf(sha256('a'))}`]: 'b' }), 'DIGEST'],
    ['an index without its manifest', pack({ 'index.json': JSON.stringify({ schemaVersion: 2, manifests: [image.descriptor] }) }), 'NOT_FOUND'],
    ['a missing layer', pack({ ...good, 'manifest.json': item({ Layers: ['l.tar', 'gone.tar'] }) }), 'NOT_FOUND'],
    ['layers in another order', pack({ ...good, 'manifest.json': item({ Layers: ['m.tar', 'l.tar'] }) }), 'DIGEST'],
    ['too few layers', pack({ ...good, 'manifest.json': item({ Layers: ['l.tar'] }) }), 'DOCUMENT'],
    ['a path that leaves the archive', pack({ ...good, 'manifest.json': item({ Config: '../../etc/passwd' }) }), 'LAYER'],
    ['a link that leaves the archive', pack({ ...good, 'manifest.json': item({ Config: 'link' }) }, { link: '../../etc/passwd' }), 'LAYER'],
    ['an absolute link', pack({ ...good, 'manifest.json': item({ Config: 'link' }) }, { link: '/etc/passwd' }), 'NOT_FOUND'],
    ['links in a circle', pack({ ...good, 'manifest.json': item({ Config: 'a' }) }, { a: 'b', b: 'a' }), 'LAYER'],
    ['a name that is none', pack({ ...good, 'manifest.json': item({ RepoTags: ['UPPER:1'] }) }), 'DOCUMENT'],
    ['a list that is none', pack({ 'manifest.json': '{}' }), 'DOCUMENT'],
    ['an empty list', pack({ 'manifest.json': '[]' }), 'DOCUMENT'],
  ];
  assert.equal(configDigest, image.imageId);
  for (const [what, source, code] of cases) {
    await using to = await temporaryStore();
    await assert.rejects(loadImages({ store: to.store, source }, quiet), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, `${what}: ${error.message}`);
      return true;
    });
    assert.deepEqual(to.store.images.list().flatMap(({ names }) => names), [], what);
    assert.deepEqual(readdirSync(join(to.store.root, 'tmp')).filter((name) => name.endsWith('.blob')), [], what);
  }
});

test('a layout whose blobs are links to somewhere else is refused', async () => {
  await using here = await temporaryStore();
  const layout = join(here.folder, 'layout');
  mkdirSync(layout);
  symlinkSync('/etc/passwd', join(layout, 'index.json'));
  await assert.rejects(loadImages({ store: here.store, source: layout }, quiet), { code: 'NOT_FOUND' });
});

test('an archive goes into a pipe or device that is there, and through a link, without replacing them', { skip: process.platform === 'win32' }, async () => {
  await using from = await temporaryStore();
  const image = sample(from.store, 'app:1');
  const save = (output: string): Promise<void> => saveImages({ store: from.store, items: itemsToSave(from.store, ['app:1']) }, output, quiet);
  const pipe = join(from.folder, 'pipe');
  run('mkfifo', pipe);
  const source = createReadStream(pipe);
  const [loaded] = await Promise.all([
    (async () => {
      await using to = await temporaryStore();
      return (await loadImages({ store: to.store, source }, quiet))[0]!.image.imageId;
    })(),
    save(pipe),
  ]);
  assert.equal(loaded, image.imageId);
  assert.ok(lstatSync(pipe).isFIFO());
  writeFileSync(join(from.folder, 'real.tar'), '');
  symlinkSync('real.tar', join(from.folder, 'link.tar'));
  await save(join(from.folder, 'link.tar'));
  assert.ok(lstatSync(join(from.folder, 'link.tar')).isSymbolicLink());
  assert.ok(lstatSync(join(from.folder, 'real.tar')).size > 100_000);
  assert.deepEqual(readdirSync(from.folder).filter((name) => name.includes('partial')), []);
});
