/** What docs/contexts.md says of addresses is what the program reads in them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseGitUrl } from '../../src/build/contexts/git-url.ts';
import { parseContext, parseNamedContext } from '../../src/build/contexts/spec.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/contexts.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([^`]+)` \| (\w+) \|/gm)].map(([, text, type]) => [text!, type!] as const);

test('every kind of context is what the page says', () => {
  assert.ok(rows.length >= 12);
  for (const [text, type] of rows) {
    const named = /^name=(.*)$/.exec(text);
    const spec = named ? parseNamedContext('name', named[1]!) : parseContext(text, (path) => path === '.');
    assert.equal(spec.type, type, text);
  }
});

test('every command of the page names a context that is read', () => {
  for (const [, line] of page.matchAll(/^ {4}siru build (.*)$/gm)) {
    const words = line!.replace(/ +#.*$/, '').replace(/ < .*$/, '').split(' ');
    assert.doesNotThrow(() => parseContext(words.at(-1)!, (path) => path === '.'), line);
  }
});

test('every query of the page is taken', () => {
  const table = page.slice(page.indexOf('| query |'), page.indexOf('Files are 0644'));
  const queries = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/`([a-z=-]+)`/g)].map(([, query]) => query!));
  assert.ok(queries.length >= 9);
  for (const query of queries) {
    const text = query.includes('=') || query === 'keep-git-dir' ? query : query === 'fetch-by-commit' ? `${query}&commit=${'a'.repeat(40)}` : `${query}=abc`;
    assert.ok(parseGitUrl(`https://example.org/app.git?${text}`), query);
  }
});
