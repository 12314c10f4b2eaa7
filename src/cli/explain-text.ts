/** An explanation as people read it. Pure. */
import type { Cause, ExplainedStep, Explanation } from '../build/history/explanation.ts';
import { shortId } from '../oci/digest.ts';
import type { StepChange } from '../store/store.ts';
import { shortBuild } from '../build/history/find-build.ts';
import { shortName } from './names.ts';
import { stepLabel } from './progress/state.ts';
import { harmlessLine } from './sanitize.ts';
import { alignColumns } from './tables.ts';
import { ago, humanSize } from './units.ts';

export interface TextOptions {
  now: number;
  /** Every change; else the first few of each cause. */
  all: boolean;
}

/** Changes that are shown of a cause unless all are asked for. */
const shownChanges = 10;

/** The whole build: causes, then each step in a line. */
export function explanationText(explanation: Explanation, options: TextOptions): string {
  const { steps, causes } = explanation;
  const parts = [`${buildLine(explanation, options.now)}\n`];
  const names = new Map(steps.map((step) => [step.number, step]));
  if (causes.length === 0) parts.push('Every step was found in the cache.\n');
  for (const cause of causes) parts.push(causeText(cause, names, options));
  const rows = steps.map((step) => [`#${step.number}`, harmlessLine(stepLabel(ref(step))).slice(0, 72), resultOf(step), harmlessLine(step.why ?? hitText(step, options.now))].join('\t').trimEnd());
  parts.push(`${alignColumns(rows.join('\n'))}\n`);
  return parts.join('\n');
}

/** One step: what changed, where it comes from, what it stands for. */
export function stepText(explanation: Explanation, step: ExplainedStep, options: TextOptions): string {
  const names = new Map(explanation.steps.map((one) => [one.number, one]));
  const lines = [`#${step.number} ${harmlessLine(stepLabel(ref(step)))}${step.line === undefined ? '' : ` (line ${step.line})`}`, resultOf(step)];
  const hit = hitText(step, options.now);
  if (hit !== '') lines.push(hit);
  if (step.why !== undefined) lines.push(harmlessLine(step.why));
  if (step.error !== undefined) lines.push(`error: ${harmlessLine(step.error)}`);
  if (step.changes.length > 0) lines.push('Changed of its own key:', ...changeLines(step.changes, options).map((line) => `  ${line}`));
  if (step.key !== undefined) lines.push(`key ${step.key}`);
  if (step.diffId !== undefined) lines.push(`layer ${step.diffId}`);
  const causes = step.causes.map((index) => causeText(explanation.causes[index]!, names, options));
  return [`${lines.join('\n')}\n`, ...causes].join('\n');
}

function buildLine({ build, steps }: Explanation, now: number): string {
  const what = build.references.length > 0 ? build.references.map(shortName).join(', ') : (build.directory ?? build.project);
  const own = steps.filter(({ text }) => !text.startsWith('FROM '));
  const cached = own.filter(({ hit }) => hit).length;
  const outcome = build.outcome === 'done' ? '' : `, ${build.outcome}`;
  return harmlessLine(`Build ${shortBuild(build.id)} of ${what}, ${since(build.started, now)}${outcome}: ${own.length} ${own.length === 1 ? 'step' : 'steps'}, ${cached} cached, in ${time(build.took)}`);
}

function causeText(cause: Cause, steps: ReadonlyMap<number, ExplainedStep>, options: TextOptions): string {
  const { step: number, changes, unlisted, note, cost, advice } = cause;
  const step = steps.get(number);
  const at = step ? `#${number} ${harmlessLine(step.text)}${step.line === undefined ? '' : ` (line ${step.line})`}` : `#${number}`;
  const lines = [`${harmlessLine(cause.text)}`, `  in ${at}`];
  // The first change is mostly the headline itself.
  lines.push(...changeLines(changes, options, unlisted).filter((line) => line !== harmlessLine(cause.text)).map((line) => `  ${line}`));
  if (note !== undefined) lines.push(`  ${note}`);
  lines.push(`  cost ${time(cost.took)}, ${humanSize(cost.bytes)}: ${cost.steps.length === 1 ? 'step' : `${cost.steps.length} steps,`} ${ranges(cost.steps)}`);
  for (const { text, saves, builds } of advice) {
    lines.push(`  ${harmlessLine(text)}: it would have saved ${time(saves)} in ${builds === 1 ? 'this build' : `the last ${builds} builds`}`);
  }
  return `${lines.join('\n')}\n`;
}

function changeLines(changes: readonly StepChange[], { all }: TextOptions, unlisted = 0): string[] {
  const shown = all ? changes : changes.slice(0, shownChanges);
  const lines = shown.map((change) => harmlessLine(changeText(change)));
  const more = changes.length - shown.length + unlisted;
  if (more > 0) lines.push(`... and ${more} more${all ? ', which are not known any more' : ' (--all shows them)'}`);
  return lines;
}

/** The change with what was before and after, where its own sentence does not say so. */
function changeText({ text, what, part, before, after }: StepChange): string {
  const brief = (value: string | undefined): string => (value === undefined ? 'nothing' : /^\w+:[0-9a-f]{64}$/.test(value) ? shortId(value) : value);
  if (what === 'content') return `${text}: content ${brief(before)} -> ${brief(after)}`;
  if ((part === 'instruction' || part === 'command') && before !== after) return `${text}: ${brief(before)} -> ${brief(after)}`;
  if (part === 'cache' && before !== undefined) return `${text}, ${before}`;
  return text;
}

function resultOf({ status, hit, ran, took, bytes, text }: ExplainedStep): string {
  const size = bytes === undefined ? '' : ` ${humanSize(bytes)}`;
  if (hit) return text.startsWith('FROM ') ? 'here' : 'cached';
  if (status === 'same') return `executed, same result ${time(ran ?? took)}`;
  return `${text.startsWith('FROM ') && status === 'executed' ? 'pulled' : status} ${time(ran ?? took)}${size}`;
}

function hitText({ made, from }: ExplainedStep, now: number): string {
  const found = from === undefined ? '' : `found in cache ${harmlessLine(from)}, `;
  return made ? `${found}made ${since(made.at, now)}, saved ${time(made.took)}` : '';
}

function ref({ number, stage, index, total, text }: ExplainedStep): { id: number; stage: string; index: number; total: number; text: string } {
  return { id: number, stage, index, total, text };
}

/** `less than a second ago`, within a sentence. */
function since(at: number, now: number): string {
  const text = ago(at, now);
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

/** `#4 #6-#9`. */
function ranges(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    parts.push(end > i ? `#${sorted[i]}-#${sorted[end]}` : `#${sorted[i]}`);
    i = end + 1;
  }
  return parts.join(' ');
}

/** `41 s`, `0.32 s`. */
export function time(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return `${seconds >= 100 ? seconds.toFixed(0) : seconds >= 1 ? seconds.toFixed(1) : seconds.toFixed(2)} s`;
}
