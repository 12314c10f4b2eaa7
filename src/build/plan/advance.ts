/** One instruction after another: what each makes of the state of its stage. Pure. */
import { bodyOf } from '../../dockerfile/heredoc.ts';
import type { Instruction } from '../../dockerfile/instruction.ts';
import type { Advance, StageState } from '../step-plan.ts';
import { planArg } from './arg.ts';
import type { Change } from './change.ts';
import { planCmd, planEntrypoint, planHealthcheck, planShell } from './command.ts';
import { planCopy } from './copy.ts';
import { planEnv } from './env.ts';
import { expanderOf, type Expander } from './expansion.ts';
import { planExpose } from './expose.ts';
import { placed } from './placed.ts';
import { fault } from '../../dockerfile/errors.ts';
import { planLabel, planMaintainer, planOnbuild, planStopsignal, planUser, planVolume } from './metadata.ts';
import { loneHeredoc, planRun } from './run.ts';
import type { Scope } from './scope.ts';
import { planWorkdir } from './workdir.ts';
import { changeWork, withWork } from './work.ts';

/** Throws DOCKERFILE with the place of the instruction. */
export function advance(state: StageState, instruction: Instruction, scope: Scope): Advance {
  const expander = expanderOf(state, instruction, scope);
  const { warnings = [], text, ...change } = placed(scope.source, instruction.lines, () => {
    const changed = changeOf(state, instruction, scope, expander);
    const shown = textOf(instruction, expander);
    return { ...changed, text: shown, state: withWork(changed.state, expander.work() + changeWork(state, changed.state, changed.history)) };
  });
  return {
    ...change,
    text,
    lines: instruction.lines,
    warnings: [...expander.warnings, ...warnings],
  };
}

function changeOf(state: StageState, instruction: Instruction, scope: Scope, expander: Expander): Change {
  switch (instruction.kind) {
    case 'arg':
      return planArg(state, instruction, scope);
    case 'env':
      return planEnv(state, instruction, expander);
    case 'label':
      return planLabel(state, instruction, expander);
    case 'maintainer':
      return planMaintainer(state, instruction);
    case 'run':
      return planRun(state, instruction, scope, expander);
    case 'copy':
    case 'add':
      return planCopy(state, instruction, scope, expander);
    case 'workdir':
      return planWorkdir(state, instruction, expander);
    case 'user':
      return planUser(state, instruction, expander);
    case 'expose':
      return planExpose(state, instruction, expander);
    case 'volume':
      return planVolume(state, instruction, expander);
    case 'entrypoint':
      return planEntrypoint(state, instruction);
    case 'cmd':
      return planCmd(state, instruction);
    case 'shell':
      return planShell(state, instruction);
    case 'healthcheck':
      return planHealthcheck(state, instruction);
    case 'stopsignal':
      return planStopsignal(state, instruction, expander);
    case 'onbuild':
      return planOnbuild(state, instruction);
    case 'from':
      throw fault('FROM begins a stage and cannot stand inside one');
  }
}

/** Kinds whose words mean something only inside the container: they are shown as they are written. */
const unexpanded = new Set<Instruction['kind']>(['cmd', 'entrypoint', 'shell', 'healthcheck', 'maintainer', 'onbuild']);

function textOf(instruction: Instruction, expander: Expander): string {
  const source = instruction.source.trim();
  const shown = unexpanded.has(instruction.kind) ? source : expander.display(source, secretVariables(instruction));
  const text = shown.replace(/^\S+/, (name) => name.toUpperCase());
  if (instruction.kind !== 'run' || instruction.command.form !== 'shell') return text;
  const alone = loneHeredoc(instruction.command.text, instruction.command.heredocs);
  return alone ? `${text} (${summary(bodyOf(alone))})` : text;
}

/** Variables that will hold a secret: their name is all that may be shown. */
function secretVariables(instruction: Instruction): ReadonlySet<string> | undefined {
  if (instruction.kind !== 'run') return undefined;
  const names = instruction.mounts.flat().flatMap(({ key, value }) => (key.toLowerCase() === 'env' && value !== undefined ? [value] : []));
  return names.length > 0 ? new Set(names) : undefined;
}

function summary(body: string): string {
  const lines = body.trim().split(/\r?\n/);
  return lines.length > 1 ? `${lines[0]}...` : lines[0]!;
}
