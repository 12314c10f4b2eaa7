/** Ignore files against paths. The input is the file's text and, after a NUL, paths, one a line. */
import { isSiruError } from '../../../src/base/errors.ts';
import { createMatcher, createWildcard, hasWildcard, parseIgnoreFile } from '../../../src/dockerfile/ignore.ts';
import type { Random } from '../random.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';
import { vectorSeeds } from '../vectors.ts';

const pieces = ['a', 'b', 'ab', '*', '**', '?', '[a-c]', '[^a]', '\\*', '/', '/', '.', '..', '!', '#', ' ', '\n', '\n', 'ü', '[', ']', '\\', '-', '[\\]a]'];

export const ignore: Target = {
  name: 'ignore',
  share: 100,
  largest: 1 << 13,
  dictionary: [...pieces, '**/', '/**', '\0'],
  seeds: () => [
    ...vectorSeeds('patternmatcher-match.json', ({ patterns, path }) => `${(patterns as string[]).join('\n')}\0${String(path)}`),
    ...vectorSeeds('patternmatcher-ignorefile.json', (input) => (typeof input.text === 'string' ? `${input.text}\0a/b` : undefined)),
    Buffer.from('# c\n*\n!src/**/*.ts\nsrc/[a-b]*/\n\0src/a/x.ts\nsrc\nnode_modules/a\n'),
    Buffer.from(`${'**/a*'.repeat(30)}\0${'a/'.repeat(60)}`),
  ],
  generate(random) {
    const text = (most: number): string => Array.from({ length: random.int(most) }, () => random.pick(pieces)).join('');
    return Buffer.from(`${text(20)}\0${paths(random)}`);
  },
  run(input) {
    const [text = '', listed = ''] = Buffer.from(input).toString('utf8').split('\0');
    const rules = parseIgnoreFile(text);
    const matcher = answerOf(() => createMatcher(rules));
    for (const { pattern } of rules.slice(0, 20)) {
      hasWildcard(pattern);
      const wildcard = answerOf(() => createWildcard(pattern));
      if (!isSiruError(wildcard)) wildcard(listed.slice(0, 100));
    }
    if (isSiruError(matcher)) return ending(matcher);
    // A walk gives clean paths.
    const seen = listed.split('\n').filter((path) => !/^\/|\/$|\/\//.test(path)).slice(0, 30).map((path) => {
      const hidden = matcher.ignored(path);
      if (hidden !== createMatcher(rules).ignored(path)) broken(`the answer for ${JSON.stringify(path)} depends on those before it`);
      if (hidden && matcher.rule(path) === undefined) broken('hidden by no rule');
      if (hidden && path !== '' && !matcher.mayReinclude(path) && !matcher.ignored(`${path}/a`)) broken(`something below ${JSON.stringify(path)} shows`);
      return hidden ? 'h' : 's';
    });
    return [...new Set(seen)].join();
  },
};

function paths(random: Random): string {
  return Array.from({ length: 1 + random.int(6) }, () => Array.from({ length: 1 + random.int(4) }, () => random.pick(['a', 'b', 'ab', 'abc', '.a', '*', 'ü'])).join('/')).join('\n');
}
