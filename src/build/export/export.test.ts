/** Outputs of builds, through the library. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isSiruError } from '../../base/errors.ts';
import type { Event } from '../../base/events.ts';
import { readImage } from '../../images/read.ts';
import { makeImage } from '../../images/testing/make-image.ts';
import { temporaryStore } from '../../images/testing/temporary-store.ts';
import { parseIndex, parseManifest, type Manifest } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { registryMissing, startRegistry } from '../../remote/testing/start-registry.ts';
import type { Store } from '../../store/store.ts';
import { build } from '../build.ts';
import type { BuildOptions, BuildResult } from '../options.ts';
import type { Output } from './output.ts';

interface World {
  store: Store;
  /** For results. */
  folder: string;
  build: (dockerfile: string, options?: Partial<BuildOptions>) => Promise<BuildResult & { warnings: string[] }>;
}

const time = 1_700_000_000;
const files = 'FROM scratch\nCOPY --chown=7:8 . /data/\nENV A=1\n';

async function world(t: TestContext): Promise<World> {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  const context = join(folder, 'context');
  const write = (name: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(context, name)), { recursive: true });
    writeFileSync(join(context, name), text);
    chmodSync(join(context, name), mode);
    utimesSync(join(context, name), time, time);
  };
  write('a.txt', 'a\n', 0o640);
  write('dir/run.sh', '#!/bin/sh\n', 0o755);
  symlinkSync('../a.txt', join(context, 'dir/link'));
  return {
    store,
    folder,
    async build(dockerfile, options = {}) {
      const warnings: string[] = [];
      const onEvent = (event: Event): void => void (event.type === 'warning' && warnings.push(event.text));
      return { ...(await build({ store, context, dockerfileText: dockerfile, onEvent, ...options })), warnings };
    },
  };
}

const refused = (code: string, text: RegExp) => (error: unknown): boolean => isSiruError(error) && error.code === code && text.test(`${error.message} ${error.hint ?? ''}`);
const missing = (program: string): string | false => (spawnSync(program, ['--version']).error ? `${program} is not installed` : false);
const list = (file: string): string[] => execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).trimEnd().split('\n');
const manifestIn = (folder: string): Manifest => {
  const [descriptor] = parseIndex(readFileSync(join(folder, 'index.json'))).manifests;
  return parseManifest(readFileSync(join(folder, 'blobs/sha256', descriptor!.digest.slice(7))));
};

test('local: the files, owned by who runs, over what is there', async (t) => {
  const { build: make, folder } = await world(t);
  const dest = join(folder, 'out');
  mkdirSync(join(dest, 'data/a.txt'), { recursive: true });
  writeFileSync(join(dest, 'data/a.txt/old'), '');
  writeFileSync(join(dest, 'other'), 'kept');
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, join(dest, 'data/dir'));
  await make(files, { outputs: [{ type: 'local', dest }] });
  assert.equal(readFileSync(join(dest, 'data/a.txt'), 'utf8'), 'a\n');
  const stat = statSync(join(dest, 'data/a.txt'));
  assert.deepEqual([stat.mode & 0o7777, stat.uid, stat.gid, stat.mtimeMs / 1000], [0o640, process.getuid!(), process.getgid!(), time]);
  assert.equal(statSync(join(dest, 'data/dir/run.sh')).mode & 0o7777, 0o755);
  assert.equal(readlinkSync(join(dest, 'data/dir/link')), '../a.txt');
  assert.equal(readFileSync(join(dest, 'other'), 'utf8'), 'kept');
  assert.deepEqual(readdirSync(elsewhere), [], 'nothing went through the link that was in the way');
  assert.ok(lstatSync(join(dest, 'data/dir')).isDirectory());
  assert.deepEqual(readdirSync(dest).sort(), ['data', 'other']);
});

test('local with mode=delete: what is not in the result goes, and links are not followed', async (t) => {
  const { build: make, folder } = await world(t);
  const dest = join(folder, 'out');
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(join(dest, 'data/dir/deep'), { recursive: true });
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'kept'), '');
  symlinkSync(elsewhere, join(dest, 'data/away'));
  writeFileSync(join(dest, 'data/dir/deep/x'), '');
  await make(files, { outputs: [{ type: 'local', dest, mode: 'delete' }] });
  assert.deepEqual(readdirSync(join(dest, 'data')).sort(), ['a.txt', 'dir']);
  assert.deepEqual(readdirSync(join(dest, 'data/dir')).sort(), ['link', 'run.sh']);
  assert.deepEqual(readdirSync(elsewhere), ['kept']);
  await assert.rejects(make(files, { outputs: [{ type: 'local', dest: '/', mode: 'delete' }] }), refused('USAGE', /root of the file system/));
});

test('tar: owners, modes and times of the image, and the same bytes each time', async (t) => {
  const { build: make, folder } = await world(t);
  const dest = join(folder, 'new/folder/out.tar');
  await make(files, { outputs: [{ type: 'tar', dest }] });
  assert.deepEqual(list(dest), ['data/', 'data/a.txt', 'data/dir/', 'data/dir/link', 'data/dir/run.sh']);
  assert.match(execFileSync('tar', ['--numeric-owner', '-tvf', dest], { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } }), /-rw-r----- 7\/8 +2 2023-11-14 22:13 data\/a.txt/);
  const chunks: Uint8Array[] = [];
  await make(files, { outputs: [{ type: 'tar', dest: (bytes) => void chunks.push(Buffer.from(bytes)) }] });
  assert.ok(Buffer.concat(chunks).equals(readFileSync(dest)));
  assert.deepEqual(readdirSync(dirname(dest)), ['out.tar']);
});

test('further names of a file are hard links in a tar and in a folder, and files of other kinds are there', { skip: process.getuid?.() !== 0 && 'only root makes devices' }, async (t) => {
  const { build: make, folder } = await world(t);
  const source = join(folder, 'source');
  mkdirSync(source);
  execFileSync('sh', ['-c', 'echo x > one; ln one two; mkfifo pipe; mknod null c 1 3; : > e1; : > e2; ln -s missing away; tar -cf ../context/x.tar .'], { cwd: source });
  const dest = join(folder, 'out');
  const tar = join(folder, 'out.tar');
  const result = await make('FROM scratch\nADD x.tar /\n', { outputs: [{ type: 'local', dest }, { type: 'local', dest }, { type: 'tar', dest: tar }] });
  assert.deepEqual(result.warnings, []);
  assert.equal(statSync(join(dest, 'one')).ino, statSync(join(dest, 'two')).ino);
  assert.notEqual(statSync(join(dest, 'e1')).ino, statSync(join(dest, 'e2')).ino);
  assert.equal(statSync(join(dest, 'null')).rdev, statSync('/dev/null').rdev);
  assert.ok(statSync(join(dest, 'pipe')).isFIFO());
  assert.deepEqual(readdirSync(dest).sort(), ['away', 'e1', 'e2', 'null', 'one', 'pipe', 'two']);
  assert.match(execFileSync('tar', ['-tvf', tar], { encoding: 'utf8' }), / two link to one\n/);
});

test('without an output that keeps it, the image and its names are not in the store, and its steps are', async (t) => {
  const { build: make, store, folder } = await world(t);
  const first = await make(files, { tags: ['app:1'] });
  const outputs: Output[] = [{ type: 'cacheonly' }, { type: 'local', dest: join(folder, 'out') }, { type: 'oci', dest: join(folder, 'app.tar') }];
  const second = await make(`${files}LABEL b=2\n`, { tags: ['app:1'], outputs });
  assert.equal(second.steps.executed, 0);
  assert.deepEqual(second.references, []);
  assert.deepEqual(store.images.list().map(({ descriptor, names }) => [descriptor.digest, names]), [[first.digest, ['docker.io/library/app:1']]]);
  const third = await make(`${files}LABEL b=3\n`, { tags: ['app:1'], outputs: [...outputs, { type: 'image' }] });
  assert.deepEqual(third.references, ['docker.io/library/app:1']);
  assert.deepEqual(store.images.byName('docker.io/library/app:1')?.descriptor.digest, third.outputs.at(-1)?.descriptor?.digest);
});

test('oci: gzip, named, the same bytes each time, and readable by skopeo and umoci', { skip: missing('skopeo') || missing('umoci') }, async (t) => {
  const { build: make, folder } = await world(t);
  const dest = join(folder, 'app.tar');
  const again = join(folder, 'again.tar');
  const result = await make(files, { tags: ['app:1'], sourceDateEpoch: time, outputs: [{ type: 'oci', dest }, { type: 'oci', dest: again }] });
  assert.ok(readFileSync(dest).equals(readFileSync(again)));
  assert.ok(!list(dest).includes('manifest.json'));
  const layout = join(folder, 'layout');
  mkdirSync(layout);
  execFileSync('tar', ['-C', layout, '-xf', dest]);
  const [descriptor] = parseIndex(readFileSync(join(layout, 'index.json'))).manifests;
  assert.deepEqual(descriptor?.annotations, {
    'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    'io.containerd.image.name': 'docker.io/library/app:1',
    'org.opencontainers.image.ref.name': '1',
  });
  assert.equal(descriptor.digest, result.digest);
  assert.equal(manifestIn(layout).layers[0]?.mediaType, mediaTypes.layerGzip);
  const inspected = JSON.parse(execFileSync('skopeo', ['inspect', '--config', `oci-archive:${dest}`], { encoding: 'utf8' })) as { config: { Env: string[] } };
  assert.ok(inspected.config.Env.includes('A=1'));
  const bundle = join(folder, 'bundle');
  execFileSync('umoci', ['unpack', '--rootless', '--image', `${layout}:1`, bundle]);
  assert.equal(readFileSync(join(bundle, 'rootfs/data/a.txt'), 'utf8'), 'a\n');
});

test('oci with tar=false: a layout to which a second image is added', { skip: missing('skopeo') }, async (t) => {
  const { build: make, folder } = await world(t);
  const dest = join(folder, 'layout');
  const put = (tag: string, text: string): Promise<BuildResult> => make(text, { tags: [tag], outputs: [{ type: 'oci', dest, folder: true, compression: 'none' }] });
  await put('app:1', files);
  const two = await put('app:2', `${files}LABEL x=2\n`);
  // What has the size of a blob is not yet the blob.
  const { digest, size } = manifestIn(dest).layers[0]!;
  const layer = join(dest, 'blobs/sha256', digest.slice(7));
  const bytes = readFileSync(layer);
  writeFileSync(layer, Buffer.alloc(size));
  const replaced = await put('app:1', `${files}LABEL x=1\n`);
  assert.ok(readFileSync(layer).equals(bytes));
  assert.deepEqual(parseIndex(readFileSync(join(dest, 'index.json'))).manifests.map(({ digest }) => digest), [two.digest, replaced.digest]);
  assert.equal(JSON.parse(execFileSync('skopeo', ['inspect', `oci:${dest}:1`], { encoding: 'utf8' })).Labels.x, '1');
});

test('docker: an archive with manifest.json, for one platform only', { skip: missing('skopeo') }, async (t) => {
  const { build: make, folder } = await world(t);
  const dest = join(folder, 'app.tar');
  await make(files, { tags: ['app:1'], outputs: [{ type: 'docker', dest }] });
  const [item] = JSON.parse(execFileSync('tar', ['-xOf', dest, 'manifest.json'], { encoding: 'utf8' })) as { RepoTags: string[] }[];
  assert.deepEqual(item?.RepoTags, ['app:1']);
  execFileSync('skopeo', ['inspect', `docker-archive:${dest}`]);
  await assert.rejects(make(files, { platform: ['linux/amd64', 'linux/arm64'], outputs: [{ type: 'docker', dest }] }), refused('USAGE', /several platforms.*type=oci/));
});

test('compression: level, kind, force, Docker media types', async (t) => {
  const { build: make, folder, store } = await world(t);
  makeImage(store, { name: 'base:1', layers: [{ 'big': 'x'.repeat(100_000) }] });
  const manifest = async (output: Partial<Output>): Promise<Manifest> => {
    const dest = join(folder, 'layout');
    rmSync(dest, { recursive: true, force: true });
    await make('FROM base:1\nCOPY . /data/\n', { outputs: [{ type: 'oci', dest, folder: true, ...output } as Output] });
    return manifestIn(dest);
  };
  const types = (of: Manifest): string[] => of.layers.map(({ mediaType }) => mediaType);
  assert.deepEqual(types(await manifest({ compression: 'zstd' })), [mediaTypes.layerZstd, mediaTypes.layerZstd]);
  assert.deepEqual(types(await manifest({ compression: 'none' })), [mediaTypes.layer, mediaTypes.layer]);
  const [low, high] = [await manifest({ compression: 'gzip', level: 1 }), await manifest({ compression: 'gzip', level: 9 })];
  assert.ok(low.layers[0]!.size > high.layers[0]!.size);
  const docker = await manifest({ dockerTypes: true });
  assert.deepEqual([docker.mediaType, docker.config.mediaType, ...types(docker)], [mediaTypes.dockerManifest, mediaTypes.dockerConfig, mediaTypes.dockerLayerGzip, mediaTypes.dockerLayerGzip]);
  assert.equal(docker.annotations, undefined);
  // The base's layers keep the form in which they are, unless it is forced.
  await make('FROM base:1\n', { tags: ['zipped:1'], outputs: [{ type: 'image', compression: 'gzip' }] });
  const stacked = async (forceCompression: boolean): Promise<string[]> => {
    const dest = join(folder, `forced-${forceCompression}`);
    await make('FROM zipped:1\nCOPY . /data/\n', { outputs: [{ type: 'oci', dest, folder: true, compression: 'zstd', forceCompression }] });
    return types(manifestIn(dest));
  };
  assert.deepEqual(await stacked(false), [mediaTypes.layerGzip, mediaTypes.layerZstd]);
  assert.deepEqual(await stacked(true), [mediaTypes.layerZstd, mediaTypes.layerZstd]);
});

test('rewrite-timestamp: no file of the own layers is newer than the epoch, and the base is as it was', async (t) => {
  const { build: make, store } = await world(t);
  const base = makeImage(store, { name: 'base:1', layers: [{ 'etc/motd': 'x' }] });
  const epoch = 1_000_000_000;
  const plain = await make('FROM base:1\nCOPY . /data/\n');
  const options: Partial<BuildOptions> = { outputs: [{ type: 'image', rewriteTimestamp: true, epoch }] };
  const result = await make('FROM base:1\nCOPY . /data/\n', options);
  const { config, layers } = readImage(store, result.digest);
  assert.equal(layers[0]!.diffId, readImage(store, base).layers[0]!.diffId);
  const times = [...store.layers.toc(layers[1]!.diffId)].map(({ mtime }) => mtime);
  assert.ok(times.length > 3 && times.every((mtime) => mtime <= epoch));
  assert.notEqual(layers[1]!.diffId, readImage(store, plain.digest).layers[1]!.diffId);
  assert.deepEqual(result.steps, { cached: 1, executed: 0, same: 0, config: 0 });
  assert.equal(config.rootfs.diff_ids[1], layers[1]!.diffId);
  assert.equal(config.created, '2001-09-09T01:46:40Z');
  assert.equal((await make('FROM base:1\nCOPY . /data/\n', options)).digest, result.digest);
  const without = await make(files, { outputs: [{ type: 'image', rewriteTimestamp: true }] });
  assert.ok(without.warnings.some((text) => text.includes('SOURCE_DATE_EPOCH')));
});

test('several platforms: folders, an index, annotations on its parts', async (t) => {
  const { build: make, folder } = await world(t);
  const dest = join(folder, 'out');
  const layout = join(folder, 'layout');
  const platform = ['linux/amd64', 'linux/arm64'];
  const text = 'FROM scratch\nARG TARGETARCH\nCOPY a.txt /$TARGETARCH\nCOPY a.txt /a\n';
  const annotations = [
    { key: 'all', value: '1' },
    { key: 'arm', value: '1', platform: 'linux/arm64' },
    { on: 'index' as const, key: 'on.index', value: '1' },
    { on: 'manifest-descriptor' as const, key: 'in.index', value: '1' },
    { on: 'index-descriptor' as const, key: 'outside', value: '1' },
  ];
  const result = await make(text, { platform, outputs: [{ type: 'local', dest }, { type: 'oci', dest: layout, folder: true, annotations }] });
  assert.deepEqual(readdirSync(dest).sort(), ['linux_amd64', 'linux_arm64']);
  assert.deepEqual(readdirSync(join(dest, 'linux_arm64')).sort(), ['a', 'arm64']);
  const [listed] = parseIndex(readFileSync(join(layout, 'index.json'))).manifests;
  assert.equal(listed?.digest, result.digest);
  assert.equal(listed.annotations?.outside, '1');
  const blob = (digest: string): Buffer => readFileSync(join(layout, 'blobs/sha256', digest.slice(7)));
  const index = parseIndex(blob(listed.digest));
  assert.deepEqual(index.annotations, { 'on.index': '1' });
  assert.deepEqual(index.manifests.map((child) => [child.platform?.architecture, child.annotations]), [['amd64', { 'in.index': '1' }], ['arm64', { 'in.index': '1' }]]);
  assert.deepEqual(index.manifests.map(({ digest }) => parseManifest(blob(digest)).annotations), [{ all: '1' }, { all: '1', arm: '1' }]);

  await assert.rejects(make(text, { platform, outputs: [{ type: 'local', dest: join(folder, 'one'), platformSplit: false }] }), refused('USAGE', /"a" is in the result for linux\/amd64 and in that for linux\/arm64/));
  await make('FROM scratch\nARG TARGETARCH\nCOPY a.txt /$TARGETARCH\n', { platform, outputs: [{ type: 'local', dest: join(folder, 'two'), platformSplit: false }] });
  assert.deepEqual(readdirSync(join(folder, 'two')).sort(), ['amd64', 'arm64']);
  await assert.rejects(make(text, { outputs: [{ type: 'image', annotations: [{ on: 'index', key: 'k', value: 'v' }] }] }), refused('USAGE', /one platform has none/));
  await assert.rejects(make(text, { platform, outputs: [{ type: 'image', annotations: [{ platform: 'linux/s390x', key: 'k', value: 'v' }] }] }), refused('USAGE', /not built/));
});

test('an index for one platform when BUILDKIT_MULTI_PLATFORM asks for it', async (t) => {
  const { build: make, store } = await world(t);
  const { digest } = await make(files, { buildArgs: { BUILDKIT_MULTI_PLATFORM: '1' } });
  assert.equal(parseIndex(store.blobs.read(digest)).manifests.length, 1);
});

test('a push sends compressed layers of every platform; store=false leaves the store as it was', { skip: registryMissing() }, async (t) => {
  const { build: make, store } = await world(t);
  await using registry = await startRegistry();
  const get = async (path: string): Promise<Buffer> => {
    const response = await fetch(`http://${registry.host}/v2/app/${path}`, { headers: { accept: Object.values(mediaTypes).join(', ') } });
    assert.equal(response.status, 200, path);
    return Buffer.from(await response.arrayBuffer());
  };
  const platform = ['linux/amd64', 'linux/arm64'];
  const result = await make(files, { platform, tags: [`${registry.host}/app:1`], outputs: [{ type: 'image', push: true }] });
  const [pushed] = result.outputs[0]!.pushed!;
  const index = parseIndex(await get('manifests/1'));
  assert.deepEqual(index.manifests.map((child) => child.platform?.architecture), ['amd64', 'arm64']);
  for (const { digest } of index.manifests) assert.equal(parseManifest(await get(`manifests/${digest}`)).layers[0]?.mediaType, mediaTypes.layerGzip);
  assert.deepEqual(store.images.byName(`${registry.host}/app:1`)?.repoDigests, [`${registry.host}/app@${pushed!.digest}`]);

  const other = await make(`${files}LABEL only=pushed\n`, { tags: [`${registry.host}/app:2`], outputs: [{ type: 'image', push: true, store: false, compression: 'zstd' }] });
  assert.equal(parseManifest(await get('manifests/2')).layers[0]?.mediaType, mediaTypes.layerZstd);
  assert.equal(other.outputs[0]?.pushed?.[0]?.digest, other.digest);
  assert.equal(store.images.list().length, 1);

  const bare = await make(`${files}LABEL by=digest\n`, { outputs: [{ type: 'image', names: [`${registry.host}/app`], push: true, pushByDigest: true, store: false }] });
  await get(`manifests/${bare.digest}`);
  assert.deepEqual((JSON.parse((await get('tags/list')).toString()) as { tags: string[] }).tags.sort(), ['1', '2']);
  await assert.rejects(make(files, { outputs: [{ type: 'image', push: true }] }), refused('USAGE', /tag is needed/));
});

test('an output that fails leaves no half file, and one that cannot be written is refused before the build', async (t) => {
  const { build: make, folder } = await world(t);
  const dest = join(folder, 'out.tar');
  writeFileSync(dest, 'before');
  const stop = new AbortController();
  const outputs: Output[] = [{ type: 'tar', dest: () => stop.abort() }, { type: 'tar', dest }];
  await assert.rejects(make(files, { signal: stop.signal, outputs }), refused('CANCELLED', /./));
  assert.equal(readFileSync(dest, 'utf8'), 'before');
  assert.ok(!existsSync(`${dest}.${process.pid}.partial`));
  await assert.rejects(make('FROM nothing.invalid/x\n', { outputs: [{ type: 'local', dest }] }), refused('USAGE', /is a file/));
  await assert.rejects(make('FROM nothing.invalid/x\n', { outputs: [{ type: 'tar', dest: folder }] }), refused('USAGE', /is a folder/));
});
