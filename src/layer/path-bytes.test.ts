/** Names survive the way from bytes to strings and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePath, encodePath, fsPath } from './path-bytes.ts';

test('any bytes survive', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    assert.deepEqual(encodePath(decodePath(bytes)), Buffer.from(bytes));
  }));
  for (const hex of ['ff', 'c3', 'eda080', 'f09f98', 'f0808080', 'c0af', '61c3a9ff62', 'f4908080', 'efbbbf61', 'e0a080']) {
    assert.equal(encodePath(decodePath(Buffer.from(hex, 'hex'))).toString('hex'), hex);
  }
});

test('ordinary names are ordinary strings', () => {
  for (const name of ['etc/passwd', 'naïve', '日本', '😀', '\ufeffx']) {
    assert.equal(decodePath(Buffer.from(name)), name);
    assert.equal(fsPath(name), name);
  }
  assert.equal(decodePath(Buffer.from([0x61, 0xff])), 'a\udcff');
  assert.deepEqual(fsPath('a\udcff'), Buffer.from([0x61, 0xff]));
});
