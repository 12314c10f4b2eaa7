/** References: what comes out goes in again, and what is wrong is said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError, SiruError } from '../base/errors.ts';
import { familiarReference, formatReference, parseReference, parseReferenceOrId, parseReferenceWithTag, registryHost, type Reference } from './reference.ts';

const part = fc.stringMatching(/^[a-z0-9]{1,6}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,6}){0,2}$/);
const reference = fc.record({
  domain: fc.constantFrom('docker.io', 'localhost', 'localhost:5000', 'example.com', '127.0.0.1:80', '[::1]:5000', 'HOST'),
  path: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
  tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
  digest: fc.option(fc.stringMatching(/^sha256:[0-9a-f]{64}$/), { nil: undefined }),
}).map(({ tag, digest, ...rest }) => {
  const result = { ...rest } as Reference;
  if (rest.domain === 'docker.io' && !rest.path.includes('/')) result.path = `library/${rest.path}`;
  if (tag !== undefined) result.tag = tag;
  if (digest !== undefined) result.digest = digest as 'sha256:';
  return result;
});

test('a formatted reference parses to the same reference', () => {
  fc.assert(fc.property(reference, (one) => {
    assert.deepEqual(parseReference(formatReference(one)), one);
    assert.deepEqual(parseReference(familiarReference(one)), one);
  }), { numRuns: 2000 });
});

test('familiar forms that would be read differently keep their registry', () => {
  for (const text of [`docker.io/library/${'a'.repeat(64)}`, 'docker.io/foo.com/bar', 'docker.io/localhost/bar']) {
    assert.equal(familiarReference(parseReference(text)), text);
  }
  assert.equal(familiarReference(parseReference('docker.io/library/a:1')), 'a:1');
});

test('no text makes the parsers throw anything but REFERENCE', () => {
  const text = fc.oneof(fc.string(), fc.array(fc.constantFrom('a', 'A', '/', ':', '@', '.', '-', '_', 'sha256:', '[', ']', '5000', ' ', 'docker.io'), { maxLength: 15 }).map((parts) => parts.join('')));
  fc.assert(fc.property(text, (one) => {
    for (const parse of [parseReference, parseReferenceWithTag, parseReferenceOrId]) {
      try {
        parse(one);
      } catch (error) {
        assert.ok(isSiruError(error) && error.code === 'REFERENCE', String(error));
      }
    }
  }), { numRuns: 3000 });
  const begin = performance.now();
  for (const long of ['a-'.repeat(50_000), `${'a'.repeat(2000)}!`, `${'a.'.repeat(1000)}!`, `${'a-'.repeat(1000)}/x!`]) assert.throws(() => parseReference(long));
  assert.ok(performance.now() - begin < 1000);
});

test('what is wrong is said, with what to do', () => {
  const cases: [text: string, message: RegExp, hint?: RegExp][] = [
    ['', /is empty/, /Name an image/],
    ['docker.io/Team/App:V1', /lower-case/, /docker\.io\/team\/app:V1/],
    ['https://example.com/a', /URL/, /example\.com\/a/],
    ['a b', /white space/],
    ['a@sha256:12', /no digest/],
    [`a@sha256:${'0'.repeat(40)}`, /has 64 hexadecimal digits, this one 40/],
    [`a@sha256:${'A'.repeat(64)}`, /lower-case/],
    [`a@md5:${'0'.repeat(32)}`, /no digest algorithm/],
    ['a:-x', /"-x" is no tag/],
    ['a:', /"" is no tag/],
    ['a//b', /empty/],
    ['a/', /slash/],
    ['0'.repeat(64), /image ID/],
    [`a/${'b'.repeat(256)}`, /longer than 255/],
  ];
  for (const [text, message, hint] of cases) {
    assert.throws(() => parseReference(text), (error) => {
      assert.ok(error instanceof SiruError && error.code === 'REFERENCE');
      assert.match(error.message, message);
      if (hint) assert.match(error.hint ?? '', hint);
      return true;
    });
  }
});

test('latest is added only where nothing pins the image', () => {
  assert.equal(formatReference(parseReferenceWithTag('a')), 'docker.io/library/a:latest');
  assert.equal(formatReference(parseReferenceWithTag('a:1')), 'docker.io/library/a:1');
  const digest = `sha256:${'0'.repeat(64)}`;
  assert.equal(formatReference(parseReferenceWithTag(`a@${digest}`)), `docker.io/library/a@${digest}`);
  assert.equal(registryHost(parseReference('a')), 'registry-1.docker.io');
  assert.equal(registryHost(parseReference('localhost:5000/a')), 'localhost:5000');
});
