/**
 * `npm run fuzz`: a bounded run over all targets.
 *
 *     --runs N       inputs in all; a million when not given
 *     --minutes N    stop after so long, if that is sooner
 *     --seed N       another seed gives other inputs
 *     --target NAME  only this one; may be given more than once
 *
 * What breaks a rule is written to test/fuzz/found and ends the run with code 1.
 */
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { keepInput } from './found.ts';
import { supervise } from './supervise.ts';
import { targetOf, targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', multiple: true },
  },
});
const number = (name: string, text: string): number => {
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`--${name} ${text} is no number`);
  return value;
};
const chosen = values.target?.map(targetOf) ?? targets;
const whole = chosen.reduce((sum, { share }) => sum + share, 0);
const runs = number('runs', values.runs);
const seed = number('seed', values.seed);
const time = values.minutes === undefined ? undefined : number('minutes', values.minutes) * 60_000;

let all = 0;
let finds = 0;
const started = performance.now();
console.log('target            inputs   inputs/s  endings  slowest ms  heap growth MiB  process MiB  finds');
for (const { name, share } of chosen) {
  const part = share / whole;
  const report = await supervise(name, { seed, runs: Math.ceil(runs * part), ...(time !== undefined && { time: time * part }) });
  all += report.runs;
  finds += report.finds.length;
  const cells = [report.runs, Math.round(report.runs / (report.took / 1000)), report.endings, Math.round(report.slowest), (report.growth / 2 ** 20).toFixed(1), Math.round(report.resident / 2 ** 20), report.finds.length];
  console.log(name.padEnd(14) + cells.map((cell, i) => String(cell).padStart([10, 11, 9, 12, 17, 13, 7][i]!)).join(''));
  for (const { kind, why, input } of report.finds) {
    const kept = input && relative(process.cwd(), keepInput(name, input));
    console.log(`  ${kind}${kept === undefined ? '' : ` ${kept}`}: ${why.replaceAll('\n', '\n    ')}`);
  }
}
const seconds = (performance.now() - started) / 1000;
console.log(`${all} inputs in ${seconds.toFixed(0)} s, ${Math.round(all / seconds)} a second, seed ${seed}: ${finds === 0 ? 'nothing found' : `${finds} found`}`);
process.exitCode = finds === 0 ? 0 : 1;
