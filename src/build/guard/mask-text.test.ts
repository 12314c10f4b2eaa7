import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileNeedles } from '../../base/search.ts';
import { createMaskedOutput, maskIn } from './mask-text.ts';

const compile = (...texts: string[]): ReturnType<typeof compileNeedles> => compileNeedles(texts.map((text) => Buffer.from(text)));

function pass(needles: ReturnType<typeof compileNeedles>, pieces: string[]): { text: string; shown: string[]; found: [number, number][] } {
  const shown: string[] = [];
  const output = createMaskedOutput(needles, (_, bytes) => shown.push(bytes.toString()));
  for (const piece of pieces) output.push('stdout', Buffer.from(piece));
  output.end();
  return { text: shown.join(''), shown, found: [...output.found] };
}

test('a text without secrets is the same text', () => {
  assert.equal(maskIn(compile('secret-1'), 'nothing here'), 'nothing here');
  assert.equal(maskIn(compile('secret-1', 'et-1secret'), 'a secret-1secret-1 b secret-1'), 'a *** b ***');
});

test('a value that is cut anywhere is masked', () => {
  const text = 'first\ntoken: abcdefgh12, again abcdefgh12\n';
  for (let one = 0; one <= text.length; one++) {
    for (let two = one; two <= text.length; two++) {
      const { text: shown, found } = pass(compile('abcdefgh12'), [text.slice(0, one), text.slice(one, two), text.slice(two)]);
      assert.equal(shown, 'first\ntoken: ***, again ***\n');
      assert.deepEqual(found, [[0, 2]]);
    }
  }
});

test('output cut anywhere is what the whole would be', () => {
  const letters = fc.stringMatching(/^[ab\n]*$/);
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ab]{8,12}$/), { minLength: 1, maxLength: 3 }), fc.array(letters, { maxLength: 8 }), (needles, pieces) => {
      const compiled = compile(...needles);
      const { text } = pass(compiled, pieces);
      // Hits that overlap in the end may be told apart by where the stream was cut; nothing of a secret is shown in any case.
      assert.equal(text.replaceAll(/(\*\*\*)+/g, '***'), maskIn(compiled, pieces.join('')).replaceAll(/(\*\*\*)+/g, '***'));
    }),
    { numRuns: 3000 },
  );
});

test('what cannot be the beginning of a secret is shown at once', () => {
  const shown: string[] = [];
  const output = createMaskedOutput(compile('abcdefgh12'), (_, bytes) => shown.push(bytes.toString()));
  output.push('stdout', Buffer.from('Password: '));
  assert.deepEqual(shown, ['Password: ']);
  output.push('stdout', Buffer.from('50 % abc'));
  assert.deepEqual(shown, ['Password: ', '50 % ']);
  output.push('stderr', Buffer.from('defgh12'));
  output.end();
  assert.deepEqual(shown, ['Password: ', '50 % ', 'defgh12', 'abc']);
});
