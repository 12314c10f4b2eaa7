/** `siru shell` */
import type { Command } from 'commander';
import { collect } from '../arguments.ts';
import { oneOf } from '../build-flags.ts';
import type { Call } from '../call.ts';
import { findBuild, shortBuild } from '../../build/history/find-build.ts';
import { runEnvironment } from '../run-flags.ts';
import { harmlessLine, harmlessText } from '../sanitize.ts';
import { parseAgents, parseSecret } from '../step-flags.ts';

interface Flags {
  before?: boolean;
  secret: string[];
  ssh: string[];
  env: string[];
  user?: string;
  isolation?: string;
}

export const takesCommand = true;
export const failure = 125;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [BUILD | NAME | DIRECTORY] [STEP] [-- COMMAND [ARG...]]')
    .argument('[build]', 'ID, name of the result or context; the last build of this directory when not given')
    .argument('[step]', 'number, stage/position, :line, or how the instruction begins; the one that failed when not given')
    .option('--before', 'The files as they were before the step')
    .option('--secret <secret>', 'A secret that the step had, as in siru build', collect, [])
    .option('--ssh <agent>', 'An SSH agent that the step had, as in siru build', collect, [])
    .option('-e, --env <name=value>', 'Environment variable; a name alone takes it from here, or takes it away', collect, [])
    .option('-u, --user <user>', "In place of the step's: user[:group], names or numbers")
    .option('--isolation <rung>', "Where it may run: auto, root or userns; see 'siru info'")
    .addHelpText('after', `
The exit code is the command's; 125 when siru itself fails. What is written is lost at the end, but for cache mounts.

Examples:
  siru shell
  siru shell app:1.0 'RUN make'
  siru shell 3f2a91c4 6 -- cat config.log
  siru shell --secret id=token,env=TOKEN --before`);
}

export async function run(call: Call, [build, words]: string[], flags: Flags): Promise<number> {
  const store = await call.store();
  const entry = findBuild(store.builds, build, process.cwd());
  const { chooseStep } = await import('../../build/shell/choose-step.ts');
  const step = chooseStep(entry, words);
  const [{ openShell }, { forwardSignals }] = await Promise.all([import('../../build/shell/shell.ts'), import('../../containers/signals.ts')]);
  const args = call.rest.length > 0 ? call.rest : undefined;
  const terminal = process.stdin.isTTY && call.stdout.isTTY;
  using stack = new DisposableStack();
  const result = await openShell({
    store,
    build: entry,
    step,
    ...(args && { args }),
    before: flags.before ?? false,
    env: runEnvironment([], flags.env, call.environment),
    ...(flags.user !== undefined && { user: flags.user }),
    secrets: flags.secret.map((text) => parseSecret(text, call.environment)),
    ssh: parseAgents(flags.ssh, call.environment),
    ...(flags.isolation !== undefined && { isolation: oneOf('--isolation', flags.isolation, ['auto', 'root', 'userns'] as const) }),
    tty: terminal,
    signal: call.signal,
    onEvent: (event) => {
      if (event.type === 'warning') call.tell(`warning: ${harmlessText(event.text)}\n`);
    },
    onStart(control) {
      if (terminal) call.tell(`#${step.number} ${harmlessLine(step.text)} (${step.status}, build ${shortBuild(entry.id)})${flags.before ? ', before it' : ''}; what you write is lost at the end\n`);
      if (!control.whole) call.tell('warning: nothing that the step left is kept: these are the files from before it\n');
      if (control.absent.length > 0) call.tell(`warning: not here: ${control.absent.map(harmlessLine).join(', ')}; give secrets with --secret, agents with --ssh, variables with -e\n`);
      stack.use(call.pauseSignals());
      stack.use(forwardSignals({ ...control, id: entry.id }, () => process.exit(130)));
    },
  });
  if (result.startFailure !== undefined) call.tell(`siru: ${harmlessText(result.startFailure)}\nhint: name a program that the files have: siru shell ... -- PROGRAM\n`);
  return result.exitCode;
}
