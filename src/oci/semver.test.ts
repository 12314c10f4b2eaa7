import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changeBetween, compareVersions, exactTags, followersOf, formatVersion, isSemantic, newerTags, parseVersion } from './semver.ts';
import type { Version } from './semver.ts';

const number = fc.oneof(fc.nat(30).map(String), fc.constantFrom('9007199254740993', '18446744073709551616'));
const identifier = fc.oneof(fc.constantFrom('alpha', 'beta', 'rc', 'x-y', '0a'), fc.nat(12).map(String));
const anyVersion: fc.Arbitrary<Version> = fc.record({
  prefix: fc.constantFrom('' as const, 'v' as const),
  numbers: fc.array(number, { minLength: 1, maxLength: 3 }),
  suffix: fc.option(fc.array(identifier, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.')), { nil: undefined }),
  build: fc.option(fc.constantFrom('b1', 'sha.abc', '7'), { nil: undefined }),
});
const release = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((numbers) => numbers.join('.'));
const at = (text: string): Version => parseVersion(text) ?? assert.fail(`${text} is no version`);

test('versions are read and written the same, and no text breaks the reader', () => {
  fc.assert(fc.property(anyVersion, (version) => {
    assert.equal(formatVersion(at(formatVersion(version))), formatVersion(version));
  }));
  fc.assert(fc.property(fc.string(), (text) => {
    const version = parseVersion(text);
    assert.ok(version === undefined || version.numbers.length > 0);
  }));
  assert.deepEqual(at('v1.10.5-rc.1+b7'), { prefix: 'v', numbers: ['1', '10', '5'], suffix: 'rc.1', build: 'b7' });
  assert.deepEqual(at('1.10.5_b7'), { prefix: '', numbers: ['1', '10', '5'], build: 'b7' });
  assert.deepEqual(at('24.04'), { prefix: '', numbers: ['24', '04'] });
  for (const text of ['', 'latest', 'v', 'v.1', '1.', '1.2.3.4', 'a1.2.3', '1.2.3-', '1.2.3 ', `1.${'0'.repeat(200)}`, 'vv1', '1..2', '-1']) assert.equal(parseVersion(text), undefined, text);
});

test('what is a semantic version', () => {
  for (const text of ['1.2.3', '0.0.0', 'v1.2.3', '1.2.3-rc.1', '1.2.3-alpine', '1.2.3+b', '1.2.3-0a.1']) assert.ok(isSemantic(at(text)), text);
  for (const text of ['1.2', '1', '01.2.3', '1.02.3', '1.2.3-01', '1.2.3-a..b', '2026.01.15']) assert.ok(!isSemantic(at(text)), text);
});

test('the order is that of the specification, and total', () => {
  const ascending = ['1.0.0-1', '1.0.0-2', '1.0.0-11', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0', '10.0.0', '9007199254740993.0.0', '9007199254740994.0.0'];
  for (const [index, text] of ascending.entries()) {
    for (const [other, text2] of ascending.entries()) assert.equal(Math.sign(compareVersions(at(text), at(text2))), Math.sign(index - other), `${text} ${text2}`);
  }
  assert.equal(compareVersions(at('1.0.0_a'), at('v1.0.0+b')), 0);
  assert.equal(compareVersions(at('1'), at('1.0.0')), 0);
  fc.assert(fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
    assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)));
    if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0);
  }));
});

test('how far one version is from another', () => {
  const table: [string, string, string][] = [
    ['1.2.3', '1.2.3', 'same'], ['1.2.3', '1.2.4', 'patch'], ['1.2.3', '1.3.0', 'minor'], ['1.2.3', '2.0.0', 'major'], ['1.2.3', '1.2.2', 'older'],
    ['1.2.3-rc.1', '1.2.3', 'patch'], ['1.2.3', '1.2.3_b', 'same'], ['3.20', '3.21', 'minor'], ['3', '4', 'major'], ['9.0.0', '10.0.0', 'major'],
  ];
  for (const [from, to, change] of table) assert.equal(changeBetween(at(from), at(to)), change, `${from} ${to}`);
});

test('1.10, 1 and latest follow when, and only when, a version is the newest of its line', () => {
  const table: [string, string[], string[], [string, string][]][] = [
    ['1.10.5', [], ['1.10', '1', 'latest'], []],
    ['1.10.5', ['1.10.5', '1.10.4', '1.9.9', '0.5.0'], ['1.10', '1', 'latest'], []],
    ['1.10.5', ['1.10.6'], [], [['1.10', '1.10.6'], ['1', '1.10.6'], ['latest', '1.10.6']]],
    ['1.10.5', ['1.11.0'], ['1.10'], [['1', '1.11.0'], ['latest', '1.11.0']]],
    ['1.10.5', ['2.0.0', '1.10.5'], ['1.10', '1'], [['latest', '2.0.0']]],
    ['1.10.5', ['1.10.10', '1.9.20'], [], [['1.10', '1.10.10'], ['1', '1.10.10'], ['latest', '1.10.10']]],
    ['1.10.5', ['2.0.0-rc.1', '1.10.6-beta', '1.11.0-alpine', 'nightly', 'latest'], ['1.10', '1', 'latest'], []],
    ['1.10.5', ['1.10.5_b1'], ['1.10', '1', 'latest'], []],
    ['1.10.5_b2', ['1.10.5'], ['1.10', '1', 'latest'], []],
    ['v1.10.5', ['1.10.4'], ['v1.10', 'v1', 'latest'], []],
    ['v1.10.5', ['1.11.0'], ['v1.10'], [['v1', '1.11.0'], ['latest', '1.11.0']]],
    ['1.10.5', ['1.10', '1', 'latest'], ['1.10', '1', 'latest'], []],
    ['1.10.5', ['1.11'], ['1.10'], [['1', '1.11'], ['latest', '1.11']]],
    ['1.10.5', ['2', '2.0', '2.0.0'], ['1.10', '1'], [['latest', '2.0.0']]],
    ['1.10.5', ['2'], ['1.10', '1'], [['latest', '2']]],
    ['1.10.5', ['20260301', '2026.3.1'], ['1.10', '1', 'latest'], []],
    ['0.3.0', ['0.2.9'], ['0.3', '0', 'latest'], []],
    ['1.10.5', ['11.0.0', '110.0.0'], ['1.10', '1'], [['latest', '110.0.0']]],
  ];
  for (const [version, existing, tags, stay] of table) {
    assert.deepEqual(followersOf(at(version), existing), { tags, stay: stay.map(([tag, newer]) => ({ tag, newer })) }, `${version} beside ${existing.join(', ')}`);
  }
  for (const version of ['1.10.5-rc.1', '2.0.0-0', '1.10.5-alpine']) assert.equal(followersOf(at(version), []), undefined, version);
});

test('versions pushed in any order leave each tag on the newest of its line', () => {
  fc.assert(fc.property(fc.uniqueArray(release, { minLength: 1, maxLength: 12 }), (versions) => {
    const tags = new Map<string, string>();
    for (const version of versions) {
      tags.set(version, version);
      for (const tag of followersOf(at(version), tags.keys())!.tags) tags.set(tag, version);
    }
    const newest = (line: string): string => versions.filter((version) => line === 'latest' || version.startsWith(`${line}.`)).sort((a, b) => compareVersions(at(b), at(a)))[0]!;
    for (const [tag, version] of tags) if (!versions.includes(tag)) assert.equal(version, newest(tag), `${tag} after ${versions.join(', ')}`);
    for (const line of ['latest', ...versions.map((version) => version.split('.')[0]!)]) assert.ok(tags.has(line));
  }));
});

test('newer tags are looked for among those that are like the one that is used', () => {
  const tags = ['latest', '1.10.4', '1.10.5', '1.10.7', '1.10.10', '1.12.0', '1.11.9', '2.0.0', '2.1.0-rc.1', 'v3.0.0', '1.10', '1.11', '2', '20260301', '1.10.5-alpine', '1.10.6-alpine', '1.12.0-alpine3.21', '1.12.0-alpine3.20', '1.12.0-slim'];
  assert.deepEqual(newerTags('1.10.5', tags), { patch: '1.10.10', minor: '1.12.0', major: '2.0.0' });
  assert.deepEqual(newerTags('2.0.0', tags), {});
  assert.deepEqual(newerTags('2.0.0-rc.1', tags), { patch: '2.0.0', minor: '2.1.0-rc.1' });
  assert.deepEqual(newerTags('1.10', tags), { minor: '1.11' });
  assert.deepEqual(newerTags('1', tags), { major: '2' });
  assert.deepEqual(newerTags('1.10.5-alpine', tags), { patch: '1.10.6-alpine', minor: '1.12.0-alpine3.21' });
  assert.deepEqual(newerTags('1.12.0-alpine3.20', tags), { patch: '1.12.0-alpine3.21' });
  assert.deepEqual(newerTags('latest', tags), {});
  assert.deepEqual(newerTags('2.9.9', tags), {});
});

test('exact versions that a tag may stand for come newest first', () => {
  const tags = ['latest', '1.10', '1.10.4', '1.10.12', '1.10.5', '1.11.0', '1.11.0-rc.1', '1.10.5-alpine', 'v1.10.9', '2.0.0_b1'];
  assert.deepEqual(exactTags('1.10', tags), ['1.10.12', '1.10.5', '1.10.4']);
  assert.deepEqual(exactTags('1', tags), ['1.11.0', '1.10.12', '1.10.5', '1.10.4']);
  assert.deepEqual(exactTags('v1', tags), ['v1.10.9']);
  assert.deepEqual(exactTags('1.10-alpine', tags), ['1.10.5-alpine']);
  assert.deepEqual(exactTags('latest', tags), ['2.0.0_b1', '1.11.0', '1.10.12', 'v1.10.9', '1.10.5', '1.10.4']);
});
