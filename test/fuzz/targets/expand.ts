/** Variables in words. The input is options, the word, and the values of A and B, parted by NUL. */
import { isSiruError } from '../../../src/base/errors.ts';
import { expandWord, expandWords, maxExpansion, type ExpandOptions } from '../../../src/dockerfile/expand.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';
import { vectorSeeds } from '../vectors.ts';

export const expand: Target = {
  name: 'expand',
  share: 130,
  largest: 1 << 14,
  dictionary: ['${A}', '${A:-', '${B#', '${B##*', '${A%%?', '${A/x/', '${A//', '${A:?', '}', '$A', '$$', '\\', '"', "'", '*', '\u0000', '${', '😀', '\ud83d'],
  seeds: () => [
    ...vectorSeeds('buildkit-shell-word.json', ({ word, env }) => `\0${String(word)}\0${valueOf(env, 0)}\0${valueOf(env, 1)}`),
    ...vectorSeeds('buildkit-shell-words.json', ({ word, text, env }) => `\0${String(word ?? text)}\0${valueOf(env, 0)}\0${valueOf(env, 1)}`),
    Buffer.from('\0${A//a*/$B}${B:-${A##"x"}}\0aXaY\0b b'),
    Buffer.from('\x01${A%%[a-z]*} "$B\\"" \'$A\'\0abc\0*?\\*'),
  ],
  run(input) {
    const [head = '', word = '', a = '', b = ''] = Buffer.from(input).toString('utf8').split('\0');
    const bits = head === '' ? 0 : head.charCodeAt(0);
    const values: Record<string, string> = { A: a, B: b };
    const environment = (name: string): string | undefined => (Object.hasOwn(values, name) ? values[name] : undefined);
    const options: ExpandOptions = {
      escape: bits & 1 ? '`' : '\\',
      quotes: bits & 2 ? 'literal' : 'remove',
      escapes: bits & 4 ? 'keep' : 'remove',
      unset: bits & 8 ? 'keep' : 'empty',
    };
    const one = answerOf(() => expandWord(word, environment, options));
    const many = answerOf(() => expandWords(word, environment, options));
    if (isSiruError(one) !== isSiruError(many)) broken('one word and many words do not agree');
    if (isSiruError(one)) return ending(one);
    for (const name of one.matched) if (environment(name) === undefined) broken(`${name} is said to be set`);
    if (one.result.length > 2 * maxExpansion) broken('the result is longer than it may be');
    if (!/[$\\`"']/.test(word) && one.result !== word) broken('a plain word was changed');
    return `${one.matched.size} ${one.unmatched.size} ${(many as string[]).length}`;
  },
};

function valueOf(environment: unknown, position: number): string {
  const entry: unknown = Array.isArray(environment) ? environment[position] : undefined;
  return typeof entry === 'string' ? entry.slice(entry.indexOf('=') + 1) : '';
}
