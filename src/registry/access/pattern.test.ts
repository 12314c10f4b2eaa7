import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fits, parsePattern, patternFault } from './pattern.ts';
import { createDecide } from './rights.ts';

test('stars stand for parts of names', () => {
  const cases: [pattern: string, name: string, fits: boolean][] = [
    ['**', 'a/b/c', true], ['*', 'a', true], ['*', 'a/b', false], ['team/*', 'team/app', true], ['team/*', 'team/a/b', false], ['team/**', 'team/a/b', true],
    ['team/**', 'team', false], ['team/**', 'teams/a', false], ['*/app', 'team/app', true], ['**/app', 'a/b/app', true], ['a*c', 'abbc', true], ['a*c', 'ac', true],
    ['a*c', 'a/c', false], ['v*', 'v1.0', true], ['app', 'app', true], ['app', 'app2', false], ['*-dev', 'v1-dev', true], ['**a**b', 'xa/yb', true], ['', '', true],
  ];
  for (const [pattern, name, expected] of cases) assert.equal(fits(parsePattern(pattern), name), expected, `${pattern} ${name}`);
});

test('${user} is the whole name of who asks, letter by letter, and nobody else', () => {
  const home = parsePattern('home/${user}/**');
  assert.ok(fits(home, 'home/ann/x', 'ann'));
  assert.ok(!fits(home, 'home/annie/x', 'ann'));
  assert.ok(!fits(home, 'home/ann/x', undefined));
  assert.ok(!fits(home, 'home/bob/x', '*'), 'a star in a name is a star');
  assert.ok(!fits(home, 'home/bob/x', '**'));
  assert.ok(!fits(home, 'home//x', ''));
});

test('a pattern fits what the regular expression fits that says the same, in a bounded time', () => {
  const characters = fc.constantFrom('a', 'b', '/', '.');
  const names = fc.array(characters, { maxLength: 12 }).map((parts) => parts.join(''));
  const patterns = fc.array(fc.oneof(characters, fc.constant('*'), fc.constant('**')), { maxLength: 8 }).map((parts) => parts.join('')).filter((text) => !text.includes('***'));
  fc.assert(fc.property(patterns, names, (pattern, name) => {
    const source = pattern.replace(/\*\*|\*|\./g, (part) => (part === '**' ? '[^]*' : part === '*' ? '[^/]*' : '\\.'));
    assert.equal(fits(parsePattern(pattern), name), new RegExp(`^${source}$`).test(name));
  }), { numRuns: 2000 });
  assert.ok(!fits(parsePattern('*a'.repeat(255)), `${'a'.repeat(254)}b`));
});

test('what is no pattern is told', () => {
  for (const good of ['team/**', '*', 'home/${user}/**', 'v1.2.*', 'a_b-c']) assert.equal(patternFault(good), undefined, good);
  for (const wrong of ['a***', '$user', '${group}', 'a b', 'a'.repeat(513), '[ab]']) assert.ok(patternFault(wrong), wrong);
});

test('the first rule decides alone, by user, group or for all', () => {
  const decide = createDecide({
    anonymous: 'pull',
    rules: [
      { repositories: ['locked/**'], users: ['ann'], allow: ['pull', 'delete'] },
      { repositories: ['locked/**'], allow: [] },
      { repositories: ['**'], users: ['eve'], groups: ['ops'], allow: ['push'] },
      { repositories: ['public/**'], allow: ['push', 'delete'] },
    ],
  }, true);
  const user = (name: string, ...groups: string[]): { name: string; groups: string[] } => ({ name, groups });
  assert.equal(decide(user('ann'), 'locked/x'), 5);
  assert.equal(decide(user('eve'), 'locked/x'), 0);
  assert.equal(decide(user('eve'), 'x'), 3);
  assert.equal(decide(user('bob', 'ops'), 'x'), 3);
  assert.equal(decide(user('bob'), 'x'), 0);
  assert.equal(decide(user('bob'), 'public/x'), 7);
  assert.equal(decide(undefined, 'public/x'), 1, 'without login never more than anonymous says');
  assert.equal(createDecide({ rules: [{ repositories: ['**'], allow: ['pull'] }] }, true)(undefined, 'x'), 0);
  assert.equal(createDecide({ rules: [{ repositories: ['**'], allow: ['pull'] }] }, false)(undefined, 'x'), 1, 'a registry without users, of which one can only pull');
});
