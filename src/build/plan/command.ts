/** CMD, ENTRYPOINT, SHELL and HEALTHCHECK: what the container will run. */
import type { CommandLine, InstructionOf } from '../../dockerfile/instruction.ts';
import type { Healthcheck } from '../../oci/image-config.ts';
import type { StageState } from '../step-plan.ts';
import { withConfig, type Change } from './change.ts';
import { duration, list, quoteList } from './go-format.ts';
import { emptyEntry } from './history.ts';

/** The shell of shell-form commands: SHELL's, else the platform's. */
export function shellOf(state: StageState): string[] {
  if (state.config.Shell && state.config.Shell.length > 0) return state.config.Shell;
  return state.platform.os === 'windows' ? ['cmd', '/S', '/C'] : ['/bin/sh', '-c'];
}

function argumentsOf(state: StageState, command: CommandLine): string[] {
  return command.form === 'exec' ? command.args : [...shellOf(state), command.text];
}

export function planCmd(state: StageState, { command }: InstructionOf<'cmd'>): Change {
  const args = argumentsOf(state, command);
  return {
    state: { ...withConfig(state, { Cmd: args, ArgsEscaped: true }), cmdSet: true },
    history: emptyEntry(`CMD ${quoteList(args)}`),
  };
}

/** A CMD that came with the base would be arguments for another program: it goes, unless this stage set it. */
export function planEntrypoint(state: StageState, { command }: InstructionOf<'entrypoint'>): Change {
  const args = argumentsOf(state, command);
  return {
    state: withConfig(state, state.cmdSet ? { Entrypoint: args } : { Entrypoint: args, Cmd: null }),
    history: emptyEntry(`ENTRYPOINT ${quoteList(args)}`),
  };
}

export function planShell(state: StageState, { args }: InstructionOf<'shell'>): Change {
  return { state: withConfig(state, { Shell: args }), history: emptyEntry(`SHELL ${list(args)}`) };
}

/** The whole check is replaced: options of an earlier one do not stay. */
export function planHealthcheck(state: StageState, instruction: InstructionOf<'healthcheck'>): Change {
  const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
  const check: Healthcheck = { Test: testOf(command) };
  if (interval) check.Interval = interval;
  if (timeout) check.Timeout = timeout;
  if (startPeriod) check.StartPeriod = startPeriod;
  if (startInterval) check.StartInterval = startInterval;
  if (retries) check.Retries = retries;
  const told =
    `Test:${list(check.Test ?? [])} Interval:${duration(interval ?? 0)} Timeout:${duration(timeout ?? 0)} ` +
    `StartPeriod:${duration(startPeriod ?? 0)} StartInterval:${duration(startInterval ?? 0)} Retries:${retries ?? 0}`;
  return { state: withConfig(state, { Healthcheck: check }), history: emptyEntry(`HEALTHCHECK {${told}}`) };
}

function testOf(command: CommandLine | undefined): string[] {
  if (!command) return ['NONE'];
  return command.form === 'exec' ? ['CMD', ...command.args] : ['CMD-SHELL', command.text];
}
