/** ENV: variables of the image. From here on they win over an ARG of the same name. */
import type { InstructionOf } from '../../dockerfile/instruction.ts';
import type { StageState } from '../step-plan.ts';
import { withConfig, type Change } from './change.ts';
import type { Expander } from './expansion.ts';
import { emptyEntry } from './history.ts';
import { withVariable } from './variables.ts';

/** All words are expanded with the values from before the instruction, also those that refer to a neighbour. */
export function planEnv(state: StageState, instruction: InstructionOf<'env'>, expander: Expander): Change {
  const pairs = instruction.pairs.map(({ key, value }) => ({ key: expander.word(key), value: expander.word(value) }));
  let environment = state.config.Env ?? [];
  for (const { key, value } of pairs) environment = withVariable(environment, key, value);
  const set = new Set(pairs.map(({ key }) => key));
  const args = state.args.map((arg) => (set.has(arg.name) ? { ...arg, overridesEnv: false } : arg));
  return {
    state: { ...withConfig(state, { Env: environment }), args },
    history: emptyEntry(`ENV ${pairs.map(({ key, value }) => `${key}=${value}`).join(' ')}`),
  };
}
