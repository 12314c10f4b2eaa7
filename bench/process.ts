/** Starting whole processes, with what they cost. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a command to its end and gives its output. Throws when it fails. */
export function run(command: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command.join(' ')}\n${stderr.slice(-2000)}`);
  return stdout;
}

/** The same for what may fail, such as the removal of something that is not there. */
export function attempt(command: string[]): void {
  spawnSync(command[0]!, command.slice(1), { stdio: 'ignore' });
}

export interface Timed {
  seconds: number;
  /** Peak resident memory of the largest process that the command waited for, MiB. */
  memory: number;
}

/**
 * Times a whole process. The memory is taken by a small process in between: the kernel counts what a parent has at the
 * moment of the exec as the child's own peak, and this process is larger than some of those that it measures.
 */
export function time(command: string[]): Timed {
  const file = join(tmpdir(), `siru-bench-time-${process.pid}`);
  try {
    const started = performance.now();
    run(['/usr/bin/env', 'time', '-f', '%M', '-o', file, ...command]);
    const seconds = (performance.now() - started) / 1000;
    return { seconds, memory: Number(readFileSync(file, 'utf8').trim().split('\n').at(-1)) / 1024 };
  } finally {
    rmSync(file, { force: true });
  }
}

export function median(list: number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
