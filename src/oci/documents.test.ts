/** Documents: what real tools write is read, and each fault is told with its JSON path. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../base/errors.ts';
import { parseDescriptor } from './descriptor.ts';
import { parseImageConfig } from './image-config.ts';
import { parseIndex, parseManifest, parseManifestOrIndex } from './manifest.ts';
import { mediaTypes } from './media-types.ts';
import { validateDocument } from './validate.ts';

const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const digest = `sha256:${'0'.repeat(64)}`;
const descriptor = { mediaType: mediaTypes.layerGzip, digest, size: 1 };
const manifest = { schemaVersion: 2, config: { ...descriptor, mediaType: mediaTypes.config }, layers: [descriptor, descriptor] };
const index = { schemaVersion: 2, manifests: [{ ...descriptor, mediaType: mediaTypes.manifest, platform: { os: 'linux', architecture: 'amd64' } }] };
const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest] } };

test('what Docker and Go programs write for nothing is read as nothing', () => {
  assert.deepEqual(parseManifest(bytes({ ...manifest, mediaType: mediaTypes.dockerManifest, layers: null, annotations: null })).layers, []);
  assert.deepEqual(parseIndex(bytes({ schemaVersion: 2, mediaType: mediaTypes.dockerIndex, manifests: null })).manifests, []);
  const read = parseImageConfig(bytes({
    ...config,
    rootfs: { type: 'layers', diff_ids: null },
    config: { Cmd: null, Entrypoint: null, Env: ['BARE'], Volumes: null, Labels: null, OnBuild: null, Shell: null, ExposedPorts: { '80/tcp': null }, Healthcheck: { Test: ['NONE'] } },
    history: null,
    container_config: { anything: [1] },
  }));
  assert.deepEqual(read.rootfs.diff_ids, []);
  assert.deepEqual(read.config, { Env: ['BARE'], ExposedPorts: { '80/tcp': {} }, Healthcheck: { Test: ['NONE'] } });
  assert.equal(read.history, undefined);
});

test('each fault is told with its place', () => {
  const cases: [parse: (bytes: Uint8Array) => unknown, value: unknown, message: string][] = [
    [parseManifest, { ...manifest, layers: [descriptor, { ...descriptor, size: -1 }] }, '$.layers[1].size is -1'],
    [parseManifest, { ...manifest, layers: [{ ...descriptor, size: 2 ** 60 }] }, '$.layers[0].size'],
    [parseManifest, { ...manifest, layers: [{ ...descriptor, digest: 'sha256:00' }] }, '$.layers[0].digest'],
    [parseManifest, { ...manifest, layers: {} }, '$.layers is an object, not an array'],
    [parseManifest, { ...manifest, config: undefined }, '$.config is missing'],
    [parseManifest, { ...manifest, annotations: { 'a.b': 1 } }, '$.annotations["a.b"] is a number'],
    [parseManifest, { ...manifest, mediaType: mediaTypes.index }, '$.mediaType'],
    [parseManifest, { ...manifest, manifests: [] }, '$.manifests does not belong'],
    [parseManifest, { ...manifest, schemaVersion: 1 }, '$.schemaVersion is 1'],
    [parseManifest, [], '$ is an array, not an object'],
    [parseManifest, '{', 'not valid JSON'],
    [parseManifest, '\ufeff{}', 'not valid JSON'],
    [parseIndex, { ...index, layers: [] }, '$.layers does not belong'],
    [parseIndex, { schemaVersion: 2, manifests: [{ ...descriptor, platform: { os: 'linux' } }] }, '$.manifests[0].platform.architecture is missing'],
    [parseImageConfig, { ...config, rootfs: { type: 'layers', diff_ids: ['x'] } }, '$.rootfs.diff_ids[0]'],
    [parseImageConfig, { ...config, config: { Env: [1] } }, '$.config.Env[0] is a number'],
    [parseImageConfig, { ...config, config: { Healthcheck: { Interval: 0.5 } } }, '$.config.Healthcheck.Interval'],
    [parseDescriptor, { ...descriptor, urls: ['x'] }, '$.urls[0]'],
  ];
  for (const [parse, value, message] of cases) {
    assert.throws(() => parse(bytes(value)), (error: Error) => {
      assert.ok(isSiruError(error) && error.code === 'DOCUMENT', String(error));
      assert.ok(error.message.includes(message), `${error.message} has no ${message}`);
      return true;
    });
  }
});

test('a document is read as what its sender said it is', () => {
  assert.equal(parseManifestOrIndex(bytes(manifest)).type, 'manifest');
  assert.equal(parseManifestOrIndex(bytes(index)).type, 'index');
  assert.equal(parseManifestOrIndex(bytes({ ...index, mediaType: mediaTypes.dockerIndex })).type, 'index');
  assert.throws(() => parseManifestOrIndex(bytes(index), mediaTypes.manifest), /\$\.manifests does not belong/);
  assert.throws(() => parseManifestOrIndex(bytes({ ...manifest, mediaType: mediaTypes.manifest }), mediaTypes.index), /\$\.mediaType/);
  assert.throws(() => parseManifestOrIndex(bytes({ ...manifest, manifests: [] })), /does not belong/);
});

test('nesting is bounded', () => {
  for (const text of ['['.repeat(1_000_000), `{"a":${'['.repeat(200)}${']'.repeat(200)}}`, `{"a":`.repeat(100_000)]) {
    assert.throws(() => parseManifest(bytes(text)), (error: Error) => isSiruError(error) && error.message.includes('nested'));
  }
  assert.throws(() => parseManifest(bytes(`{"a":"${'['.repeat(1000)}"}`)), /schemaVersion is missing/);
});

test('no bytes make a parser throw anything but DOCUMENT', () => {
  const names = ['schemaVersion', 'mediaType', 'config', 'layers', 'manifests', 'digest', 'size', 'os', 'architecture', 'rootfs', 'diff_ids', 'type', 'Env', 'Labels', 'history', '__proto__', 'annotations', 'platform'];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, fc.constantFrom(null, 2, 'layers', digest, mediaTypes.manifest, true, -1), tie('object'), fc.array(tie('value'), { maxLength: 3 })),
    object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 6 }),
  }));
  const input = fc.oneof(fc.uint8Array({ maxLength: 50 }), value.map((one) => bytes(one === undefined ? '' : one)));
  fc.assert(fc.property(input, (one) => {
    for (const parse of [parseManifest, parseIndex, parseImageConfig, parseDescriptor, parseManifestOrIndex, (text: Uint8Array) => validateDocument('manifest', text), (text: Uint8Array) => validateDocument('config', text)]) {
      try {
        parse(one);
      } catch (error) {
        assert.ok(isSiruError(error) && error.code === 'DOCUMENT', String(error));
      }
    }
  }), { numRuns: 2000 });
});
