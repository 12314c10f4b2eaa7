/** What stands below the progress of a build: its result, or the end of the output of the step that failed. */
import { harmlessLine, harmlessLog } from '../sanitize.ts';
import { stepLabel } from './state.ts';
import type { ProgressState } from './state.ts';

/** Image or index, names, where it went, and `7 steps: 5 cached, 2 executed in 1.2 s`. `short` makes a stored name readable. */
export function summaryText(state: ProgressState, short: (name: string) => string): string {
  const { done } = state;
  if (!done) return '';
  const { outputs = [{ type: 'image' }] } = done;
  const id = done.platform?.includes(',') ? `index  ${done.digest}` : `image  ${done.imageId}`;
  const lines = outputs.some(({ type }) => ['image', 'oci', 'docker'].includes(type)) ? [id] : [];
  if (done.references.length > 0) lines.push(`named  ${done.references.map(short).join(', ')}`);
  for (const { dest, pushed } of outputs) {
    if (dest !== undefined) lines.push(`wrote  ${harmlessLine(dest)}`);
    for (const { name, digest } of pushed ?? []) lines.push(`pushed ${short(name)}@${digest}`);
  }
  lines.push(stepsLine(done.steps, done.took, done.imported));
  return `${lines.join('\n')}\n`;
}

export function stepsLine(steps: { cached: number; executed: number; same: number }, took: number, imported: Record<string, number> = {}): string {
  const all = steps.cached + steps.executed + steps.same;
  const time = `in ${(took / 1000).toFixed(took < 1000 ? 2 : 1)} s`;
  if (all === 0) return `no steps to execute, ${time}`;
  const parts = [];
  const from = Object.entries(imported).map(([cache, count]) => `${count} from ${harmlessLine(cache)}`);
  if (steps.cached > 0) parts.push(`${steps.cached} cached${from.length > 0 ? ` (${from.join(', ')})` : ''}`);
  if (steps.executed > 0) parts.push(`${steps.executed} executed`);
  if (steps.same > 0) parts.push(`${steps.same} executed with the same result`);
  return `${all} ${all === 1 ? 'step' : 'steps'}: ${parts.join(', ')} ${time}`;
}

export function warningsText(state: ProgressState): string {
  return state.warnings.map(({ text, line, hint }) => {
    const where = line === undefined ? '' : ` (line ${line})`;
    return `warning: ${harmlessLine(text)}${where}\n${hint === undefined ? '' : `  hint: ${harmlessLine(hint)}\n`}`;
  }).join('');
}

/** The last lines of output of each step that failed. */
export function failureText(state: ProgressState, lines: number): string {
  let out = '';
  for (const view of state.steps.values()) {
    if (view.status !== 'failed' || view.tail.length === 0) continue;
    const tail = view.tail.slice(-lines).map((line) => `${harmlessLog(line)}\n`);
    out += `------\n > ${harmlessLine(stepLabel(view.step))}:\n${tail.join('')}------\n`;
  }
  return out;
}
