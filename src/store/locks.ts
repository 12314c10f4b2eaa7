/** Named locks across calls and processes: a queue within the handle, flock on a file for all others. */
import { closeSync, fstatSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SiruError, isSiruError } from '../base/errors.ts';
import { checkCancelled } from '../base/context.ts';
import type { Context } from '../base/context.ts';
import { hexOf, sha256 } from '../oci/digest.ts';
import { readOnlyStore, storeError } from './store-error.ts';

const shortestWait = 2;
const longestWait = 50;

export interface Locks {
  /** Waits for the lock. Throws CANCELLED when the context's signal fires first. */
  take(name: string, context: Context): Promise<Disposable>;
  /** The lock if nobody holds it. */
  tryTake(name: string): Promise<Disposable | undefined>;
}

export function createLocks(root: string, readonly: boolean): Locks {
  /** Who waits in this handle, by file; a key is there while somebody holds the lock. */
  const queues = new Map<string, (() => void)[]>();

  const enter = async (file: string, signal: AbortSignal): Promise<void> => {
    const queue = queues.get(file);
    if (queue === undefined) {
      queues.set(file, []);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        queue.splice(queue.indexOf(turn), 1);
        reject(new SiruError('CANCELLED', 'cancelled while waiting for a lock', { cause: signal.reason }));
      };
      queue.push(turn);
      signal.addEventListener('abort', leave, { once: true });
    });
  };
  const leave = (file: string): void => {
    const next = queues.get(file)?.shift();
    if (next === undefined) queues.delete(file);
    else next();
  };

  const held = (file: string, release: () => void): Disposable => {
    let holds = true;
    return {
      [Symbol.dispose]() {
        if (!holds) return;
        holds = false;
        release();
        leave(file);
      },
    };
  };
  const fileOf = (name: string): string => {
    if (readonly) throw readOnlyStore(root);
    return join(root, 'locks', hexOf(sha256(name)));
  };

  return {
    async take(name, context) {
      const file = fileOf(name);
      checkCancelled(context);
      await enter(file, context.signal);
      try {
        return held(file, await lockFile(file, context));
      } catch (error) {
        leave(file);
        throw error;
      }
    },
    async tryTake(name) {
      const file = fileOf(name);
      if (queues.has(file)) return undefined;
      queues.set(file, []);
      try {
        const { tryLock } = await import('../sys/lock.ts');
        const fd = tryFile(file, tryLock);
        if (fd !== undefined) return held(file, () => releaseFile(file, fd));
      } catch (error) {
        leave(file);
        throw error;
      }
      leave(file);
      return undefined;
    },
  };
}

/** Locks the file against other processes; the result removes it and lets it go. */
async function lockFile(file: string, context: Context): Promise<() => void> {
  // Loaded here because it loads the foreign-function library, which most commands do without.
  const { tryLock } = await import('../sys/lock.ts');
  for (let wait = shortestWait; ; wait = Math.min(wait * 1.5, longestWait)) {
    checkCancelled(context);
    const fd = tryFile(file, tryLock);
    if (fd !== undefined) return () => releaseFile(file, fd);
    try {
      await sleep(wait, undefined, { signal: context.signal });
    } catch {
      checkCancelled(context);
    }
  }
}

function releaseFile(file: string, fd: number | 'unsupported'): void {
  if (fd === 'unsupported') return;
  // Removed while it is still held: whoever has it open finds it unlinked when his turn comes, and starts anew.
  try {
    unlinkSync(file);
  } catch {}
  closeSync(fd);
}

/** An open descriptor that has the lock, undefined when somebody else has it. */
function tryFile(file: string, tryLock: (fd: number) => boolean): number | 'unsupported' | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'a');
  } catch (error) {
    throw storeError(error, `cannot make the lock file ${file}`);
  }
  try {
    // The holder before may have removed the file between the opening and the locking.
    if (tryLock(fd) && fstatSync(fd).nlink > 0) return fd;
  } catch (error) {
    closeSync(fd);
    if (isSiruError(error) && error.code === 'UNSUPPORTED') return 'unsupported';
    throw storeError(error, `cannot lock ${file}`);
  }
  closeSync(fd);
  return undefined;
}

/** Removes lock files that nobody holds, which only killed processes leave. */
export async function removeStaleLocks(root: string): Promise<void> {
  const names = readdirSync(join(root, 'locks'));
  if (names.length === 0) return;
  const { tryLock } = await import('../sys/lock.ts');
  for (const name of names) {
    const file = join(root, 'locks', name);
    const fd = tryFile(file, tryLock);
    if (fd === 'unsupported') return;
    if (fd === undefined) continue;
    try {
      unlinkSync(file);
    } catch {}
    closeSync(fd);
  }
}
