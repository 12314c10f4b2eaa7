/** Published vectors for the tests of this room; see `cases/README.md` where they are kept. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const folder = process.env.SIRU_CASES ?? join(import.meta.dirname, '../../../shared/cases');

/** The cases of a file, or undefined after the test was told to skip. */
export function readCases(t: TestContext, name: string): any[] | undefined {
  const path = join(folder, name);
  if (!existsSync(path)) {
    t.skip(`${name} is not in ${folder}: set SIRU_CASES to the folder of published vectors`);
    return undefined;
  }
  return JSON.parse(readFileSync(path, 'utf8')).cases;
}

/** Runs every case, says how many hold, and throws with all that do not. */
export function runCases(t: TestContext, cases: any[], run: (one: any) => void): void {
  const failed: string[] = [];
  for (const one of cases) {
    try {
      run(one);
    } catch (error) {
      failed.push(`${one.id} ${JSON.stringify(one.input).slice(0, 300)}: ${(error as Error).message.slice(0, 1500)}`);
    }
  }
  t.diagnostic(`${cases.length - failed.length} of ${cases.length} vectors hold`);
  if (failed.length > 0) throw new Error(failed.join('\n\n'));
}
