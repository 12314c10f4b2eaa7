/** Options, their place, and the facts that checks share; what each rule finds is tested where builds are checked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DockerfileError } from '../errors.ts';
import { createMatcher, parseIgnoreFile } from '../ignore.ts';
import { parseDockerfile } from '../parse.ts';
import { checkDockerfile } from './check-dockerfile.ts';
import { checkStage } from './check-stage.ts';
import { copyIgnoredFile } from './copy-ignored-file.ts';
import { createFilter, createPlaces } from './filter.ts';
import { invalidBaseImagePlatform } from './invalid-base-image-platform.ts';
import { checkOptionsFor, parseCheckOptions } from './options.ts';
import { rules } from './rules.ts';

test('options: lists, all, booleans as Go reads them, at most three parts', () => {
  assert.deepEqual(parseCheckOptions(' skip = A , B ; error = T'), { skip: new Set(['A', 'B']), experimental: new Set(), error: true });
  assert.deepEqual(parseCheckOptions('experimental=all;skip=all;error=0'), { skip: 'all', experimental: 'all', error: false });
  assert.deepEqual(parseCheckOptions('error=1;error=false;skip=A;x=y').skip, new Set(['A;x=y']));
  for (const text of ['skip', 'skip=all;', 'error=tRUE', 'error=yes', 'x=y']) assert.throws(() => parseCheckOptions(text), text);
});

test('a directive that makes no sense is refused with its place; in a comment above an instruction it does nothing', () => {
  const file = parseDockerfile('# escape=`\n# check=skpi=all\nFROM a\n# check=x\nENV a b');
  assert.throws(() => checkOptionsFor(file), (error) => error instanceof DockerfileError && error.lines?.start === 2);
  assert.equal(checkOptionsFor(file, { BUILDKIT_DOCKERFILE_CHECK: '' }).error, false);
  assert.ok(createFilter(file, parseCheckOptions(''))({ rule: 'LegacyKeyValueFormat', text: '', line: 5 }));
});

test('a rule that nobody knows is skipped by all only', () => {
  const file = parseDockerfile('FROM a');
  assert.ok(createFilter(file, parseCheckOptions('skip=A'))({ rule: 'UnconsumedBuildArg', text: '' }));
  assert.ok(!createFilter(file, parseCheckOptions('skip=all'))({ rule: 'UnconsumedBuildArg', text: '' }));
});

test('a finding has the lines of its instruction', () => {
  const file = parseDockerfile('ARG \\\n a\nFROM a\nRUN <<E\nx\nE\nENV a=1 \\\n\n b=2');
  const placeOf = createPlaces(file);
  assert.deepEqual([1, 3, 4, 9].map((line) => placeOf({ line })), [{ start: 1, end: 2 }, { start: 3, end: 3 }, { start: 4, end: 6 }, { start: 9, end: 9 }]);
  assert.equal(placeOf({}), undefined);
});

test('checks find nothing in a clean file and never throw', () => {
  const clean = parseDockerfile('FROM a AS b\nENV A=1\nWORKDIR /x\nCMD ["a"]');
  assert.deepEqual(checkDockerfile(clean), []);
  assert.deepEqual(checkStage(clean.stages[0]!.instructions, { choosesShell: false }), []);
  assert.deepEqual(checkStage([], { choosesShell: true }), []);
});

test('an ignored source is found below an ignored directory and by another way of writing it', () => {
  const ignore = (text: string): Parameters<typeof copyIgnoredFile>[2] => ({ rules: parseIgnoreFile(text), matcher: createMatcher(parseIgnoreFile(text)) });
  assert.equal(copyIgnoredFile('copy', ['dir/a/', './x/../dir', '/dir/b', '../dir', 'dirx', '.'], ignore('dir')).length, 4);
  assert.deepEqual(copyIgnoredFile('add', ['.', '/'], ignore('**/*')), ['.', '/'].map((name) => `Attempting to Add file "${name}" that is excluded by .dockerignore`));
  assert.deepEqual(copyIgnoredFile('copy', ['dir'], ignore('dir\n!dir/a')), []);
});

test('platforms of base images are compared without their variants', () => {
  const amd64 = { os: 'linux', architecture: 'amd64' };
  assert.equal(invalidBaseImagePlatform('a', amd64, { ...amd64, variant: 'v2' }), undefined);
  assert.match(invalidBaseImagePlatform('a', amd64, { os: 'windows', architecture: 'amd64' })!, /"windows\/amd64", expected "linux\/amd64"/);
});

test('a file of very many instructions is checked in time that grows with it', () => {
  const lines = Array.from({ length: 9_000 }, (_, number) => (number % 2 ? '# check=skip=LegacyKeyValueFormat\nENV a b' : 'cmd x'));
  const file = parseDockerfile(`FROM a\n${lines.join('\n')}`);
  const wanted = createFilter(file, parseCheckOptions(''));
  const placeOf = createPlaces(file);
  const findings = [...checkDockerfile(file), ...checkStage(file.stages[0]!.instructions, { choosesShell: false })].filter(wanted);
  assert.ok(findings.every((finding) => placeOf(finding)!.start === finding.line));
  // Casing of one half, a shell for each CMD, and all but the last CMD.
  assert.equal(findings.length, 4500 + 4500 + 4499);
});

test('there are 22 rules in order, one of them experimental', () => {
  const names = rules.map(({ name }) => name);
  assert.equal(names.length, 22);
  assert.deepEqual(names, names.toSorted());
  assert.deepEqual(rules.filter(({ experimental }) => experimental).map(({ name }) => name), ['InvalidDefinitionDescription']);
});
