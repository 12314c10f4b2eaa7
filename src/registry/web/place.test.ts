import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pagePath, parsePlace, referenceOf } from './place.ts';
import type { Place } from './place.ts';

const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?$/);
const repository = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const place: fc.Arbitrary<Place> = fc.oneof(
  fc.record({ repository }),
  fc.record({ repository, tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/) }),
  fc.record({ repository, digest: fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}` as const) }),
);

test('the address of a page tells its place, as it is and percent-encoded', () => {
  fc.assert(fc.property(place, (one) => {
    const rest = pagePath(one).slice('/r/'.length);
    assert.equal(rest, referenceOf(one));
    assert.deepEqual(parsePlace(rest), { ...one });
    assert.deepEqual(parsePlace(encodeURIComponent(rest)), { ...one });
  }));
});

test('whatever an address is, it names a place that could be or none', () => {
  for (const wrong of ['', 'A', 'a:', 'a:b:c', 'a@sha256:x', 'a@', '..', 'a/../b', 'a%00', '%zz', 'a@md5:d41d8cd98f00b204e9800998ecf8427e', `a:${'x'.repeat(129)}`]) assert.equal(parsePlace(wrong), undefined, wrong);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    const found = parsePlace(text);
    if (found !== undefined) assert.deepEqual(parsePlace(referenceOf(found)), found);
  }));
});
