/** Runs the program as people do: `bin/siru`, a store, arguments; collects what comes out. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const projectRoot: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Words that start the program under test. */
export const ownProgram: readonly string[] = [`${projectRoot}/bin/siru`];

export interface Outcome {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Milliseconds. */
  took: number;
}

export interface SiruOptions {
  /** Root of the store. */
  store: string;
  cwd?: string;
  /** Added to a small environment; undefined removes. */
  env?: Record<string, string | undefined>;
  input?: string | Uint8Array;
  /** The words before the program: how another user runs it. */
  as?: readonly string[];
  /** Words that start the program, where it is not the project's own. */
  program?: readonly string[];
  /** Milliseconds until it is killed; two minutes when not given. */
  timeout?: number;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Outcome>;
}

/** Starts it, in a process group of its own. */
export function startSiru(args: readonly string[], options: SiruOptions): Running {
  return startProgram([...(options.program ?? ownProgram), ...args], {
    ...options,
    env: {
      PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR,
      // No configuration of the machine, no mirror, no credentials.
      XDG_CONFIG_HOME: '/nonexistent', DOCKER_CONFIG: '/nonexistent', SIRU_ROOT: options.store, ...options.env,
    },
  });
}

export function startProgram(command: readonly string[], options: Omit<SiruOptions, 'store' | 'program'>): Running {
  const words = [...(options.as ?? []), ...command];
  const started = performance.now();
  const child = spawn(words[0]!, words.slice(1), { cwd: options.cwd, env: definedOnly(options.env), stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const timer = setTimeout(() => killGroup(child, 'SIGKILL'), options.timeout ?? 120_000);
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8'), took: performance.now() - started });
    });
  });
  return { child, ended };
}

/** Ends the whole process group that startProgram made; fine when it is gone. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {}
}

export async function siru(args: readonly string[], options: SiruOptions): Promise<Outcome> {
  return startSiru(args, options).ended;
}

/** Runs it and gives its standard output; an exit code other than 0 is an error that shows all it said. */
export async function siruOk(args: readonly string[], options: SiruOptions): Promise<string> {
  const outcome = await siru(args, options);
  if (outcome.code !== 0) throw new Error(`siru ${args.join(' ')} ended with ${outcome.code ?? outcome.signal}\n${outcome.stdout}${outcome.stderr}`);
  return outcome.stdout;
}

/** Runs any program to its end; throws when it fails. */
export async function command(words: readonly string[], options: Omit<SiruOptions, 'store' | 'program'> = {}): Promise<string> {
  const outcome = await startProgram(words, { ...options, env: options.env ?? process.env }).ended;
  if (outcome.code !== 0) throw new Error(`${words.join(' ')} ended with ${outcome.code ?? outcome.signal}\n${outcome.stdout}${outcome.stderr}`);
  return outcome.stdout;
}

function definedOnly(env: Record<string, string | undefined> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(env ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
