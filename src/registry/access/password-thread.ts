/** bcrypt in a second thread: a check takes a tenth of a second, in which the first one answers hundreds of requests. */
import { createRequire } from 'node:module';
import type { Worker } from 'node:worker_threads';

export interface PasswordThread {
  /** One after the other. */
  compare(password: string, hash: string): Promise<boolean>;
}

interface Waiting {
  resolve: (right: boolean) => void;
  reject: (error: unknown) => void;
}

/** The thread starts with the first check, and keeps no process from ending. */
export function createPasswordThread(): PasswordThread {
  let running: Promise<Worker> | undefined;
  const waiting = new Map<number, Waiting>();
  let last = 0;

  const start = async (): Promise<Worker> => {
    const { Worker } = await import('node:worker_threads');
    // As text, so that a bundle needs no second file.
    const worker = new Worker(`(${checkInThread.toString()})()`, { eval: true, workerData: createRequire(import.meta.url).resolve('bcryptjs') });
    const end = (error: unknown): void => {
      running = undefined;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    worker.on('message', ({ id, right }: { id: number; right: boolean }) => {
      waiting.get(id)?.resolve(right);
      waiting.delete(id);
      if (waiting.size === 0) worker.unref();
    });
    worker.on('error', end).on('exit', (code) => end(new Error(`the thread that checks passwords ended with ${code}`)));
    worker.unref();
    return worker;
  };
  return {
    async compare(password, hash) {
      const worker = await (running ??= start());
      worker.ref();
      return new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        worker.postMessage({ id: last, password, hash });
      });
    },
  };
}

/** Runs in the thread: nothing from outside may be used here. */
function checkInThread(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const load = process.getBuiltinModule('node:module').createRequire(workerData as string);
  const { compareSync } = load(workerData as string) as { compareSync: (password: string, hash: string) => boolean };
  parentPort!.on('message', ({ id, password, hash }: { id: number; password: string; hash: string }) => {
    let right = false;
    try {
      right = compareSync(password, hash);
    } catch {
      // A hash that bcrypt does not read fits no password.
    }
    parentPort!.postMessage({ id, right });
  });
}
