/** `siru run` */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { SiruError, messageOf } from '../../base/errors.ts';
import type { ContainerControl, RunOptions } from '../../containers/options.ts';
import { collect, hiddenOption } from '../arguments.ts';
import { oneOf } from '../build-flags.ts';
import type { Call } from '../call.ts';
import { createTransferProgress } from '../progress/transfers.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import { parseHost } from '../step-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';
import { parseCpus, parseMemory, parseMount, parsePullPolicy, parseRunNetwork, parseTmpfs, parseVolume, refuseRunFlags, refusedRunFlags, runEnvironment } from '../run-flags.ts';
import { harmlessText } from '../sanitize.ts';

interface Flags extends RegistryFlags {
  env: string[];
  envFile: string[];
  entrypoint?: string;
  workdir?: string;
  user?: string;
  volume: string[];
  mount: string[];
  tmpfs: string[];
  rm?: boolean;
  interactive?: boolean;
  tty?: boolean;
  name?: string;
  hostname?: string;
  network?: string;
  addHost: string[];
  readOnly?: boolean;
  init?: boolean;
  memory?: string;
  cpus?: string;
  pull: string;
  platform?: string;
  quiet?: boolean;
  stopSignal?: string;
  stopTimeout?: string;
  cidfile?: string;
  isolation?: string;
}

export const passThrough = true;
export const failure = 125;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE [COMMAND] [ARG...]')
    .argument('<image>')
    .argument('[command...]')
    .helpOption('--help', 'Show this help')
    .option('-e, --env <name=value>', 'Environment variable; a name alone takes it from here, or takes it away', collect, [])
    .option('--env-file <file>', 'Read variables from a file', collect, [])
    .option('--entrypoint <program>', "In place of the image's ENTRYPOINT and CMD; '' for none")
    .option('-w, --workdir <path>', 'Working directory')
    .option('-u, --user <user>', 'user[:group], names or numbers')
    .option('-v, --volume <source:target[:ro]>', 'Mount a path of this machine', collect, [])
    .option('--mount <mount>', 'type=bind,src=PATH,dst=PATH[,ro] or type=tmpfs,dst=PATH', collect, [])
    .option('--tmpfs <path[:size=64m]>', 'Mount memory', collect, [])
    .option('--rm', 'Remove the container when it ends')
    .option('-i, --interactive', 'Pass standard input on')
    .option('-t, --tty', 'Give it a terminal')
    .option('--name <name>', 'Name of the container')
    .option('-h, --hostname <name>', 'Host name of the container')
    .option('--network <mode>', 'host (default) or none')
    .option('--add-host <name:address>', 'Line for /etc/hosts', collect, [])
    .option('--read-only', 'Nothing of the image can be written')
    .option('--init', 'A small init reaps processes and passes signals on')
    .option('-m, --memory <bytes>', 'Limit of memory: 512m')
    .option('--cpus <number>', 'Limit of processors: 1.5')
    .option('--pull <policy>', 'Pull the image: missing, always or never', 'missing')
    .option('--platform <platform>', 'Platform of the image: linux/arm64')
    .option('-q, --quiet', 'Show nothing of a pull')
    .option('--stop-signal <signal>', "In place of the image's STOPSIGNAL")
    .option('--stop-timeout <seconds>', 'Time between the stop signal and the end')
    .option('--cidfile <file>', "Write the container's ID into a file")
    .option('--isolation <rung>', "Where it may run: auto, root or userns; see 'siru info'");
  addRegistryFlags(command);
  hiddenOption(command, '--net <mode>');
  hiddenOption(command, '--sig-proxy');
  for (const [flag] of refusedRunFlags) hiddenOption(command, flag);
  command.addHelpText('after', `
The exit code is the container's; 125 when siru itself fails, 126 when the command cannot be executed, 127 when there is none.

Examples:
  siru run --rm app:1.0
  siru run --rm -it -v ./src:/src -w /src debian:12 bash
  siru run --rm -e NAME=Seoul -m 512m --network none app:1.0 sh -c 'echo $NAME'`);
}

export async function run(call: Call, [image, ...args]: string[], flags: Flags): Promise<number> {
  refuseRunFlags(flags as unknown as Record<string, unknown>);
  const options = runOptions(call, flags);
  if (flags.tty && flags.interactive && !process.stdin.isTTY) throw new SiruError('USAGE', 'the input device is no terminal', { hint: 'leave -t out when standard input is a file or a pipe' });
  const [store, { runContainer }, { forwardSignals }] = await Promise.all([call.store(), import('../../containers/run.ts'), import('../../containers/signals.ts')]);

  const progress = createTransferProgress({ terminal: call.stderr, quiet: flags.quiet ?? false, environment: call.environment });
  let pulling = false;
  let started = false;
  using stack = new DisposableStack();
  try {
    const result = await runContainer({
      ...options,
      store,
      image: image!,
      args,
      registries: registryOptions(call, flags),
      signal: call.signal,
      onEvent(event) {
        if (event.type === 'warning' && started) return call.tell(`warning: ${harmlessText(event.text)}\n`);
        if (event.type !== 'warning' && (event.type !== 'transfer' || event.direction !== 'pull')) return;
        if (event.type === 'transfer' && !pulling && !flags.quiet && options.pull !== 'always') call.tell(`Unable to find image '${image}' locally\n`);
        pulling ||= event.type === 'transfer';
        progress.event(event);
      },
      onStart(control: ContainerControl) {
        started = true;
        progress.finish();
        if (flags.cidfile !== undefined) writeFileSync(flags.cidfile, control.id, { flag: 'wx' });
        stack.use(call.pauseSignals());
        stack.use(forwardSignals(control, () => process.exit(130)));
      },
    });
    if (result.startFailure !== undefined) call.tell(`siru: ${harmlessText(result.startFailure)}\n`);
    if (result.oom) call.tell('siru: the container was ended for want of memory\nhint: give it more with -m\n');
    return result.exitCode;
  } finally {
    if (!started) progress.finish();
  }
}

function runOptions(call: Call, flags: Flags): Omit<RunOptions, 'store' | 'image'> {
  const here = process.cwd();
  const options: Omit<RunOptions, 'store' | 'image'> = {
    env: runEnvironment(flags.envFile.map((name) => ({ name, text: readEnvFile(name) })), flags.env, call.environment),
    remove: flags.rm ?? false,
    interactive: flags.interactive ?? false,
    tty: flags.tty ?? false,
    readonlyRoot: flags.readOnly ?? false,
    init: flags.init ?? false,
    pull: parsePullPolicy(flags.pull),
    mounts: [
      // As docker: -v makes a directory that is missing, --mount does not.
      ...flags.volume.map((text) => ({ ...parseVolume(text, here), create: true })),
      ...flags.mount.map((text) => parseMount(text, here)),
      ...flags.tmpfs.map(parseTmpfs),
    ],
    addHosts: flags.addHost.map(parseHost),
    entrypoint: flags.entrypoint,
    workdir: flags.workdir,
    user: flags.user,
    name: flags.name,
    hostname: flags.hostname,
    platform: flags.platform,
    stopSignal: flags.stopSignal,
    network: parseRunNetwork(flags.network),
  };
  if (flags.memory !== undefined) options.memory = parseMemory(flags.memory);
  if (flags.cpus !== undefined) options.cpus = parseCpus(flags.cpus);
  if (flags.isolation !== undefined) options.isolation = oneOf('--isolation', flags.isolation, ['auto', 'root', 'userns'] as const);
  if (flags.stopTimeout !== undefined) {
    if (!/^\d{1,6}$/.test(flags.stopTimeout)) throw new SiruError('USAGE', `--stop-timeout ${flags.stopTimeout}: not a number of seconds`);
    options.stopTimeout = Number(flags.stopTimeout) * 1000;
  }
  return options;
}

function readEnvFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SiruError('USAGE', `--env-file: cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
