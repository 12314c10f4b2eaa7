/** The lock file as a text: what is written is read, and nothing else is. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../../base/errors.ts';
import { sha256 } from '../../oci/digest.ts';
import { formatLock, keyOf, largestLock, longestLockLine, mostLockLines, parseLock, type LockEntry } from './lock-file.ts';
import { readLockFile } from './read-lock.ts';

const head = 'siru-lock 1\nplatforms linux/amd64 linux/arm64\n';
const digest = `sha256:${'a'.repeat(64)}`;
const commit = 'b'.repeat(40);
const parse = (text: string): ReturnType<typeof parseLock> => parseLock(Buffer.from(text), 'Dockerfile.lock');

const hex = fc.string({ maxLength: 5 }).map(sha256);
const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const platform = fc.constantFrom('linux/amd64', 'linux/arm64', 'linux/arm/v7', 'windows/amd64');
const ref = word.map((name) => `refs/heads/${name}`);
const entry: fc.Arbitrary<LockEntry> = fc.oneof(
  fc.record({ kind: fc.constant('image' as const), name: fc.tuple(fc.constantFrom('', 'localhost:5000/', 'example.org/team/'), word, word).map(([host, name, tag]) => `${host}${name}:${tag}`), platform, digest: hex }),
  fc.record({ kind: fc.constant('url' as const), name: word.map((name) => `https://example.org/${name}?a=%20#`), digest: hex }),
  fc.record({ kind: fc.constant('git' as const), name: word.map((name) => `git@example.org:${name}.git#main`), commit: hex.map((text) => text.slice(7, 47)), ref }),
  fc.record({ kind: fc.constant('git' as const), name: word, commit: hex.map((text) => text.slice(7)), ref, tag: hex.map((text) => text.slice(7)) }),
);

test('what is written is read again, in one order', () => {
  fc.assert(fc.property(fc.array(entry, { maxLength: 20 }), fc.uniqueArray(platform, { minLength: 1 }), (all, platforms) => {
    const entries = [...new Map(all.map((one) => [keyOf(one), { ...one }])).values()];
    const text = formatLock({ platforms, entries });
    const read = parse(text);
    assert.deepEqual(read.platforms, platforms);
    assert.deepEqual(new Map(read.entries.map((one) => [keyOf(one), one])), new Map(entries.map((one) => [keyOf(one), one])));
    assert.equal(formatLock({ platforms, entries: entries.toReversed() }), text);
    assert.equal(formatLock(read), text);
  }));
});

test('any bytes are a lock or an error with a line', () => {
  const damage = fc.tuple(fc.array(entry, { minLength: 1, maxLength: 4 }), fc.nat(), fc.uint8Array({ maxLength: 3 })).map(([all, at, bytes]) => {
    const text = Buffer.from(formatLock({ platforms: ['linux/amd64'], entries: [...new Map(all.map((one) => [keyOf(one), one])).values()] }));
    const from = at % text.length;
    return Buffer.concat([text.subarray(0, from), bytes, text.subarray(from + bytes.length)]);
  });
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), damage), (bytes) => {
    try {
      parseLock(bytes, 'Dockerfile.lock');
    } catch (error) {
      assert.ok(isSiruError(error) && error.code === 'LOCK', String(error));
      assert.match(error.message, /^Dockerfile\.lock(?::\d+: | is no text)/);
      assert.ok(error.hint);
    }
  }), { numRuns: 2000 });
});

for (const [name, text, message] of [
  ['an empty file', '', /^Dockerfile\.lock:1: no lock file/],
  ["another tool's", '{"version": 1}\n', /^Dockerfile\.lock:1: no lock file/],
  ['of a newer Siru', 'siru-lock 2\n', /^Dockerfile\.lock:1: made by another Siru/],
  ['cut off within a digest', `${head}url https://example.org/a ${digest.slice(0, 30)}`, /^Dockerfile\.lock:3: .*cut off/],
  ['cut off at the end of a line', `siru-lock 1\n`, /^Dockerfile\.lock:1: there is no line with platforms/],
  ['an unknown word', `${head}\n# a remark\nblob a ${digest}\n`, /^Dockerfile\.lock:5: "blob" is nothing that a lock file holds/],
  ['a digest that is too short', `${head}url https://example.org/a sha256:abc\n`, /^Dockerfile\.lock:3: "sha256:abc" is no digest/],
  ['a digest of another algorithm', `${head}url https://example.org/a sha512:${'a'.repeat(128)}\n`, /^Dockerfile\.lock:3: .* is no digest/],
  ['an image without a tag', `${head}image alpine linux/amd64 ${digest}\n`, /^Dockerfile\.lock:3: "alpine" is no name of an image/],
  ['an image by another name than people write', `${head}image docker.io/library/alpine:1 linux/amd64 ${digest}\n`, /^Dockerfile\.lock:3: .* is no name of an image/],
  ['an image without a platform', `${head}image alpine:1 ${digest}\n`, /^Dockerfile\.lock:3: an image is written/],
  ['a platform that is none', `${head}image alpine:1 linux ${digest}\n`, /^Dockerfile\.lock:3: "linux" is no platform/],
  ['a short commit', `${head}git https://example.org/a.git abcdef\n`, /^Dockerfile\.lock:3: "abcdef" is no whole commit/],
  ['a ref that would be an option', `${head}git https://example.org/a.git ${commit} --upload-pack=x\n`, /^Dockerfile\.lock:3: .* is no whole name of a ref/],
  ['one source twice', `${head}url https://example.org/a ${digest}\nurl https://example.org/a sha256:${'c'.repeat(64)}\n`, /^Dockerfile\.lock:4: url https:\/\/example\.org\/a is sha256:c+, and in line 3 it is sha256:a+/],
  ['a conflict', `${head}<<<<<<< HEAD\n`, /^Dockerfile\.lock:3: a conflict/],
  ['a long line', `${head}url https://example.org/${'a'.repeat(longestLockLine)} ${digest}\n`, /^Dockerfile\.lock:3: longer than/],
  ['too many lines', `${head}${'\n'.repeat(mostLockLines)}`, /has more than 20000 lines/],
] as const) {
  test(`${name} is refused`, () => {
    assert.throws(() => parse(text), (error) => isSiruError(error) && error.code === 'LOCK' && message.test(error.message) && error.hint !== undefined);
  });
}

test('the same line twice, as a merge leaves it, is no contradiction', () => {
  assert.equal(parse(`${head}url https://example.org/a ${digest}\nurl https://example.org/a ${digest}\n`).entries.length, 1);
});

test('of a file of 100 MB no more is read than a lock may have', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'Dockerfile.lock');
  writeFileSync(file, head);
  truncateSync(file, 100_000_000);
  const bytes = readLockFile(file);
  assert.equal(bytes.length, largestLock + 1);
  assert.throws(() => parseLock(bytes, file), { code: 'LOCK', message: /has more than the 4194304 bytes/ });
  assert.throws(() => readLockFile(folder), { code: 'LOCK', message: /is no file/ });
});
