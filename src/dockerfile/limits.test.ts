/** Files made to use up time or memory are refused with the limit that they pass; see docs/limits.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandWord, maxExpansion, maxExpansionDepth } from './expand.ts';
import { maxFlags, maxInstructions, maxLineBytes, maxWords } from './parse-lines.ts';
import { maxDockerfileBytes, maxStages, parseDockerfile } from './parse.ts';
import { maxPatternSteps } from './shell-pattern.ts';

const refused = (text: string, limit: number): void => {
  assert.throws(() => parseDockerfile(text), (error: Error & { code?: string }) => error.code === 'DOCKERFILE' && error.message.includes(` ${limit} `));
};
const lines = (count: number, line: (i: number) => string): string => Array.from({ length: count }, (_, i) => line(i)).join('');

test('a file of more bytes than a Dockerfile may have is refused before it is read as text', () => {
  refused('#'.repeat(maxDockerfileBytes + 1), maxDockerfileBytes);
  assert.throws(() => parseDockerfile(Buffer.alloc(100_000_000)), /larger than/);
});

test('a line as long as may be is taken, a longer one is not', () => {
  const line = (length: number): string => `FROM scratch\nRUN ${'x'.repeat(length - 4)}\n`;
  assert.equal(parseDockerfile(line(maxLineBytes)).stages[0]!.instructions.length, 1);
  assert.throws(() => parseDockerfile(line(maxLineBytes + 1)), new RegExp(`line 2.*max allowed size of ${maxLineBytes}`));
});

test('instructions, stages, words and flags are counted', () => {
  assert.equal(parseDockerfile(`FROM scratch\n${lines(maxInstructions - 1, () => 'ARG a\n')}`).stages[0]!.instructions.length, maxInstructions - 1);
  refused(`FROM scratch\n${lines(100_000, () => 'ARG a\n')}`, maxInstructions);
  refused(lines(100_000, (i) => `FROM scratch AS s${i}\n`), maxInstructions);
  refused(lines(maxStages + 1, () => 'FROM scratch\n'), maxStages);
  refused(`FROM scratch\nARG ${lines(100_000, (i) => `a${i} \\\n`)}\n`, maxWords);
  refused(`FROM scratch\nCOPY ${lines(100_000, () => 'a \\\n')} /\n`, maxWords);
  refused(`FROM scratch\nRUN ${lines(maxFlags + 1, () => '--mount=target=/x \\\n')} x\n`, maxFlags);
});

test('an expansion has a longest result, a deepest nesting and a most work', () => {
  const env = (name: string): string => (name === 'A' ? 'a'.repeat(1 << 20) : 'ab'.repeat(20_000));
  assert.throws(() => expandWord('$A'.repeat(17), env), new RegExp(` ${maxExpansion} `));
  assert.throws(() => expandWord('${A:-'.repeat(maxExpansionDepth + 1), env), new RegExp(` ${maxExpansionDepth} `));
  assert.throws(() => expandWord('${B//*a*b*a*b*a*b*c/x}'.repeat(1000), env), new RegExp(` ${maxPatternSteps} `));
  assert.equal(expandWord('${B//a*/..}', env).result, '..');
});
