/**
 * A process in a step of the history: the same files, environment, user, directory, mounts, hosts and network. What it writes
 * into the file system is lost at its end, so that the step can be opened again as it was, by several at once; what it writes
 * into cache mounts stays, as a RUN's does.
 */
import { contextOf, type Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Event } from '../../base/events.ts';
import { ensureUnpacked } from '../../images/layers.ts';
import type { ProcessIo, ProcessSpec } from '../../runtime/executor.ts';
import type { Isolation } from '../../runtime/isolation.ts';
import type { BuildEntry, BuildStep, Store } from '../../store/store.ts';
import type { Secret, SshAgent } from '../options.ts';
import { splitVariable } from '../plan/variables.ts';
import { readSecret } from '../secret.ts';
import type { ReadingMount } from '../steps/reading-mount.ts';
import { openCaches, prepareMounts, treesOf, type BindContent, type MountDeps } from '../steps/run-mounts.ts';
import { openStep } from './open-step.ts';
import type { SightMount } from './sight.ts';

export interface ShellOptions {
  store: Store;
  build: BuildEntry;
  step: BuildStep;
  /** What to execute; the shell of the step when not given. */
  args?: string[];
  /** The files as they were when the step began. */
  before?: boolean;
  /** More variables; they win. `undefined` takes one away. */
  env?: readonly (readonly [name: string, value: string | undefined])[];
  /** `user[:group]` in place of the step's. */
  user?: string;
  /** What the history does not keep: given as to the build, or the mounts are not there. */
  secrets?: Secret[];
  ssh?: SshAgent[];
  isolation?: Isolation;
  /** Give it a terminal of its own. */
  tty?: boolean;
  /** Takes the output; when not given it goes to this process's standard output and error, and standard input comes from there. */
  onOutput?: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;
  /** Told when the process is about to start. */
  onStart?: (control: ShellControl) => void;
  signal?: AbortSignal;
  onEvent?: (event: Event) => void;
}

export interface ShellControl {
  kill(signal: NodeJS.Signals | number): Promise<void>;
  /** The terminal's size changed. */
  resize(): Promise<void>;
  /** What the step had and this process has not: secrets, agents and values that were not kept, in words. */
  absent: string[];
  /** What a failed step left is here; false when only what it began with is. */
  whole: boolean;
}

export interface ShellResult {
  /** Of the process: 128 + n when a signal ended it, 127 when there is no such program. */
  exitCode: number;
  startFailure?: string;
}

/** Runs the process and waits for its end. Throws NOT_FOUND, RUNTIME, CANCELLED and what mounts throw. */
export async function openShell(options: ShellOptions, context: Context = contextOf(options)): Promise<ShellResult> {
  const { store, build, step, before = false } = options;
  const opened = openStep(store, build, step, before);
  const { sight } = opened;
  const { createExecutor } = await import('../../runtime/helper-client.ts');
  await using executor = await createExecutor({
    isolation: options.isolation,
    folder: store.path('tmp'),
    onWarning: (text) => context.emit({ type: 'warning', text }),
  });
  using stack = new DisposableStack();
  const deps = mountDeps(options, stack, context);
  await deps.unpack(opened.below, executor, context);
  const contentOf = async (mount: ReadingMount): Promise<BindContent> => {
    const { content } = mount as SightMount;
    if (!content) throw new SiruError('NOT_FOUND', `what was mounted at ${mount.target} is not known`, { hint: 'Build again, then open its shell.' });
    return content;
  };
  // Here nothing is required: what is not given is not there, and that is said.
  const mounted = opened.mounts.filter((mount) => isHere(store, mount));
  const plan = { mounts: mounted.map((mount) => ('required' in mount ? { ...mount, required: false } : mount)), ...(opened.script && { script: opened.script }) };
  const caches = stack.use(await openCaches(plan, store, contentOf, context, () => undefined));
  const mounts = await prepareMounts(plan, deps, executor, contentOf, caches, context);
  const lowers = [...treesOf(store, opened.below), ...(opened.upper === undefined ? [] : [opened.upper])];
  const { id } = await executor.prepare({ lowers, folder: store.temporary('-shell') });
  const kill = (): void => void executor.kill(id, 'SIGKILL').catch(() => {});
  try {
    const given = new Map(options.env ?? []);
    const spec: ProcessSpec = {
      args: options.args ?? shellArgs(sight.shell),
      env: [...sight.env, ...mounts.env].filter((variable) => !given.has(splitVariable(variable)[0])).concat([...given].flatMap(([name, value]) => (value === undefined ? [] : `${name}=${value}`))),
      cwd: sight.cwd,
      user: { name: options.user ?? sight.user },
      hostname: sight.hostname,
      mounts: mounts.list,
      network: sight.network,
      hosts: sight.hosts,
      readonlyEtc: true,
      ulimits: sight.ulimits,
      limits: sight.limits,
    };
    if (sight.cgroupParent !== undefined) spec.cgroupParent = sight.cgroupParent;
    if (sight.insecure) spec.insecure = true;
    options.onStart?.({
      kill: (signal) => executor.kill(id, signal),
      resize: () => executor.resize(id),
      whole: before || step.status !== 'failed' || opened.upper !== undefined,
      absent: [...sight.left.filter((name) => !given.has(name)).map((name) => `the variable ${name}`), ...absentMounts(opened.mounts, store, options)],
    });
    const io: ProcessIo = options.onOutput ? { type: 'stream', onOutput: options.onOutput } : { type: 'inherit', tty: options.tty ?? false, stdin: true };
    context.signal.addEventListener('abort', kill);
    return await executor.run(id, spec, io, context.signal);
  } finally {
    context.signal.removeEventListener('abort', kill);
    await executor.remove(id);
  }
}

/** A shell that reads commands is the one of commands without its `-c`. */
function shellArgs(shell: readonly string[]): string[] {
  const last = shell.at(-1) ?? '';
  return shell.length > 1 && /^(?:-[a-z]*c|-command|\/c)$/i.test(last) ? [...shell.slice(0, -1), ...(/^-[a-z]+c$/.test(last) ? [last.slice(0, -1)] : [])] : [...shell];
}

function mountDeps({ store, secrets = [], ssh = [] }: ShellOptions, stack: DisposableStack, context: Context): MountDeps {
  return {
    store,
    unpack: (layers, executor) => ensureUnpacked(store, layers, executor, context),
    async secret(id) {
      const secret = secrets.find((one) => one.id === id);
      return secret && readSecret(secret, context);
    },
    async sshAgent(id) {
      const agent = ssh.find((one) => one.id === id);
      if (!agent) return undefined;
      const { openAgent } = await import('../ssh/open-agent.ts');
      return stack.use(await openAgent(agent)).path;
    },
  };
}

/** False when the files that it showed are not in the store any more. */
function isHere(store: Store, { content }: SightMount): boolean {
  return content === undefined || content.layers.every(({ diffId, descriptor }) => store.layers.get(diffId) !== undefined || store.blobs.has(descriptor.digest));
}

function absentMounts(mounts: readonly SightMount[], store: Store, { secrets = [], ssh = [] }: ShellOptions): string[] {
  return mounts.flatMap((mount) => {
    if (!isHere(store, mount)) return `the files at ${mount.target}`;
    if (mount.type === 'secret' && !secrets.some(({ id }) => id === mount.id)) return `the secret ${mount.id}${mount.target === undefined ? '' : ` at ${mount.target}`}`;
    if (mount.type === 'ssh' && !ssh.some(({ id }) => id === mount.id)) return `the SSH agent ${mount.id}`;
    return [];
  });
}
