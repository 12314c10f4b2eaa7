/** Platforms: names, and which of a list suits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../base/errors.ts';
import { chooseDescriptor, choosePlatform, formatPlatform, hostPlatform, matchesPlatform, normalizePlatform, parsePlatform, type Platform } from './platform.ts';

const table: [text: string, normal: string][] = [
  ['linux/amd64', 'linux/amd64'], ['linux/x86_64', 'linux/amd64'], ['LINUX/AMD64/v1', 'linux/amd64'], ['linux/amd64/v3', 'linux/amd64/v3'],
  ['linux/aarch64', 'linux/arm64'], ['linux/arm64/v8', 'linux/arm64'], ['linux/arm64/8', 'linux/arm64'], ['linux/arm64/v9', 'linux/arm64/v9'],
  ['linux/arm', 'linux/arm/v7'], ['linux/arm/7', 'linux/arm/v7'], ['linux/armhf', 'linux/arm/v7'], ['linux/armel', 'linux/arm/v6'], ['linux/arm/v6', 'linux/arm/v6'],
  ['linux/i386', 'linux/386'], ['arm64', 'linux/arm64'], ['macos/arm64', 'darwin/arm64'], ['windows(10.0.17763)/amd64', 'windows/amd64'], ['linux/riscv64', 'linux/riscv64'],
];

test('names of one platform are unified', () => {
  for (const [text, normal] of table) assert.equal(formatPlatform(parsePlatform(text)), normal, text);
  assert.equal(parsePlatform('windows(10.0.17763)/amd64')['os.version'], '10.0.17763');
  assert.deepEqual(parsePlatform('linux'), hostPlatform());
});

test('what is no platform is refused', () => {
  for (const text of ['', '/', 'linux/', 'a/b/c/d', 'lin ux/amd64', 'foo', 'linux/amd64/\n']) {
    assert.throws(() => parsePlatform(text), (error) => isSiruError(error) && error.code === 'PLATFORM', text);
  }
});

test('normalising twice is normalising once', () => {
  const word = fc.constantFrom('linux', 'Linux', 'x86_64', 'arm', 'arm64', 'aarch64', 'armhf', '', 'v7', 'v8', '8', '386');
  fc.assert(fc.property(word, word, word, (os, architecture, variant) => {
    const once = normalizePlatform({ os, architecture, variant });
    assert.deepEqual(normalizePlatform(once), once);
    if (os !== '' && architecture !== '') assert.deepEqual(parsePlatform(formatPlatform(once)), once);
  }));
});

test('the nearest variant is chosen, then the first in the list', () => {
  const list = (...texts: string[]): (Platform | undefined)[] =>
    texts.map((text) => {
      if (text === '') return undefined;
      const [os, architecture, variant] = text.split('/');
      return variant === undefined ? { os: os!, architecture: architecture! } : { os: os!, architecture: architecture!, variant };
    });
  const cases: [wanted: string, given: string[], chosen: number | undefined][] = [
    ['linux/amd64', ['linux/arm64', 'linux/amd64', 'linux/amd64'], 1],
    ['linux/amd64', ['linux/amd64/v2', 'linux/arm64'], undefined],
    ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 1],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm/v8'], 2],
    ['linux/arm/v8', ['linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6'], 1],
    ['linux/arm/v6', ['linux/arm/v7', 'linux/arm'], 1],
    ['linux/arm/v5', ['linux/arm/v7', 'linux/arm/v6'], undefined],
    ['linux/arm64', ['unknown/unknown', 'linux/arm64/v8'], 1],
    ['linux/arm64', ['', 'linux/arm64/v9'], undefined],
    ['linux/s390x', ['linux/amd64'], undefined],
  ];
  for (const [wanted, given, chosen] of cases) assert.equal(choosePlatform(parsePlatform(wanted), list(...given)), chosen, `${wanted} of ${given.join()}`);
  assert.equal(choosePlatform({ os: 'unknown', architecture: 'unknown' }, list('unknown/unknown')), undefined);
  assert.deepEqual(chooseDescriptor([{ id: 1 }, { id: 2, platform: { os: 'linux', architecture: 'arm64' } }], parsePlatform('arm64'))?.id, 2);
  assert.ok(matchesPlatform(parsePlatform('linux/arm64'), { os: 'linux', architecture: 'arm64', variant: 'v8' }));
});
