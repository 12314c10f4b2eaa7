import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ContainerConfig, History, ImageConfig } from '../../oci/image-config.ts';
import { compareConfigs, compareHistories } from './compare-configs.ts';

const image = (config: ContainerConfig, more: Partial<ImageConfig> = {}): ImageConfig => ({ architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [] }, ...more });

test('variables, labels, ports and volumes are compared one by one, the rest as a whole', () => {
  const before = image({ Env: ['A=1', 'B=2', 'EMPTY='], Labels: { x: '1', '__proto__y': '1' }, ExposedPorts: { '80/tcp': {} }, Cmd: ['a'], User: 'u' });
  const after = image({ Env: ['B=3', 'EMPTY=', 'C=a=b'], Labels: { x: '2' }, ExposedPorts: { '80/tcp': {}, '81/tcp': {} }, Cmd: ['a', 'b'], WorkingDir: '/w' }, { architecture: 'arm64' });
  assert.deepEqual(compareConfigs(before, after), [
    { name: 'Cmd', before: ['a'], after: ['a', 'b'] },
    { name: 'Env A', before: '1' },
    { name: 'Env B', before: '2', after: '3' },
    { name: 'Env C', after: 'a=b' },
    { name: 'ExposedPorts 81/tcp', after: {} },
    { name: 'Labels __proto__y', before: '1' },
    { name: 'Labels x', before: '1', after: '2' },
    { name: 'User', before: 'u' },
    { name: 'WorkingDir', after: '/w' },
    { name: 'architecture', before: 'amd64', after: 'arm64' },
  ]);
});

test('absent, null and an empty list are one thing, and times count only when asked for', () => {
  assert.deepEqual(compareConfigs(image({ Entrypoint: null, Cmd: [] }), image({})), []);
  const [a, b] = [image({}, { created: '2026-01-01T00:00:00Z' }), image({}, { created: '2026-01-02T00:00:00Z' })];
  assert.deepEqual(compareConfigs(a, b), []);
  assert.deepEqual(compareConfigs(a, b, { times: true }).map(({ name }) => name), ['created']);
});

test('members that nobody knows are compared too', () => {
  assert.deepEqual(compareConfigs(image({}), { ...image({}), 'x.y': { deep: 1 } } as ImageConfig), [{ name: 'x.y', after: { deep: 1 } }]);
});

test('what was put into a history is named with its place', () => {
  const entry = (created_by: string): History => ({ created_by, created: '2026-01-01T00:00:00Z' });
  const before = ['from', 'a', 'b', 'cmd'].map(entry);
  const after = ['from', 'a', 'x', 'b', 'cmd'].map((text) => ({ ...entry(text), created: '2026-02-02T00:00:00Z' }));
  assert.deepEqual(compareHistories(before, after).map(({ type, index, entry: { created_by } }) => [type, index, created_by]), [['added', 2, 'x']]);
  assert.deepEqual(compareHistories(after, before).map(({ type, index }) => [type, index]), [['removed', 2]]);
  assert.equal(compareHistories(before, after, { times: true }).length, 9);
  assert.deepEqual(compareHistories(undefined, undefined), []);
  assert.deepEqual(compareHistories(['a', 'a'].map(entry), ['a'].map(entry)).map(({ type, index }) => [type, index]), [['removed', 1]]);
});

test('the changes of a history make the one of the other', () => {
  const histories = fc.array(fc.constantFrom('a', 'b', 'c').map((created_by): History => ({ created_by })), { maxLength: 8 });
  fc.assert(fc.property(histories, histories, (before, after) => {
    const changes = compareHistories(before, after);
    const removed = new Set(changes.filter(({ type }) => type === 'removed').map(({ index }) => index));
    const made = before.filter((_, i) => !removed.has(i));
    for (const { type, index, entry } of changes) if (type === 'added') made.splice(index, 0, entry);
    assert.deepEqual(made, after);
  }));
});
