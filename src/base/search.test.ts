import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileNeedles, createSearch, searchBytes, shortestNeedle } from './search.ts';

/** Few letters, so that needles overlap, repeat and nearly occur. */
const letters = (from: number, to: number): fc.Arbitrary<Buffer> =>
  fc.array(fc.constantFrom(0, 97, 98, 255), { minLength: from, maxLength: to }).map((bytes) => Buffer.from(bytes));

function naive(needles: Uint8Array[], hay: Buffer): string[] {
  const found: string[] = [];
  for (const [number, needle] of needles.entries()) for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + 1)) found.push(`${number}@${at}`);
  return found.sort();
}

test('every place of every needle is found, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(letters(shortestNeedle, 20), { minLength: 1, maxLength: 5 }), fc.array(letters(0, 40), { maxLength: 6 }), fc.nat(4), (needles, pieces, which) => {
      // One of the needles is planted across the pieces.
      const planted = needles[which % needles.length]!;
      const stream = pieces.flatMap((piece, i) => (i === 1 ? [planted.subarray(0, 3), planted.subarray(3), piece] : [piece]));
      const found: string[] = [];
      const search = createSearch(compileNeedles(needles), (needle, offset) => found.push(`${needle}@${offset}`));
      for (const piece of stream) search.push(piece);
      assert.deepEqual(found.sort(), naive(needles, Buffer.concat(stream)));
    }),
    { numRuns: 2000 },
  );
});

test('large pieces too', () => {
  fc.assert(
    fc.property(letters(shortestNeedle, 20), fc.array(fc.nat(9999), { maxLength: 20 }), fc.integer({ min: 4000, max: 10_000 }), (needle, places, size) => {
      const hay = Buffer.alloc(size, 'ab');
      for (const place of places) needle.copy(hay, place % size);
      const found: string[] = [];
      searchBytes(compileNeedles([needle]), hay, (number, offset) => found.push(`${number}@${offset}`));
      assert.deepEqual(found.sort(), naive([needle], hay));
    }),
    { numRuns: 500 },
  );
});

test('a buffer that is used again does not change what is found', () => {
  const found: number[] = [];
  const search = createSearch(compileNeedles([Buffer.from('0123456789')]), (_, offset) => found.push(offset));
  const buffer = Buffer.alloc(6);
  for (const piece of ['__0123', '456789', '012345', '6789__']) {
    buffer.write(piece);
    search.push(buffer);
  }
  assert.deepEqual(found, [2, 12]);
});

test('needles longer than a step can be', () => {
  const needle = Buffer.alloc(1000, 'abcdefg');
  const found: number[] = [];
  searchBytes(compileNeedles([needle]), Buffer.concat([Buffer.alloc(500), needle, Buffer.alloc(500)]), (_, offset) => found.push(offset));
  assert.deepEqual(found, [500]);
});

test('a needle that is too short is refused', () => {
  assert.throws(() => compileNeedles([Buffer.from('1')]), RangeError);
});
