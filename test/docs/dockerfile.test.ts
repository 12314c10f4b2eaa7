/** docs/dockerfile.md names every warning that a build may give, and no other. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkNames } from '../../src/dockerfile/checks/check-dockerfile.ts';

const root = join(import.meta.dirname, '../..');

test('the list of warnings is complete', () => {
  const names = new Set(checkNames());
  for (const name of readdirSync(join(root, 'src/build'), { recursive: true }) as string[]) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const text = readFileSync(join(root, 'src/build', name), 'utf8');
    for (const [, rule] of text.matchAll(/(?:rule: |\bwarn\()'([A-Z]\w+)'/g)) names.add(rule!);
  }
  const page = readFileSync(join(root, 'docs/dockerfile.md'), 'utf8');
  const section = /^## Warnings$([^]*)/m.exec(page)![1]!.split(/^ {4}/m)[0]!;
  assert.deepEqual(new Set([...section.matchAll(/`(\w+)`/g)].map(([, name]) => name)), new Set(names));
});
