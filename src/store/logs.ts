/** What the steps of a build wrote: a file for each, whole. */
import { closeSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LogWriter } from './store.ts';

/** The file of a step's log, when there is one. */
export function logPath(root: string, build: string, step: number): string | undefined {
  const path = fileOf(root, build, step);
  return path !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile() ? path : undefined;
}

/** A log is a convenience: where it cannot be written the step goes on, and `failure` says why. */
export function createLog(root: string, build: string, step: number): LogWriter {
  const path = fileOf(root, build, step);
  let fd: number | undefined;
  let bytes = 0;
  let failure: unknown;
  return {
    get bytes() {
      return bytes;
    },
    get failure() {
      return failure;
    },
    write(text) {
      if (failure !== undefined || path === undefined) return;
      try {
        if (fd === undefined) {
          mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
          fd = openSync(path, 'a', 0o600);
        }
        const buffer = Buffer.from(text);
        for (let done = 0; done < buffer.length; ) {
          const wrote = writeSync(fd, buffer, done);
          done += wrote;
          bytes += wrote;
        }
      } catch (error) {
        failure = error;
      }
    },
    [Symbol.dispose]() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** IDs come from the database, which somebody else may have written: they are no paths. */
function fileOf(root: string, build: string, step: number): string | undefined {
  return /^[\w-]+$/.test(build) && Number.isSafeInteger(step) ? join(root, 'logs', build, String(step)) : undefined;
}
