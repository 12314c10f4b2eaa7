/** Finds the cases: `<instruction>/<topic>.cases.ts`, each of which exports `cases`. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Recorded } from './case.ts';

export interface Found {
  folder: string;
  test: Case;
  /** The file with what is recorded. */
  expected: string;
}

const home = import.meta.dirname;

/** `filter`: a folder, or `folder/part of a name`; several with commas between them. */
export async function loadCases(filter = ''): Promise<Found[]> {
  const wanted = filter.split(',').filter((word) => word !== '').map((word) => word.split('/') as [string, string?]);
  const found: Found[] = [];
  for (const file of globSync('*/*.cases.ts', { cwd: home }).sort()) {
    const folder = file.slice(0, file.indexOf('/'));
    if (wanted.length > 0 && !wanted.some(([name]) => name === folder)) continue;
    const { cases } = (await import(join(home, file))) as { cases: Case[] };
    for (const test of cases) {
      assert.match(test.name, /^[a-z0-9]+(?:-[a-z0-9]+)*$/, `${file}: the name ${test.name} is not kebab-case`);
      assert.ok(!found.some((other) => other.folder === folder && other.test.name === test.name), `${folder}/${test.name} is there twice`);
      if (wanted.length > 0 && !wanted.some(([name, part = '']) => name === folder && test.name.includes(part))) continue;
      found.push({ folder, test, expected: join(home, folder, 'expected', `${test.name}.json`) });
    }
  }
  return found;
}

export function readRecorded({ folder, expected }: Found): Recorded {
  assert.ok(existsSync(expected), `nothing is recorded: npm run record -- --missing ${folder}`);
  return JSON.parse(readFileSync(expected, 'utf8')) as Recorded;
}
