/** Splitting into words, fields and flags; suggestions; excerpts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { excerpt } from './errors.ts';
import { parseDockerfile } from './parse.ts';
import { didYouMean, editDistance, nearest } from './suggest.ts';
import { splitCsv, splitQuoted, takeFlags } from './words.ts';

test('fields of CSV come back as they were written', () => {
  fc.assert(fc.property(fc.array(fc.string(), { minLength: 1 }), fc.boolean(), (fields, always) => {
    const line = fields.map((field) => (always || /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
    assert.deepEqual(splitCsv(line), fields);
  }));
  for (const wrong of ['a"b', '"a', '"a"b', 'x,"']) assert.throws(() => splitCsv(wrong));
});

test('flags come back as they were written, whatever is in them', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.string()), { maxLength: 4 }), fc.stringMatching(/^[a-z/]{0,8}$/), (flags, rest) => {
    const line = [...flags.map(([name, value]) => `--${name}="${value.replace(/[\\"]/g, '\\$&')}"`), rest].join(' ');
    assert.deepEqual(takeFlags(line), { flags: flags.map(([name, value]) => `--${name}=${value}`), rest });
  }));
});

test('quoted words fall apart only where nothing quotes them', () => {
  assert.deepEqual(splitQuoted(`a "b c" 'd "e' f\\ g h"i j"k ""`, '\\'), ['a', '"b c"', `'d "e'`, 'f\\ g', 'h"i j"k', '""']);
  assert.deepEqual(splitQuoted('a` b \\ c', '`'), ['a` b', '\\', 'c']);
});

test('heredocs come back as they were written', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, '')).filter((text) => text !== 'END' && text !== 'MORE');
  fc.assert(fc.property(fc.array(line), fc.array(line), (one, two) => {
    const text = (lines: string[]): string => lines.map((item) => `${item}\n`).join('');
    const { stages } = parseDockerfile(`FROM x\nCOPY <<END <<'MORE' /d/\n${text(one)}END\n${text(two)}MORE\nUSER u\n`);
    const [copy, user] = stages[0]!.instructions;
    assert.ok(copy?.kind === 'copy' && user?.kind === 'user');
    assert.deepEqual(copy.heredocs.map(({ content, expand }) => [content, expand]), [[text(one), true], [text(two), false]]);
    assert.equal(user.lines.start, 5 + one.length + two.length);
  }));
});

test('the nearest name is suggested, and a far one is not', () => {
  assert.equal(editDistance('copy', 'coppy'), 1);
  assert.equal(editDistance('form', 'from'), 1);
  assert.equal(nearest('ENTRYPIONT', ['ENV', 'ENTRYPOINT']), 'ENTRYPOINT');
  assert.equal(nearest('xyz', ['copy', 'add']), undefined);
  assert.equal(nearest('', ['a']), undefined);
  assert.equal(didYouMean('form', ['from'], '--'), ' (did you mean --from?)');
  assert.equal(didYouMean('from', ['from']), '');
  fc.assert(fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
    assert.equal(editDistance(a, b), editDistance(b, a));
    assert.equal(editDistance(a, b) === 0, a === b);
  }));
});

test('an excerpt is short and harmless', () => {
  const text = excerpt({ name: 'D', text: `a\u001b[31m\n${'x'.repeat(1000)}\n${'y\n'.repeat(100)}` }, { start: 1, end: 90 });
  assert.ok(text.split('\n').length < 26 && text.length < 1000);
  assert.ok(!text.includes('\u001b') && text.includes('...'));
});
