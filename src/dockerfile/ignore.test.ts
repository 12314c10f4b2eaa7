/** Ignore files: the published vectors, and that the quick ways say the same as the plain rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../base/errors.ts';
import { readCases, runCases } from '../oci/vectors.suite.ts';
import { compileGlob, matchGlob } from './glob.ts';
import { createMatcher, createWildcard, hasWildcard, parseIgnoreFile, parsePatterns, maxPatternLength, maxPatterns } from './ignore.ts';

test('patterns hold the vectors of patternmatcher', (t) => {
  const cases = readCases(t, 'patternmatcher-match.json');
  if (!cases) return;
  runCases(t, cases, ({ input, expect }) => {
    const matcher = () => createMatcher(parsePatterns(input.patterns));
    if (expect.error) assert.throws(matcher, (error) => isSiruError(error) && error.code === 'CONTEXT');
    else assert.equal(matcher().ignored(input.path), expect.match);
  });
});

test('ignore files hold the vectors of patternmatcher', (t) => {
  const cases = readCases(t, 'patternmatcher-ignorefile.json');
  if (!cases) return;
  runCases(t, cases, ({ input, expect }) => assert.deepEqual(parseIgnoreFile(input.text).map(({ pattern }) => pattern), expect.patterns));
});

const name = fc.constantFrom('a', 'b', 'ab', 'a.b', 'abc');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
const pattern = fc.tuple(
  fc.constantFrom('', '', '!'),
  fc.array(fc.oneof(name, fc.constantFrom('*', '**', '?', 'a*', '*b', '**b', 'a**', '[ab]', '[^a]', '\\a', '*.?')), { minLength: 1, maxLength: 3 }),
).map(([not, parts]) => not + parts.join('/'));

/** The rule as the specification tells it, with a regular expression for each pattern. */
function plainly(patterns: string[], path: string): boolean {
  const names = path.split('/');
  const paths = names.map((_, position) => names.slice(0, position + 1).join('/'));
  let hidden = false;
  for (const { pattern: text } of parsePatterns(patterns)) {
    const exception = text.startsWith('!');
    const body = text.replace(/^!/, '');
    const suffix = /^\*\*([^*?[\]\\]+)$/.exec(body)?.[1];
    const regular = body.replace(/\*\*\/?$|\*\*\/?|\*|\?|\\.|\./g, (part, at: number) =>
      part.startsWith('**') ? (at + part.length === body.length ? '.*' : '(.*/)?') : part === '*' ? '[^/]*' : part === '?' ? '[^/]' : part.startsWith('\\') ? part.slice(1) : '\\.');
    const matches = (one: string): boolean => (suffix !== undefined && !suffix.startsWith('/') && one.endsWith(suffix)) || new RegExp(`^${regular}$`).test(one);
    if (paths.some(matches)) hidden = !exception;
  }
  return hidden;
}

test('the matcher says what the plain rule says, in any order of paths', () => {
  fc.assert(fc.property(fc.array(pattern, { maxLength: 5 }), fc.array(path, { minLength: 1, maxLength: 12 }), (patterns, paths) => {
    const matcher = createMatcher(parsePatterns(patterns));
    for (const one of paths) {
      assert.equal(matcher.ignored(one), plainly(patterns, one), one);
      const rule = matcher.rule(one);
      assert.equal(matcher.matching(one).at(-1), rule);
      assert.equal(matcher.ignored(one), rule !== undefined && !rule.pattern.startsWith('!'));
    }
  }), { numRuns: 3000 });
});

test('below a hidden directory that may bring nothing back, all is hidden', () => {
  fc.assert(fc.property(fc.array(pattern, { maxLength: 4 }), path, fc.array(name, { minLength: 1, maxLength: 3 }), (patterns, directory, names) => {
    const matcher = createMatcher(parsePatterns(patterns));
    fc.pre(matcher.ignored(directory) && !matcher.mayReinclude(directory));
    assert.ok(matcher.ignored(`${directory}/${names.join('/')}`));
  }), { numRuns: 3000 });
});

test('a walker need not enter what an exception elsewhere brings back', () => {
  const matcher = createMatcher(parseIgnoreFile('*\n!src/*.ts\n!docs/**/a.md\n'));
  assert.deepEqual(['src', 'docs', 'docs/x/y', 'src/x', 'other', 'node_modules'].map((one) => matcher.mayReinclude(one)), [true, true, true, false, false, false]);
  assert.ok(matcher.hasExceptions);
});

test('the rule that decided is known by its line', () => {
  const matcher = createMatcher(parseIgnoreFile('# none\n\nnode_modules\n  *.log \n!keep.log\n'));
  assert.deepEqual(matcher.rule('node_modules/a/b'), { pattern: 'node_modules', text: 'node_modules', line: 3 });
  assert.deepEqual(matcher.rule('x.log'), { pattern: '*.log', text: '*.log', line: 4 });
  assert.equal(matcher.rule('keep.log')!.line, 5);
  assert.equal(matcher.rule('src'), undefined);
});

test('wildcards of COPY', () => {
  for (const [text, name, expected] of [['*.js', 'a.js', true], ['*.js', 'a/b.js', false], ['a?c', 'a/c', false], ['[a-c]x', 'bx', true], ['[^a]', 'b', true], ['\\*', '*', true], ['\\*', 'a', false], ['**', 'a/b', false], ['*', '', true]] as const) {
    assert.equal(createWildcard(text)(name), expected, `${text} ${name}`);
  }
  assert.deepEqual(['a*', 'a?b', '[a]', '\\*', 'a', '\\', '\\\\*', '\\a'.repeat(1000)].map(hasWildcard), [true, true, true, false, false, false, true, false]);
  assert.throws(() => createWildcard('[a'), (error) => isSiruError(error) && error.code === 'DOCKERFILE');
});

test('patterns are counted and measured', () => {
  const refused = (text: string, limit: number): void => assert.throws(() => createMatcher(parseIgnoreFile(text)), (error: unknown) => isSiruError(error) && error.code === 'CONTEXT' && error.message.includes(` ${limit}`));
  refused('a\n'.repeat(maxPatterns + 1), maxPatterns);
  refused('a'.repeat(maxPatternLength + 1), maxPatternLength);
  assert.ok(createMatcher(parseIgnoreFile(`${'b\n'.repeat(maxPatterns - 1)}${'**/a'.repeat(1024)}`)).ignored('a/'.repeat(1024) + 'a'));
});

test('no pattern takes long', () => {
  const begin = performance.now();
  const long = 'a'.repeat(4000);
  assert.ok(!matchGlob(compileGlob(`${'*a'.repeat(300)}*b`, true), long));
  assert.ok(!matchGlob(compileGlob(`${'**/a'.repeat(300)}*[b]`, true), `${'a/'.repeat(1000)}c`));
  assert.ok(!matchGlob(compileGlob(`${'[a-z]*'.repeat(300)}[0]`, true), long));
  assert.ok(performance.now() - begin < 3000);
});

test('a hundred thousand paths cost little', (t) => {
  const rules = parseIgnoreFile('node_modules\n**/*.log\n.git\ndist/**\n**/.DS_Store\n*.md\n!README.md\n**/*.test.*\ndocs/*/draft-*\n**/tmp*/**\ncoverage\n.env*\n**/__pycache__\n');
  const matcher = createMatcher(rules);
  const begin = performance.now();
  let hidden = 0;
  for (let i = 0; i < 100_000; i++) if (matcher.ignored(`packages/package-${i >> 8}/src/folder-${(i >> 4) & 15}/component-${i}.ts`)) hidden++;
  const took = performance.now() - begin;
  t.diagnostic(`${took.toFixed(0)} ms for 100,000 paths and ${rules.length} rules`);
  assert.equal(hidden, 0);
});
