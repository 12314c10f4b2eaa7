/** `siru builds inspect` */
import { sumsOf } from '../../build/history/compare-builds.ts';
import type { BuildEntry } from '../../store/store.ts';
import type { Call } from '../call.ts';
import type { BuildsFlags } from '../commands/builds.ts';
import { time } from '../explain-text.ts';
import { findBuild } from '../../build/history/find-build.ts';
import { shortName } from '../names.ts';
import { stepLabel } from '../progress/state.ts';
import { harmlessJson, harmlessLine } from '../sanitize.ts';
import { alignColumns } from '../tables.ts';
import { goTime, humanSize } from '../units.ts';

export async function inspectBuild(call: Call, words: string | undefined, flags: BuildsFlags): Promise<void> {
  const store = await call.store();
  const build = findBuild(store.builds, words, process.cwd());
  if (flags.json) return call.print(`${harmlessJson(JSON.stringify({ ...build, sums: sumsOf(build) }, undefined, 2))}\n`);
  call.print(buildText(build));
}

function buildText(build: BuildEntry): string {
  const sums = sumsOf(build);
  const facts: [string, string | undefined][] = [
    ['Build', build.id],
    ['Outcome', build.error ? `${build.outcome}: ${build.error.message}` : build.outcome],
    ['Begun', goTime(build.started)],
    ['Took', `${time(build.took)}, of its steps together ${time(sums.ran)}`],
    ['Context', build.directory ?? build.project],
    ['Dockerfile', build.dockerfile],
    ['Target', build.target],
    ['Platforms', build.platforms?.join(', ')],
    ['Arguments', build.arguments?.join(', ')],
    ['Names', build.references.length > 0 ? build.references.map(shortName).join(', ') : undefined],
    ['Image', build.imageId],
    ['Digest', build.digest],
    ['Cache', `${sums.cached} of ${sums.steps} steps cached, ${sums.executed} executed${sums.same > 0 ? `, ${sums.same} executed with the same result` : ''}`],
    ['Made', humanSize(sums.bytes)],
    ['Moved', sums.moved > 0 ? humanSize(sums.moved) : undefined],
    ['Logs', build.logBytes === undefined ? undefined : humanSize(build.logBytes)],
  ];
  const head = facts.filter((fact): fact is [string, string] => fact[1] !== undefined).map(([name, value]) => `${name}:\t${harmlessLine(value)}`);
  const steps = build.steps.map((step, i) => {
    const { number = i + 1, stage, index = i + 1, total = build.steps.length, text, status, took, bytes, reason, base } = step;
    const label = stepLabel({ id: number, stage, index, total, text });
    return [`#${number}`, harmlessLine(label).slice(0, 72), status, time(took), bytes === undefined ? '' : humanSize(bytes), harmlessLine(base ? base.digest : (reason ?? ''))].join('\t').trimEnd();
  });
  const transfers = (build.transfers ?? []).map(({ direction, what, state, took, bytes }) => [direction, harmlessLine(what), state, time(took), bytes === undefined ? '' : humanSize(bytes)].join('\t').trimEnd());
  const warnings = (build.warnings ?? []).map(({ text, line }) => `warning: ${harmlessLine(text)}${line === undefined ? '' : ` (line ${line})`}`);
  const blocks = [head, steps, transfers].filter((lines) => lines.length > 0).map((lines) => alignColumns(lines.join('\n')));
  return `${[...blocks, ...(warnings.length > 0 ? [warnings.join('\n')] : [])].join('\n\n')}\n`;
}
