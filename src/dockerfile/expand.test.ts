/** Expansion: the published vectors, and what no text may do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../base/errors.ts';
import { readCases, runCases } from '../oci/vectors.suite.ts';
import { expandWord, expandWords, type Environment } from './expand.ts';

function environment(list: string[]): Environment {
  const map = new Map(list.map((item) => [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)]));
  return (name) => map.get(name);
}

test('one word holds the vectors of buildkit', (t) => {
  const cases = readCases(t, 'buildkit-shell-word.json');
  if (!cases) return;
  runCases(t, cases, ({ input, expect }) => {
    const expand = () => expandWord(input.word, environment(input.env));
    if (expect.error) {
      assert.throws(expand, (error: Error) => isSiruError(error) && error.message.includes(expect.message_contains ?? ''));
      return;
    }
    const { result, matched, unmatched } = expand();
    assert.equal(result, expect.result);
    if (expect.matched) assert.deepEqual([...matched].sort(), expect.matched);
    if (expect.unmatched) assert.deepEqual([...unmatched].sort(), expect.unmatched);
  });
});

test('word splitting holds the vectors of buildkit', (t) => {
  const cases = readCases(t, 'buildkit-shell-words.json');
  if (!cases) return;
  runCases(t, cases, ({ input, expect }) => {
    const expand = () => expandWords(input.word, environment(input.env));
    if (expect.error) assert.throws(expand, (error) => isSiruError(error));
    else assert.deepEqual(expand(), expect.words);
  });
});

/** Text in which the characters that mean something are frequent. */
const shellText = fc.array(fc.oneof(fc.constantFrom('$', '{', '}', ':', '-', '+', '?', '#', '%', '/', '*', '\\', '`', '"', "'", ' ', 'A', 'B', '${', '${A', '\n'), fc.string({ maxLength: 3 })), { maxLength: 30 }).map((parts) => parts.join(''));

test('no text makes expansion throw anything but DOCKERFILE', () => {
  fc.assert(fc.property(shellText, fc.dictionary(fc.constantFrom('A', 'B'), shellText), fc.constantFrom('\\', '`'), fc.constantFrom('remove', 'literal'), fc.constantFrom('empty', 'keep'), (word, values, escape, quotes, unset) => {
    const env: Environment = (name) => (Object.hasOwn(values, name) ? values[name] : undefined);
    for (const expand of [expandWord, expandWords]) {
      try {
        expand(word, env, { escape: escape as '\\', quotes: quotes as 'remove', unset: unset as 'keep' });
      } catch (error) {
        assert.ok(isSiruError(error) && error.code === 'DOCKERFILE', String(error));
      }
    }
  }), { numRuns: 3000 });
});

test('text without special characters is its own expansion', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
    const plain = text.replace(/[$'"\\]/g, '');
    assert.equal(expandWord(plain, () => 'x').result, plain);
  }));
});

test('traps of expansion', () => {
  const expand = (word: string, values: Record<string, string> = {}, options = {}): string => expandWord(word, (name) => values[name], options).result;
  assert.equal(expand('C:\\$A `$A', { A: '1' }, { escape: '`' }), 'C:\\1 $A');
  assert.equal(expand('${A/a/$B}', { A: 'aa', B: '$1' }), '$1a', 'a replacement is no template');
  assert.equal(expand('${A//a*/x}', { A: 'ab\nac' }), 'x\nx', 'stars stop at the end of a line');
  assert.equal(expand('${A//b/}', { A: 'abcb' }), 'ac');
  assert.equal(expand('${A//?/x}', { A: '한글' }), 'xx', 'a character is one, whatever its bytes');
  assert.equal(expand('${A//${B}/x}', { A: 'abc', B: '' }), 'xaxbxcx');
  assert.equal(expand('"$A" \'$A\'', { A: '1' }, { quotes: 'literal' }), '"1" \'1\'');
  assert.equal(expand('$A ${B} ${B:-x} ${A:-x}', { A: '1' }, { unset: 'keep' }), '1 ${B} ${B:-x} 1');
  assert.equal(expand('${A%.*} ${A%%.*} ${A#*.} ${A##*.}', { A: 'a.b.c' }), 'a.b a b.c c');
  assert.throws(() => expand('${A^}', { A: '1' }), /unsupported modifier/);
  assert.throws(() => expand('${A:0:1}', { A: '1' }), /unsupported modifier/);
  assert.throws(() => expand('${A?}'), /A: is not allowed to be unset/);
});

test('hostile words end soon', () => {
  const env: Environment = (name) => (name === 'LONG' ? 'a'.repeat(100_000) : undefined);
  assert.equal(expandWord(`\${LONG#${'*a'.repeat(400)}b}`, env).result.length, 100_000);
  assert.throws(() => expandWord('${A:-'.repeat(20_000), env), /nested/);
  assert.throws(() => expandWord('$LONG'.repeat(1000), env), /expands to more than/);
  assert.throws(() => expandWord('${LONG//a/${LONG}}', env), /more than/);
});
