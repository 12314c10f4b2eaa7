/** `siru builds compare` */
import { compareBuilds, type BuildSums, type StepResult } from '../../build/history/compare-builds.ts';
import type { Call } from '../call.ts';
import type { BuildsFlags } from '../commands/builds.ts';
import { time } from '../explain-text.ts';
import { findBuild, shortBuild } from '../../build/history/find-build.ts';
import { harmlessJson, harmlessLine } from '../sanitize.ts';
import { alignColumns } from '../tables.ts';
import { humanSize } from '../units.ts';

export async function compareTwo(call: Call, [before, after]: [string, string], flags: BuildsFlags): Promise<void> {
  const { builds } = await call.store();
  const comparison = compareBuilds(findBuild(builds, before, process.cwd()), findBuild(builds, after, process.cwd()));
  if (flags.json) return call.print(`${harmlessJson(JSON.stringify(comparison, undefined, 2))}\n`);
  const row = (name: string, of: (sums: BuildSums) => string): string => `${name}\t${of(comparison.before)}\t${of(comparison.after)}`;
  const sums = [
    `\t${shortBuild(comparison.before.id)}\t${shortBuild(comparison.after.id)}`,
    row('took', ({ took }) => time(took)),
    row('executing', ({ ran }) => time(ran)),
    row('cached', ({ cached, steps }) => `${cached} of ${steps}`),
    row('executed', ({ executed, same }) => `${executed + same}`),
    row('made', ({ bytes }) => humanSize(bytes)),
    row('moved', ({ moved }) => humanSize(moved)),
    row('warnings', ({ warnings }) => String(warnings)),
  ];
  const steps = comparison.steps.map(({ stage, text, before: old, after: now, equal }) =>
    [equal ? '' : '*', harmlessLine(`[${stage}] ${text}`).slice(0, 60), result(old), result(now)].join('\t'));
  call.print(`${alignColumns(sums.join('\n'))}\n\n${alignColumns(steps.join('\n'))}\n\n* another layer\n`);
}

function result(step: StepResult | undefined): string {
  if (!step) return '-';
  return `${step.status} ${time(step.took)}${step.bytes === undefined ? '' : ` ${humanSize(step.bytes)}`}`;
}
