import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256, type Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { validateDocument } from '../oci/validate.ts';
import { assembleImage, largestConfig, type AssembledImage, type AssembleOptions, type ImageLayer, type NewEntry } from './assemble.ts';
import type { StageState } from './step-plan.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const state = (config: StageState['config'] = {}): StageState => ({ platform, config, args: [], cmdSet: false, workdirSet: false });
const layer = (name: string, mediaType: string = mediaTypes.layer): ImageLayer => ({
  diffId: sha256(name),
  descriptor: { mediaType, digest: sha256(`blob ${name}`), size: 5 },
});
const made = (createdBy: string, created?: string): NewEntry => ({ history: { created_by: createdBy }, layer: layer(createdBy), ...(created === undefined ? {} : { created }) });
const told = (createdBy: string): NewEntry => ({ history: { created_by: createdBy, empty_layer: true } });
const assemble = (options: Partial<AssembleOptions>): AssembledImage => assembleImage({ state: state(), entries: [], platform, ...options });
const base = (config: Partial<ImageConfig>, ...layers: ImageLayer[]): AssembleOptions['base'] => ({ layers, config: { os: 'linux', architecture: 'amd64', ...config } });
const times = (image: AssembledImage): (string | undefined)[] => image.config.history!.map(({ created }) => created);

test('bytes are compact for the config, indented for the manifest, and say what the objects say', () => {
  const image = assemble({ entries: [made('RUN a', '2026-01-02T03:04:05.120Z')] });
  assert.deepEqual(JSON.parse(Buffer.from(image.configBytes).toString()), image.config);
  assert.deepEqual(JSON.parse(Buffer.from(image.manifestBytes).toString()), image.manifest);
  assert.equal(
    Buffer.from(image.configBytes).toString(),
    `{"architecture":"amd64","config":{},"created":"2026-01-02T03:04:05.12Z","history":[{"created":"2026-01-02T03:04:05.12Z","created_by":"RUN a"}],"os":"linux","rootfs":{"type":"layers","diff_ids":["${sha256('RUN a')}"]}}`,
  );
  assert.match(Buffer.from(image.manifestBytes).toString(), /^\{\n {2}"schemaVersion": 2,\n {2}"mediaType"/);
  assert.deepEqual(image.manifest.config, { mediaType: mediaTypes.config, digest: sha256(image.configBytes), size: image.configBytes.length });
  validateDocument('config', image.configBytes);
  validateDocument('manifest', image.manifestBytes);
});

test('the config has its members in the order of the specification, maps sorted, and nothing empty', () => {
  const image = assemble({
    state: state({
      Shell: ['s'], OnBuild: [], ArgsEscaped: true, Healthcheck: { Retries: 1, Test: ['NONE'] }, StopSignal: '9', Labels: { b: '<&>', a: '1' }, WorkingDir: '/',
      Volumes: { '/b': {}, '/a': {} }, Cmd: [], Entrypoint: null, Env: ['A=1'], ExposedPorts: { '80/tcp': {}, '443/tcp': {} }, User: '',
    }),
    labels: { a: '2' },
  });
  assert.equal(
    JSON.stringify(image.config.config),
    '{"ExposedPorts":{"443/tcp":{},"80/tcp":{}},"Env":["A=1"],"Volumes":{"/a":{},"/b":{}},"WorkingDir":"/","Labels":{"a":"2","b":"<&>"},"StopSignal":"9","ArgsEscaped":true,"Healthcheck":{"Test":["NONE"],"Retries":1},"Shell":["s"]}',
  );
});

test('entries without a layer take the time of the first new layer, later ones that of the layer before', () => {
  const image = assemble({ base: base({ history: [{ created: '2020-01-01T00:00:00Z', created_by: 'old' }] }, layer('old')), entries: [told('ENV a'), made('RUN b', '2026-01-01T00:00:00Z'), told('ENV c'), made('COPY d'), made('RUN e', '2026-01-03T00:00:00Z'), told('CMD f')] });
  assert.deepEqual(times(image), ['2020-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z', '2026-01-03T00:00:00Z']);
  assert.equal(image.config.created, '2026-01-03T00:00:00Z');
});

test('without new layers the times are those of the base', () => {
  const image = assemble({ base: base({ created: '2021-01-01T00:00:00Z', history: [{ created: '2020-01-01T00:00:00Z', created_by: 'old' }] }, layer('old')), entries: [told('ENV a')] });
  assert.deepEqual([times(image), image.config.created], [['2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'], '2020-01-01T00:00:00Z']);
  assert.equal(assemble({ base: base({ created: '2021-01-01T00:00:00Z' }), entries: [told('ENV a')] }).config.created, '2021-01-01T00:00:00Z');
});

test('when nothing has a time there is none', () => {
  const image = assemble({ entries: [told('ENV a'), made('COPY b')] });
  assert.deepEqual(times(image), [undefined, undefined]);
  assert.ok(!('created' in image.config));
});

test('an epoch is the time of all that this build made', () => {
  const image = assemble({ epoch: 0, base: base({ history: [{ created: '2020-01-01T00:00:00Z' }] }, layer('old')), entries: [told('ENV a'), made('RUN b', '2026-01-01T00:00:00Z')] });
  assert.deepEqual([times(image), image.config.created], [['2020-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z'], '1970-01-01T00:00:00Z']);
});

test('layers of the base come first, with OCI media types', () => {
  const image = assemble({ base: base({}, layer('old', mediaTypes.dockerLayerGzip)), entries: [made('RUN b')] });
  assert.deepEqual(image.manifest.layers.map(({ mediaType }) => mediaType), [mediaTypes.layerGzip, mediaTypes.layer]);
  assert.deepEqual(image.config.rootfs.diff_ids, [sha256('old'), sha256('RUN b')]);
});

test('a base whose history does not fit its layers is made to fit', () => {
  const empties = (image: AssembledImage): (boolean | undefined)[] => image.config.history!.map(({ empty_layer }) => empty_layer);
  assert.deepEqual(empties(assemble({ base: base({ history: [{ created_by: 'a' }, { created_by: 'b' }] }, layer('a')) })), [undefined, true]);
  assert.deepEqual(empties(assemble({ base: base({}, layer('a')), entries: [told('ENV')] })), [undefined, true]);
});

test('the platform is the one asked for; version and features of the system come from a base for the same', () => {
  const windows = base({ os: 'windows', 'os.version': '10.0' });
  assert.equal(assemble({ base: windows, platform: { os: 'windows', architecture: 'amd64' } }).config['os.version'], '10.0');
  assert.equal(assemble({ base: windows }).config['os.version'], undefined);
  const { architecture, variant } = assemble({ platform: { os: 'linux', architecture: 'arm', variant: 'v6' } }).config;
  assert.deepEqual([architecture, variant], ['arm', 'v6']);
});

test('the manifest names the base, and the config its author', () => {
  const image = assemble({ state: { ...state(), author: 'me' }, baseName: 'docker.io/library/a:1', baseDigest: sha256('m') as Digest });
  assert.deepEqual(image.manifest.annotations, { 'org.opencontainers.image.base.digest': sha256('m'), 'org.opencontainers.image.base.name': 'docker.io/library/a:1' });
  assert.equal(image.config.author, 'me');
  assert.equal(assemble({}).manifest.annotations, undefined);
});

test('a config that no store and no registry would read back is refused', () => {
  const label = (length: number): AssembledImage => assemble({ labels: { a: 'x'.repeat(length) } });
  assert.ok(label(largestConfig - 1000).configBytes.length < largestConfig);
  assert.throws(() => label(largestConfig), { code: 'DOCKERFILE', message: new RegExp(` ${largestConfig} `) });
});
