/** docs/checks has a page for every rule, and its index and docs/dockerfile.md name all that a build may warn of. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pageOf, rules } from '../../src/dockerfile/checks/rules.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('every rule has a page: what, why, bad, good', () => {
  for (const rule of rules) {
    const page = read(pageOf(rule));
    assert.ok(page.startsWith(`# ${rule.name}\n\n${rule.description}`), rule.name);
    for (const part of ['## Why', '## Bad', '## Good']) assert.ok(page.includes(`\n${part}\n`), `${rule.name} has no ${part}`);
  }
  const pages = readdirSync(join(root, 'docs/checks')).filter((name) => name !== 'README.md');
  assert.deepEqual(pages.toSorted(), rules.map(({ name }) => `${name}.md`).toSorted());
});

test('the index has every rule with its sentence', () => {
  const rows = [...read('docs/checks/README.md').matchAll(/^\| \[(\w+)\]\(\1\.md\) \| (.+) \|$/gm)].map(([, name, sentence]) => `${name}: ${sentence}`);
  assert.deepEqual(rows, rules.map(({ name, description }) => `${name}: ${description}`));
});

test('no build warns of what is not documented', () => {
  const known = new Set(rules.map(({ name }) => name));
  for (const name of readdirSync(join(root, 'src/build'), { recursive: true }) as string[]) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const text = readFileSync(join(root, 'src/build', name), 'utf8');
    for (const [, rule] of text.matchAll(/(?:rule: |\bwarn\()'([A-Z]\w+)'/g)) assert.ok(known.has(rule!) || rule === 'UnconsumedBuildArg', rule);
  }
  assert.match(read('docs/dockerfile.md'), /`UnconsumedBuildArg`/);
});
