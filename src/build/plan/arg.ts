/** ARG: brings a value into scope, of `--build-arg`, else its default, else the one from before the first FROM. */
import type { InstructionOf } from '../../dockerfile/instruction.ts';
import type { StageArgument, StageState } from '../step-plan.ts';
import type { Change } from './change.ts';
import { expanderOf, type Warning } from './expansion.ts';
import { emptyEntry } from './history.ts';
import type { Scope } from './scope.ts';
import { withWork } from './work.ts';

/** Several arguments of one ARG are evaluated from left to right: later ones see earlier ones. */
export function planArg(state: StageState, instruction: InstructionOf<'arg'>, scope: Scope): Change {
  const told: string[] = [];
  const warnings: Warning[] = [];
  let next = state;
  for (const { name, value: written } of instruction.args) {
    let value: string | undefined;
    if (Object.hasOwn(scope.buildArgs, name)) value = scope.buildArgs[name];
    else if (written !== undefined) {
      const expander = expanderOf(next, instruction, scope);
      value = expander.word(written);
      warnings.push(...expander.warnings);
      next = withWork(next, expander.work());
    } else value = scope.globalArgs.get(name);
    next = { ...next, args: declare(next.args, name, value) };
    told.push(value === undefined ? name : `${name}=${value}`);
  }
  return { state: next, history: emptyEntry(`ARG ${told.join(' ')}`), warnings };
}

/** Without a value a declaration changes nothing about an earlier one of the same name. */
function declare(args: readonly StageArgument[], name: string, value: string | undefined): StageArgument[] {
  const declared: StageArgument = value === undefined ? { name, overridesEnv: false } : { name, value, overridesEnv: true };
  const at = args.findIndex((known) => known.name === name);
  if (at < 0) return [...args, declared];
  return value === undefined ? [...args] : args.with(at, declared);
}
