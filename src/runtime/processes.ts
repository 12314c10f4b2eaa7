/** Runs one process in a mounted snapshot with an OCI runtime, and passes its output and signals on. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReadStream, WriteStream, isatty } from 'node:tty';
import { SiruError } from '../base/errors.ts';
import { createSpec } from './bundle.ts';
import { cgroupFolder } from './cgroups.ts';
import { capabilitiesOf } from './capabilities.ts';
import type { ProcessSpec, RunResult } from './executor.ts';
import { findInit } from './init.ts';
import type { ProcessIoKind, RuntimeChoice } from './messages.ts';
import { readyMounts } from './mounts.ts';
import { copyToDescriptor, createGate, execFailure, writeAll, type Gate } from './pass-on.ts';
import { readInside } from './read-inside.ts';
import { lastError, runtimeArguments } from './runtimes.ts';
import { openFilesLimit, read, selfStatus } from './self-status.ts';
import { mountSnapshot, type Snapshot } from './snapshots.ts';
import { makeStubs } from './stubs.ts';
import { startFailure } from './start-failure.ts';
import { inherited, openStdio, type ProcessStdio } from './stdio.ts';
import { resolveUser } from './users.ts';

export interface Running {
  kill(signal: NodeJS.Signals | number): void;
  /** The terminal's size changed. */
  resize(): void;
  result: Promise<RunResult>;
}

export interface RunSettings {
  runtime: RuntimeChoice;
  /** For processes with limits; see Abilities. */
  limits?: RuntimeChoice;
  userns: boolean;
  overlay: readonly string[];
  /** Unique in this process. */
  id: string;
  /** False when the reader is slow: no more is read until `onDrain` tells. */
  onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer) => boolean;
  onDrain: (listener: () => void) => void;
  onWarning: (text: string) => void;
}

/** Starts it. Throws what the preparation meets; afterwards all is in the result. */
export function startProcess(snapshot: Snapshot, spec: ProcessSpec, io: ProcessIoKind, settings: RunSettings): Running {
  const { userns } = settings;
  const base = join(snapshot.folder, 'run');
  const at = (name: string): string => join(base, name);
  rmSync(base, { recursive: true, force: true });
  mkdirSync(at('state'), { recursive: true });
  const undo = new DisposableStack();
  try {
    const mounts = undo.use(readyMounts(spec.mounts, base, settings.overlay));
    const etc = writeEtc(spec, base);
    const places = ['/proc', '/dev', '/sys'].map((path) => ({ path, type: 'dir' as const }));
    const files = ['/etc/hosts', ...(etc.resolv === undefined ? [] : ['/etc/resolv.conf'])].map((path) => ({ path, type: 'file' as const }));
    const own = new Set(spec.mounts.map(({ target }) => target));
    mountSnapshot(snapshot, settings.overlay);
    undo.use(makeStubs(snapshot.merged, [...[...places, ...files].filter(({ path }) => !own.has(path)), ...mounts.mountpoints]));
    const readFile = (path: string): Uint8Array | undefined => readInside(snapshot.merged, path);
    const user = 'name' in spec.user ? resolveUser(spec.user.name, readFile) : spec.user;
    const cgroups = limitsPath(spec, settings);
    const runtime = cgroups === undefined || !wantsCgroup(spec) ? settings.runtime : (settings.limits ?? settings.runtime);
    const init = spec.init ? findInit() : undefined;
    const tty = io.type === 'inherit' && io.tty && Object.values(inherited).some((fd) => isatty(fd));
    // Runtimes differ in what they do for a user without an entry, and for a HOME that is empty.
    const set = spec.env.filter((variable) => variable !== 'HOME=');
    const env = set.some((variable) => variable.startsWith('HOME=')) ? set : [...set, `HOME=${resolveUser(String(user.uid), readFile).home}`];
    const bundle = createSpec({ ...spec, env }, {
      rootfs: snapshot.merged, userns, architecture: process.arch, user, mounts: mounts.list,
      etc: Object.fromEntries(Object.entries(etc).filter(([name]) => !own.has(name === 'hosts' ? '/etc/hosts' : '/etc/resolv.conf'))),
      terminal: tty,
      size: tty ? terminalSize() : undefined,
      init,
      cgroupsPath: cgroups,
      allCapabilities: spec.insecure ? capabilitiesOf(selfStatus().capBnd) : [],
      openFiles: openFilesLimit(),
    });
    writeFileSync(at('config.json'), JSON.stringify(bundle));
    const args = [...runtimeArguments(runtime, at('state'), at('log'), cgroups !== undefined), 'run', '--bundle', base, '--pid-file', at('pid'), settings.id];
    const [program, all] = cgroups !== undefined && settings.runtime.cgroup2 ? beneathCgroup2(runtime.path, args) : [runtime.path, args];
    const streams = openStdio(io, tty);
    let child: ChildProcess;
    try {
      child = spawn(program, all, { stdio: streams.stdio, env: { PATH: process.env['PATH'] }, cwd: '/' });
    } finally {
      streams.given();
    }
    return watch(child, streams, base, io, tty, undo, { ...settings, runtime });
  } catch (error) {
    undo.dispose();
    throw error;
  }
}

/** The size of the caller's terminal. */
function terminalSize(): { height: number; width: number } | undefined {
  const terminal = Object.values(inherited).find((fd) => isatty(fd));
  if (terminal === undefined) return undefined;
  // A stream closes its descriptor in the end, so it gets one of its own.
  const stream = new WriteStream(openSync(`/proc/self/fd/${terminal}`, 'r+'));
  const [width, height] = stream.getWindowSize();
  stream.destroy();
  return { height, width };
}

/** Starts a runtime that wants the machine's own cgroups, which this process has covered with cgroup v2. */
function beneathCgroup2(path: string, args: string[]): [string, string[]] {
  return ['unshare', ['--mount', 'sh', '-c', 'umount /sys/fs/cgroup && exec "$@"', 'sh', path, ...args]];
}

/** Where a cgroup is made for the limits; undefined when none is made. Limits that cannot be had are told. */
function limitsPath(spec: ProcessSpec, { userns, runtime, limits, id, onWarning }: RunSettings): string | undefined {
  const path = `${spec.cgroupParent ?? cgroupFolder}/${id}`;
  // As root runc makes one in any case, so it had better be where it is found again.
  if (!wantsCgroup(spec)) return runtime.name === 'runc' && !userns ? path : undefined;
  if (!userns && (limits || !runtime.cgroup2)) return path;
  onWarning('limits of memory, processors and processes are not kept: this process may not make cgroups');
  return undefined;
}

function wantsCgroup({ limits = {}, cgroupParent }: ProcessSpec): boolean {
  return cgroupParent !== undefined || Object.entries(limits).some(([name, value]) => name !== 'shm' && value !== undefined);
}

function writeEtc(spec: ProcessSpec, base: string): { hosts?: string; resolv?: string } {
  const hosts = [
    `127.0.0.1\tlocalhost ${spec.hostname}`,
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...(spec.hosts ?? []).map(([address, name]) => `${address}\t${name}`),
  ];
  const etc: { hosts?: string; resolv?: string } = {};
  const write = (name: string, text: string): string => {
    const path = join(base, name);
    writeFileSync(path, text);
    chmodSync(path, 0o644);
    return path;
  };
  etc.hosts = write('hosts', `${hosts.join('\n')}\n`);
  // The container shares the machine's network or has none, so the machine's own resolvers are the right ones.
  const resolv = read('/etc/resolv.conf');
  if (resolv !== '') etc.resolv = write('resolv.conf', resolv);
  return etc;
}

function watch(child: ChildProcess, streams: ProcessStdio, base: string, io: ProcessIoKind, tty: boolean, mounts: Disposable, settings: RunSettings): Running {
  const pidFile = join(base, 'pid');
  const started = (): boolean => existsSync(pidFile);
  const gate = createGate(started);
  const oomBefore = oomKills();
  let ended = false;
  let passed: Promise<unknown> = Promise.resolve();
  if (io.type === 'stream') stream(streams, gate, settings);
  else if (!tty) passed = passOn(child, streams, gate);

  const kill = (signal: NodeJS.Signals | number): void => {
    if (ended) return;
    const pid = Number(read(pidFile));
    // It is still being started: it gets the signal when there is a process to send it to.
    if (!(pid > 0)) {
      setTimeout(() => kill(signal), 5);
      return;
    }
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself at this moment.
    }
  };

  async function wait(): Promise<RunResult> {
    try {
      const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (...how: [number | null, NodeJS.Signals | null]) => resolve(how));
      });
      ended = true;
      await streams.read;
      const complaint = lastError(read(join(base, 'log')));
      if (complaint !== undefined && code !== 0) return startFailure(complaint, settings.runtime.name);
      const rest = gate.rest();
      if (rest && code === 1 && execFailure.test(rest.toString())) return startFailure(lastError(rest.toString()) ?? rest.toString().trim(), settings.runtime.name);
      if (rest) {
        if (io.type === 'stream') settings.onOutput('stderr', rest);
        else await writeAll(inherited.stderr, rest);
      }
      await passed;
      if (code === null) throw new SiruError('RUNTIME', `${settings.runtime.name} was ended by ${signal}`);
      return code === 137 && oomKills() > oomBefore ? { exitCode: code, oom: true } : { exitCode: code };
    } finally {
      ended = true;
      mounts[Symbol.dispose]();
    }
  }
  // Both runtimes pass the new size of the terminal on when they get the signal.
  return { kill, resize: () => void child.kill('SIGWINCH'), result: wait() };
}

/** Output goes to the asking process, no faster than that takes it. */
function stream({ stdout, stderr }: ProcessStdio, gate: Gate, { onOutput, onDrain }: RunSettings): void {
  const sources = [stdout!, stderr!];
  const send = (name: 'stdout' | 'stderr', bytes: Buffer | undefined): void => {
    if (!bytes || onOutput(name, bytes)) return;
    for (const source of sources) source.pause();
    onDrain(() => {
      for (const source of sources) source.resume();
    });
  };
  stdout!.on('data', (bytes: Buffer) => send('stdout', bytes));
  stderr!.on('data', (bytes: Buffer) => send('stderr', gate.pass(bytes)));
}

/** Copies between the caller's own files and the process, where those are not given to it as they are. */
async function passOn(child: ChildProcess, { stdin, stdout, stderr }: ProcessStdio, gate: Gate): Promise<void> {
  const copies: Promise<void>[] = [];
  if (stdout) copies.push(copyToDescriptor(stdout, inherited.stdout));
  if (stderr) copies.push(copyToDescriptor(stderr, inherited.stderr, gate));
  if (stdin) {
    const terminal = new ReadStream(inherited.stdin);
    terminal.pipe(stdin);
    child.once('exit', () => {
      terminal.destroy();
      stdin.destroy();
    });
  }
  await Promise.all(copies);
}

/** How many processes this machine has killed for want of memory. */
function oomKills(): number {
  return Number(/^oom_kill (\d+)/m.exec(read('/proc/vmstat'))?.[1] ?? 0);
}
