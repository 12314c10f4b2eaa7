/** Images made by code, with waste that is known. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { contextOf } from '../../base/context.ts';
import { isSiruError } from '../../base/errors.ts';
import type { Entry } from '../../layer/entry.ts';
import { createLayerWriter } from '../../layer/writer.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { hostPlatform } from '../../oci/platform.ts';
import type { Store } from '../../store/store.ts';
import { readImage } from '../read.ts';
import type { Image } from '../read.ts';
import { makeImage } from '../testing/make-image.ts';
import type { TreeSpec } from '../testing/make-image.ts';
import { temporaryStore } from '../testing/temporary-store.ts';
import { compareTrees } from './compare-trees.ts';
import { describeFinding } from './describe.ts';
import { listFiles } from './list-files.ts';
import type { ListOptions } from './list-files.ts';
import { instructionOf } from './steps.ts';
import { findSubject } from './subject.ts';
import { openTables, xrayImage } from './xray-image.ts';

const context = contextOf();
const gone: Partial<Entry> = { type: 'whiteout', mode: 0, mtime: 0 };

async function storeFor(t: TestContext): Promise<Store> {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  return temporary.store;
}

/** An image whose history has these texts, one for each layer. */
function imageOf(store: Store, layers: [createdBy: string, TreeSpec][], name?: string): Image {
  const plain = readImage(store, makeImage(store, { layers: layers.map(([, tree]) => tree) }));
  const config: ImageConfig = { ...plain.config, history: layers.map(([created_by]) => ({ created_by, created: '2026-01-01T00:00:00Z' })) };
  const blob = store.blobs.put(Buffer.from(JSON.stringify(config)));
  const { digest, size } = store.blobs.put(Buffer.from(JSON.stringify({ ...plain.manifest, config: { mediaType: mediaTypes.config, ...blob } })));
  store.images.put({ descriptor: { mediaType: mediaTypes.manifest, digest, size }, imageId: blob.digest, manifest: digest });
  if (name !== undefined) store.images.tag(`docker.io/library/${name}`, digest);
  return readImage(store, digest);
}

const wasteful: [string, TreeSpec][] = [
  ['COPY app /app # buildkit', { 'app/main.js': 'm'.repeat(50_000), 'app/data.bin': 'd'.repeat(200_000) }],
  ['RUN /bin/sh -c apt-get update # buildkit', { 'var/lib/apt/lists/all': 'l'.repeat(30_000), 'root/.npm/_cacache/x': 'c'.repeat(20_000) }],
  ['RUN /bin/sh -c chown -R 1000 /app/main.js && rm /app/data.bin # buildkit', { 'app/main.js': { uid: 1000, mode: 0o644, size: 50_000, content: { bytes: Buffer.alloc(50_000, 'm') } }, 'app/data.bin': gone }],
];

test('waste is found, summed up and told with a way to avoid it', async (t) => {
  const store = await storeFor(t);
  const xray = await xrayImage(store, imageOf(store, wasteful), context);
  assert.equal(xray.waste, 200_000 + 50_000 + 30_000 + 20_000);
  assert.equal(xray.size, xray.layers.reduce((sum, { size }) => sum + size, 0));
  assert.equal(xray.efficiency, 1 - xray.waste / xray.size);
  assert.deepEqual(xray.layers.map(({ text, kind, base }) => [text, kind, base]), [
    ['COPY app /app', 'copy', false], ['RUN apt-get update', 'run', false], ['RUN chown -R 1000 /app/main.js && rm /app/data.bin', 'run', false],
  ]);
  assert.deepEqual(xray.findings.map((finding) => `${describeFinding(finding, xray.layers)}  ${finding.advice}`), [
    '200kB: 1 file of layer 0, deleted by layer 2\n  /app/data.bin (200kB)\n  Keep it out of the image: RUN --mount=type=bind reads it without a copy; .dockerignore or --exclude leave it out.',
    '50kB: 1 file of layer 0, stored again by layer 2 because owner or mode changed\n  /app/main.js (50kB)\n  Give owner and mode where the files come in: COPY --chown=USER:GROUP --chmod=MODE.',
    '30kB: the apt lists cache left by layer 1\n  /var/lib/apt/lists/all (30kB)\n  Use rm -rf /var/lib/apt/lists/* at the end of the RUN. RUN --mount=type=cache,target=/var/lib/apt keeps it between builds and out of the image.',
    '20kB: the npm cache left by layer 1\n  /root/.npm/_cacache/x (20kB)\n  Use npm cache clean --force in the RUN. RUN --mount=type=cache,target=/root/.npm keeps it between builds and out of the image.',
  ]);
});

test('lines come from the build that made the layer, and the base from what the manifest names', async (t) => {
  const store = await storeFor(t);
  const base = imageOf(store, wasteful.slice(0, 1));
  const image = imageOf(store, wasteful);
  image.manifest.annotations = { 'org.opencontainers.image.base.digest': base.manifestDigest };
  store.builds.add({
    id: 'a1', started: 1, took: 1, project: '.', references: [], outcome: 'done', imageId: image.configDigest,
    steps: [{ stage: 'app', text: 'RUN apt-get update', line: 3, status: 'executed', took: 1, diffId: image.layers[1]!.diffId }],
  });
  const { layers, findings } = await xrayImage(store, image, context);
  assert.deepEqual(layers.map((layer) => [layer.base, layer.line, layer.stage]), [[true, undefined, undefined], [false, 3, 'app'], [false, undefined, undefined]]);
  assert.equal(findings[0]!.advice, 'The base image brings it; deleting it makes no image smaller. A smaller base would.');
  // An annotation that tells no truth is not believed.
  image.manifest.annotations = { 'org.opencontainers.image.base.digest': imageOf(store, wasteful.slice(1)).manifestDigest };
  assert.deepEqual((await xrayImage(store, image, context)).layers.map((layer) => layer.base), [false, false, false]);
});

test('a compressed layer that was never opened is read through, and stays compressed', async (t) => {
  const store = await storeFor(t);
  const chunks: Buffer[] = [];
  const writer = createLayerWriter({ write: (bytes) => void chunks.push(Buffer.from(bytes)) });
  writer.add({ path: 'a', type: 'file', mode: 0o644, uid: 0, gid: 0, size: 5000, mtime: 0 }, { bytes: Buffer.alloc(5000) });
  const { summary } = writer.finish();
  const layer = { mediaType: mediaTypes.layerGzip, ...store.blobs.put(gzipSync(Buffer.concat(chunks))) };
  const config = store.blobs.put(Buffer.from(JSON.stringify({ ...hostPlatform(), config: {}, rootfs: { type: 'layers', diff_ids: [summary.diffId] } })));
  const { digest, size } = store.blobs.put(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: { mediaType: mediaTypes.config, ...config }, layers: [layer] })));
  store.images.put({ descriptor: { mediaType: mediaTypes.manifest, digest, size }, imageId: config.digest, manifest: digest });
  const xray = await xrayImage(store, readImage(store, digest), context);
  assert.equal(xray.size, summary.size);
  assert.deepEqual(xray.layers[0]!.added, { files: 1, bytes: 5000 });
  assert.equal(xray.layers[0]!.text, '');
  assert.equal(store.blobs.has(summary.diffId), false);
});

test('instructions are told without what builders put around them', () => {
  const table: [string, string][] = [
    ['/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'],
    ['/bin/sh -c #(nop) COPY file:abc in /', 'COPY file:abc in /'],
    ['/bin/sh -c apt-get update', 'RUN apt-get update'],
    ['|2 A=b C=d e /bin/sh -c make', 'RUN make'],
    ['RUN |1 A=b /bin/sh -c make # buildkit', 'RUN make'],
    ['RUN /bin/bash -c make # buildkit', 'RUN /bin/bash -c make'],
    ['COPY a b # buildkit', 'COPY a b'],
    ['', ''],
  ];
  for (const [text, expected] of table) assert.equal(instructionOf(text), expected);
  // No pattern goes back and forth over a long text.
  assert.equal(instructionOf(`|1 ${' '.repeat(200_000)}x`).length, 200_004);
});

const found = (options: ListOptions, image: Image, store: Store): Promise<string[]> =>
  openTables(store, image.layers, context).then((tocs) => [...listFiles(tocs, options)].map(({ entry, layer, deleted, event }) =>
    `${entry.path} ${layer}${deleted ? ` deleted ${deleted.layer} by ${deleted.by}` : ''}${event ? ` ${event.type}` : ''}`));

test('each path is listed with the layer that wrote it, and with what took it away when asked', async (t) => {
  const store = await storeFor(t);
  const image = imageOf(store, [
    ['a', { 'etc/passwd': 'one', 'opt/tool/bin': 'x', 'opt/tool/lib': 'y', 'usr/bin/sh': 's', bin: { type: 'symlink', link: 'usr/bin', mode: 0o777 } }],
    ['b', { 'etc/passwd': 'two', 'etc/new': 'n' }],
    ['c', { opt: gone, 'etc/new': 'n' }],
  ]);
  assert.deepEqual(await found({}, image, store), ['bin 0', 'etc 0', 'etc/new 2', 'etc/passwd 1', 'usr 0', 'usr/bin 0', 'usr/bin/sh 0']);
  assert.deepEqual(await found({ path: '/etc/passwd' }, image, store), ['etc/passwd 1']);
  assert.deepEqual(await found({ path: '/bin/sh' }, image, store), ['usr/bin/sh 0']);
  assert.deepEqual(await found({ path: '/bin' }, image, store), ['bin 0']);
  assert.deepEqual(await found({ depth: 1 }, image, store), ['bin 0', 'etc 0', 'usr 0']);
  assert.deepEqual(await found({ path: 'opt', deleted: true }, image, store), ['opt 0 deleted 2 by opt', 'opt/tool 0 deleted 2 by opt', 'opt/tool/bin 0 deleted 2 by opt', 'opt/tool/lib 0 deleted 2 by opt']);
  assert.deepEqual(await found({ layer: 1 }, image, store), ['etc/new 1 added', 'etc/passwd 1 changed']);
  assert.deepEqual(await found({ layer: 2 }, image, store), ['etc/new 2 changed', 'opt 0 deleted 2 by opt removed', 'opt/tool 0 deleted 2 by opt removed', 'opt/tool/bin 0 deleted 2 by opt removed', 'opt/tool/lib 0 deleted 2 by opt removed']);
  await assert.rejects(found({ path: '/opt' }, image, store), (error) => isSiruError(error) && error.code === 'NOT_FOUND' && /layer 2 deleted it/.test(error.message));
  await assert.rejects(found({ path: '/etc/paswd' }, image, store), (error) => isSiruError(error) && error.hint === 'did you mean "/etc/passwd"?');
  await assert.rejects(found({ layer: 3 }, image, store), (error) => isSiruError(error) && error.hint === 'The layers are 0 to 2.');
});

test('names that are hostile stay what they are in data and are harmless in text', async (t) => {
  const store = await storeFor(t);
  const names = ['__proto__', 'constructor', 'a\nb', '\u001b[2J', '\udcff', '-rf', 'x y', '\u202edorp'];
  const tree = Object.fromEntries(names.map((name): [string, string] => [`d/${name}`, 'x'.repeat(5000)]));
  Object.defineProperty(tree, '__proto__', { value: 'p'.repeat(9000), enumerable: true });
  const image = imageOf(store, [['RUN \u001b[31mred', tree], ['RUN rm', { d: gone, ['__proto__']: gone }]]);
  assert.deepEqual((await found({ deleted: true, path: 'd' }, image, store)).map((line) => line.split(' 0 deleted')[0]!).slice(1).sort(), names.map((name) => `d/${name}`).sort());
  const { findings, layers, waste } = await xrayImage(store, image, context);
  assert.equal(waste, 5000 * names.length + 9000);
  const text = findings.map((finding) => describeFinding(finding, layers)).join('');
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/);
  assert.equal(text.split('\n').length, 3);
});

test('images and layers are found by name, number, diff ID and the beginning of one', async (t) => {
  const store = await storeFor(t);
  const image = imageOf(store, wasteful, 'app:1');
  const paths = async (text: string): Promise<string> => [...(await findSubject(store, text, undefined, context)).entries()].map(({ path }) => path).filter((path) => path.includes('.')).join(' ');
  const second = 'root/.npm root/.npm/_cacache root/.npm/_cacache/x';
  const { diffId } = image.layers[1]!;
  for (const which of ['1', diffId, diffId.slice(7), diffId.slice(7, 19), diffId.slice(0, 20)]) assert.equal(await paths(`app:1@${which}`), second, which);
  assert.equal(await paths(diffId), second);
  assert.equal(await paths('app:1@2'), 'app/data.bin app/main.js');
  assert.equal(await paths('app:1'), `app/main.js ${second}`);
  assert.equal(await paths(`app@${image.manifestDigest}`), await paths('app:1'));
  for (const which of ['3', '99999', 'ffffffff', `sha256:${'f'.repeat(64)}`]) {
    await assert.rejects(findSubject(store, `app:1@${which}`, undefined, context), (error) => isSiruError(error) && error.code === 'NOT_FOUND' && /has no layer/.test(error.message), which);
  }
  await assert.rejects(findSubject(store, 'nothing@1', undefined, context), /no image nothing here/);
  // Deletions are entries of a layer, and no entries of an image.
  const [one, two] = [await findSubject(store, 'app:1@2', undefined, context), await findSubject(store, 'app:1', undefined, context)];
  assert.deepEqual([...compareTrees(one.entries(), two.entries())].filter(({ path }) => path.startsWith('app')).map(({ path, type }) => `${type} ${path}`), ['removed app/data.bin']);
});
