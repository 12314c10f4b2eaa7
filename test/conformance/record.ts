/**
 * Records what the oracle makes of cases: `record.ts [--missing] [--jobs N] [folder[/part of a name] ...]`.
 * Several may run at once. Ends with 1 when a case is not as it says: refused where it should build, or the other way round.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Recorded } from './case.ts';
import { loadCases, type Found } from './load-cases.ts';
import { openOracle } from './oracle.ts';

const args = process.argv.slice(2);
const missing = args.includes('--missing');
const jobsAt = args.indexOf('--jobs');
const jobs = jobsAt < 0 ? 3 : Number(args[jobsAt + 1]);
const filter = args.filter((word, at) => !word.startsWith('--') && (jobsAt < 0 || at !== jobsAt + 1)).join(',');

const queue = (await loadCases(filter)).filter(({ expected }) => !missing || !existsSync(expected));
const oracle = await openOracle(queue.map(({ folder }) => folder));
let wrong = 0;

async function work(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    try {
      await record(next);
    } catch (error) {
      wrong++;
      process.stdout.write(`FAILED  ${next.folder}/${next.test.name}: ${String(error)}\n`);
    }
  }
}

async function record({ folder, test, expected }: Found): Promise<void> {
  const outcome = await oracle.build(test);
  const refused = 'refused' in outcome;
  const asSaid = refused === (test.refused !== undefined);
  process.stdout.write(`${asSaid ? 'recorded' : 'NOT AS THE CASE SAYS'}  ${folder}/${test.name}${refused ? `: ${outcome.message}${outcome.line === undefined ? '' : ` (line ${outcome.line})`}` : ''}\n`);
  if (!asSaid) {
    wrong++;
    // Where Siru differs on purpose, the oracle decides what is written.
    if (!test.differs) return;
  }
  const recorded: Recorded = { oracle: oracle.versions, ...outcome };
  mkdirSync(dirname(expected), { recursive: true });
  const unfinished = `${expected}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(recorded, undefined, 1)}\n`);
  renameSync(unfinished, expected);
}

await Promise.all(Array.from({ length: jobs }, work));
process.exitCode = wrong > 0 ? 1 : 0;
