/** RUN: a process over the layers below. */
import { SiruError } from '../../base/errors.ts';
import { bodyOf, parseHeredocWord } from '../../dockerfile/heredoc.ts';
import type { CommandLine, Heredoc, InstructionOf } from '../../dockerfile/instruction.ts';
import type { RunPlan, StageState } from '../step-plan.ts';
import type { Change } from './change.ts';
import { shellOf } from './command.ts';
import type { Expander } from './expansion.ts';
import { fault } from '../../dockerfile/errors.ts';
import { layerEntry } from './history.ts';
import { processDirectory } from './paths.ts';
import { planMount } from './run-mount.ts';
import type { Scope } from './scope.ts';
import { defaultPath } from './stage-state.ts';
import { argumentNamesOf } from './variables.ts';
import { workdirOf } from './windows-paths.ts';

export function planRun(state: StageState, instruction: InstructionOf<'run'>, scope: Scope, expander: Expander): Change {
  const { command, lines } = instruction;
  if (instruction.devices.length > 0) throw new SiruError('UNSUPPORTED', `RUN --device (line ${lines.start}) is not available`, { hint: 'Devices of the machine are not passed on. Do what needs one outside of the build, and COPY the result.' });
  const { args, script } = processOf(state, command);
  const variables = new Map(expander.variables);
  if (state.platform.os !== 'windows' && !variables.has('PATH')) variables.set('PATH', defaultPath);
  for (const [name, value] of Object.entries(scope.runVariables ?? {})) if (!variables.has(name)) variables.set(name, value);
  const mounts = instruction.mounts.map((options) => planMount(options, state, scope, expander));
  const agents = mounts.filter((mount) => mount.type === 'ssh');
  for (const [at, agent] of agents.entries()) if (agent.target === '') agent.target = `/run/buildkit/ssh_agent.${at}`;
  // Whether or not there is an agent behind it.
  if (agents[0] && !variables.has('SSH_AUTH_SOCK')) variables.set('SSH_AUTH_SOCK', agents[0].target);
  const plan: RunPlan = {
    kind: 'run',
    args,
    env: [...variables].map(([name, value]) => `${name}=${value}`),
    argumentNames: argumentNamesOf(state),
    proxyEnv: Object.entries(scope.proxy).map(([name, value]) => `${name}=${value}`),
    user: state.config.User ?? '',
    cwd: processDirectory(workdirOf(state)),
    mounts,
    network: networkOf(instruction.network, scope.network),
    security: securityOf(instruction.security),
    hostname: scope.buildArgs.BUILDKIT_SANDBOX_HOSTNAME || 'buildkitsandbox',
  };
  if (script) plan.script = script;
  return { state, step: plan, history: layerEntry(`RUN ${[...told(state, expander), ...args].join(' ')} # buildkit`) };
}

/** Arguments in scope lead the history line: it cannot be understood without them. */
function told(state: StageState, expander: Expander): string[] {
  if (state.args.length === 0) return [];
  return [`|${state.args.length}`, ...state.args.map(({ name, value }) => `${name}=${expander.variables.get(name) ?? value ?? ''}`)];
}

function processOf(state: StageState, command: CommandLine): { args: string[]; script?: { name: string; content: string } } {
  if (command.form === 'exec') return { args: command.args };
  const { text, heredocs } = command;
  const shell = shellOf(state);
  const alone = loneHeredoc(text, heredocs);
  // The body itself is the command then, so that shells that know no heredocs run it too.
  if (!alone) return { args: [...shell, withBodies(text, heredocs)] };
  const { name } = alone;
  const content = bodyOf(alone);
  if (!content.startsWith('#!') || state.platform.os === 'windows') return { args: [...shell, content] };
  // The shell stands before a script, too, as a word of its command line: it executes the file.
  return { args: [...shell, `/dev/pipes/${name}`], script: { name, content } };
}

/** The only heredoc of a RUN that has no other word. */
export function loneHeredoc(text: string, heredocs: readonly Heredoc[]): Heredoc | undefined {
  if (heredocs.length !== 1) return undefined;
  return parseHeredocWord(text.trim()) ? heredocs[0] : undefined;
}

/** The command line followed by the bodies of its heredocs, as a shell reads them. */
function withBodies(text: string, heredocs: readonly Heredoc[]): string {
  return text + heredocs.map(({ name, content }) => `\n${content}${name}`).join('');
}

function networkOf(written: string | undefined, byDefault: RunPlan['network']): RunPlan['network'] {
  if (written === undefined || written === 'default') return byDefault;
  if (written === 'none' || written === 'host') return written;
  throw fault(`unsupported network mode ${JSON.stringify(written)}`, 'RUN --network takes default, none or host.');
}

function securityOf(written: string | undefined): RunPlan['security'] {
  if (written === undefined || written === 'sandbox') return 'sandbox';
  if (written === 'insecure') return 'insecure';
  throw fault(`unsupported security mode ${JSON.stringify(written)}`, 'RUN --security takes sandbox or insecure.');
}
