/** docs/errors.md has a section for each error code of the library, in the order of the code, and none for others. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');

test('every error code has its section in docs/errors.md', () => {
  const source = readFileSync(join(root, 'src/base/errors.ts'), 'utf8');
  const codes = [...source.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, code]) => code);
  const sections = [...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  assert.ok(codes.length > 15, 'the list of codes was found');
  assert.deepEqual(sections, codes);
});
