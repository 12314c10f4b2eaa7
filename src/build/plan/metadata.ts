/** The instructions that only write down a value: LABEL, MAINTAINER, USER, VOLUME, STOPSIGNAL, ONBUILD. */
import type { InstructionOf } from '../../dockerfile/instruction.ts';
import type { StageState } from '../step-plan.ts';
import { withConfig, type Change } from './change.ts';
import type { Expander } from './expansion.ts';
import { fault } from '../../dockerfile/errors.ts';
import { list } from './go-format.ts';
import { emptyEntry } from './history.ts';
import { isSignal } from './signals.ts';

export function planLabel(state: StageState, instruction: InstructionOf<'label'>, expander: Expander): Change {
  const pairs = instruction.pairs.map(({ key, value }): [string, string] => [expander.word(key), expander.word(value)]);
  return {
    state: withConfig(state, { Labels: { ...state.config.Labels, ...Object.fromEntries(pairs) } }),
    history: emptyEntry(`LABEL ${pairs.map(([key, value]) => `${key}=${value}`).join(' ')}`),
  };
}

export function planMaintainer(state: StageState, { author }: InstructionOf<'maintainer'>): Change {
  return { state: { ...state, author }, history: emptyEntry(`MAINTAINER ${author}`) };
}

export function planUser(state: StageState, instruction: InstructionOf<'user'>, expander: Expander): Change {
  const user = expander.word(instruction.user);
  return { state: withConfig(state, { User: user }), history: emptyEntry(`USER ${user}`) };
}

export function planVolume(state: StageState, instruction: InstructionOf<'volume'>, expander: Expander): Change {
  const volumes = instruction.volumes.map((volume) => expander.word(volume));
  if (volumes.includes('')) throw fault('VOLUME specified can not be an empty string');
  return {
    state: withConfig(state, { Volumes: { ...state.config.Volumes, ...Object.fromEntries(volumes.map((volume) => [volume, {}])) } }),
    history: emptyEntry(`VOLUME ${list(volumes)}`),
  };
}

/** The signal is kept as it is written. */
export function planStopsignal(state: StageState, instruction: InstructionOf<'stopsignal'>, expander: Expander): Change {
  const signal = expander.word(instruction.signal);
  if (!isSignal(signal)) {
    throw fault(`invalid signal: ${signal}`, 'A number, or a name such as SIGTERM.');
  }
  return { state: withConfig(state, { StopSignal: signal }), history: emptyEntry(`STOPSIGNAL ${signal}`) };
}

/** Kept as text, fired by a later FROM of this image or stage. */
export function planOnbuild(state: StageState, { expression }: InstructionOf<'onbuild'>): Change {
  return { state: withConfig(state, { OnBuild: [...(state.config.OnBuild ?? []), expression] }) };
}
