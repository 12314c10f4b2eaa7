/**
 * Builds a folder with docker and with Siru and shows what differs: `compare.ts FOLDER [flags of build]`.
 * `--show` prints what docker made, too.
 */
import { cpSync, lstatSync, lutimesSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from './case.ts';
import { diff } from './diff.ts';
import { openOracle } from './oracle.ts';
import { openOwn } from './own.ts';

const [folder, ...args] = process.argv.slice(2).filter((word) => word !== '--show');
if (folder === undefined) throw new Error('compare.ts FOLDER [flags]');

/** A copy with the times of the original. */
function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    const { atimeMs, mtimeMs } = lstatSync(join(from, name));
    lutimesSync(join(to, name), atimeMs / 1000, mtimeMs / 1000);
  }
}

const test: Case = { name: 'compare', args, refused: /^/, prepare: ({ context }) => copy(folder, context) };
if (process.argv.includes('-')) test.stdin = readFileSync(0);
const oracle = await openOracle(['examples']);
await using own = await openOwn(['examples']);
const [theirs, ours] = [await oracle.build(test), await own.build(test)];
if (process.argv.includes('--show')) process.stdout.write(`${JSON.stringify(theirs, undefined, 1)}\n`);
const lines = diff(theirs, ours);
process.stdout.write(lines.length === 0 ? 'equal\n' : `${lines.join('\n')}\n`);
process.exitCode = lines.length === 0 ? 0 : 1;
