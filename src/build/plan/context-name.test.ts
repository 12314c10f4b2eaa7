import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../../dockerfile/parse.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { contextName, findContext, normaliseContexts } from './context-name.ts';
import { planStages } from './graph.ts';

const amd64 = parsePlatform('linux/amd64');
const arm64 = parsePlatform('linux/arm64');

test('all ways to write the name of an image mean one context', () => {
  for (const name of ['alpine', 'alpine:latest', 'docker.io/library/alpine', 'docker.io/library/alpine:latest', 'index.docker.io/library/alpine']) {
    assert.equal(contextName(name), 'alpine', name);
  }
  assert.equal(contextName('alpine:3'), 'alpine:3');
  assert.equal(contextName('example.org:5000/a/b'), 'example.org:5000/a/b');
  for (const name of ['', 'Alpine', 'a b', '/a']) assert.equal(contextName(name), undefined, name);
});

test('a context may be for one platform only, and then comes first there', () => {
  const contexts = normaliseContexts({ 'docker.io/library/a': '1', 'a::linux/arm64/v8': '2', 'b::linux/arm64': '3' });
  assert.deepEqual([...contexts], [['a', '1'], ['a::linux/arm64', '2'], ['b::linux/arm64', '3']]);
  assert.equal(findContext(contexts.keys(), 'a:latest', amd64), 'a');
  assert.equal(findContext(contexts.keys(), 'a', arm64), 'a::linux/arm64');
  assert.equal(findContext(contexts.keys(), 'b', amd64), undefined);
  assert.throws(() => normaliseContexts({ 'A': 'x' }), /invalid context name "A"/);
  assert.throws(() => normaliseContexts({ 'a::nonsense/x/y/z': 'x' }), /no platform/);
});

test('a stage is replaced by the context of its name; a base is a stage first, then a context, then an image', () => {
  const plan = (text: string, namedContexts: string[]): { from: unknown; instructions: number }[] =>
    planStages(parseDockerfile(text, 'Dockerfile'), { targetPlatform: amd64, buildPlatform: amd64, namedContexts }).stages.map(({ from, instructions }) => ({ from, instructions: instructions.length }));
  assert.deepEqual(plan('FROM alpine AS a\nRUN x\nFROM a\nRUN y\n', ['a']), [
    { from: { type: 'named-context', name: 'a', replaces: true }, instructions: 0 },
    { from: { type: 'stage', index: 0 }, instructions: 1 },
  ]);
  assert.deepEqual(plan('FROM docker.io/library/alpine\nRUN x\n', ['alpine']), [{ from: { type: 'named-context', name: 'docker.io/library/alpine' }, instructions: 1 }]);
  assert.deepEqual(plan('FROM scratch\nFROM b\nFROM --platform=linux/arm64 b\n', ['scratch', 'b::linux/arm64']).map(({ from }) => (from as { type: string }).type), ['scratch', 'image', 'named-context']);
});
