/** What a helper process asks of the kernel about itself. */
import { failure, native } from './native.ts';

const prctlCall = native('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)');

/**
 * Has the kernel send this process a signal (SIGKILL when not given) when the thread that started it ends. `parent`, the
 * process id that started it, closes the gap before this call: when it is gone already, the process ends here.
 */
export function dieWithParent(parent?: number, signal = 9): void {
  if (prctlCall(1, signal, 0, 0, 0) !== 0) throw failure('prctl'); // PR_SET_PDEATHSIG
  if (parent !== undefined && process.ppid !== parent) process.kill(process.pid, signal);
}

/** Makes orphaned descendants children of this process instead of init's. */
export function becomeSubreaper(): void {
  if (prctlCall(36, 1, 0, 0, 0) !== 0) throw failure('prctl'); // PR_SET_CHILD_SUBREAPER
}
