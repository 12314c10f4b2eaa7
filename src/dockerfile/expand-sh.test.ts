/** The forms of expansion that Dockerfiles share with shells mean here what they mean there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../base/errors.ts';
import { expandWord } from './expand.ts';

type Values = Record<string, string | undefined>;

/** Plain text: neither quotes, nor what only one of the two takes for a wildcard (`[`), nor what a shell does more with (`~`, a backtick, a space). */
const plain = fc.stringMatching(/^[abX./:,-]{0,4}$/);
const spaced = fc.stringMatching(/^[abX ]{0,4}$/);
const value = fc.option(fc.stringMatching(/^[abX*?/ "'$]{0,6}$/), { nil: undefined });
const name = fc.constantFrom('A', 'B', 'EMPTY', 'UNSET');

interface Parts {
  word: string;
  quoted: string;
  pattern: string;
}

const { word } = fc.letrec<Parts>((tie) => ({
  word: fc.array(
    fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      plain,
      name.map((one) => `\${${one}}`),
      fc.constantFrom('\\$', '\\\\', '\\"', "\\'", '\\a', '$A', '$UNSET/', "'$A \"'", "''"),
      tie('quoted').map((text) => `"${String(text)}"`),
      fc.tuple(name, fc.constantFrom('-', ':-', '+', ':+'), tie('word')).map(([one, operator, text]) => `\${${one}${operator}${String(text)}}`),
      fc.tuple(name, fc.constantFrom('#', '##', '%', '%%'), tie('pattern')).map(([one, operator, text]) => `\${${one}${operator}${String(text)}}`),
    ),
    { maxLength: 4 },
  ).map((parts) => parts.join('')),
  // Inside double quotes shells differ about quotes in a default, so there are none.
  quoted: fc.array(fc.oneof(spaced, fc.constantFrom('$A', '${B}', '\\$', '\\"', '\\\\', '\\a', "'", '${A:-b c}', '${UNSET-x}', '${EMPTY:+y}', '${A%X*}', '${A##*a}')), { maxLength: 3 }).map((parts) => parts.join('')),
  // A pattern that begins with # or % would be read as the longer operator by one of the two only.
  pattern: fc.array(fc.constantFrom('a', 'b', 'X', '*', '?', '/', '\\*', '\\?', '$B', '${EMPTY}'), { maxLength: 4 }).map((parts) => parts.join('')),
}));

// The reference builder evaluates a default also where it is not used, so `?` stands outside of them.
const whole = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 1, arbitrary: fc.tuple(word, name, fc.constantFrom('?', ':?'), plain).map(([before, one, operator, text]) => `${before}\${${one}${operator}${text}}`) },
);

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What a shell makes of the words, each in a process of its own; undefined where it refuses. */
function ask(shell: string[], words: readonly string[], values: Values): (string | undefined)[] {
  const set = Object.entries(values).flatMap(([key, text]) => (text === undefined ? [`unset ${key}`] : [`${key}=${quote(text)}`])).join('; ');
  // An assignment neither splits words nor looks for files.
  const script = words.map((text) => `(${set}; X=${text}; printf 'y%s\\0' "$X") 2>/dev/null || printf 'n\\0'`).join('\n');
  const { stdout } = spawnSync(shell[0]!, [...shell.slice(1), '-c', script], { encoding: 'utf8', maxBuffer: 1 << 26, env: { LC_ALL: 'C.UTF-8' } });
  return stdout.split('\0').slice(0, -1).map((text) => (text.startsWith('y') ? text.slice(1) : undefined));
}

const there = (shell: string[]): boolean => spawnSync(shell[0]!, [...shell.slice(1), '-c', 'exit 7']).status === 7;

for (const shell of [['dash'], ['busybox', 'sh']]) {
  test(`random words expand as in ${shell.join(' ')}`, { skip: there(shell) ? false : `there is no ${shell[0]}` }, () => {
    let answered = 0;
    fc.assert(
      fc.property(fc.array(whole, { minLength: 40, maxLength: 40 }), value, value, (words, a, b) => {
        const values: Values = { A: a, B: b, EMPTY: '', UNSET: undefined };
        const expected = ask(shell, words, values);
        assert.equal(expected.length, words.length);
        for (const [i, text] of words.entries()) {
          let result: string | undefined;
          try {
            ({ result } = expandWord(text, (variable) => values[variable]));
          } catch (error) {
            if (!isSiruError(error)) throw error;
          }
          assert.equal(result, expected[i], `${text} with ${JSON.stringify(values)}`);
          if (result !== undefined) answered++;
        }
      }),
      { numRuns: 25, endOnFailure: false },
    );
    assert.ok(answered > 500, `${answered} were answered`);
  });
}
