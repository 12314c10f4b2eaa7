/** Passes output on without keeping it: to the asking process, or to an open file of its. */
import { write } from 'node:fs';
import type { Readable } from 'node:stream';
import { errnoOf } from '../base/errors.ts';

/**
 * Holds back what comes on standard error until the process runs: before that it is the runtime that complains, and what
 * it says is told as an error instead. What looks like a failed execve is held until more comes: that is the runtime's
 * last word, when it has let go of everything else.
 */
export interface Gate {
  /** Gives what may go on now. */
  pass(bytes: Buffer): Buffer | undefined;
  /** What is still held; nothing is held afterwards. */
  rest(): Buffer | undefined;
}

/** How runc and crun tell, on the process's own standard error, that the kernel did not take the program. */
export const execFailure: RegExp = /^(?:exec \/[^\n]*: [a-z ]+|\{"msg":"exec container process [^\n]*\})\n$/;

/** More than a runtime ever says. */
const mostHeld = 64 * 1024;

export function createGate(started: () => boolean): Gate {
  let held: Buffer[] = [];
  let open = false;
  const rest = (): Buffer | undefined => {
    if (held.length === 0) return undefined;
    const all = Buffer.concat(held);
    held = [];
    return all;
  };
  return {
    rest,
    pass(bytes) {
      if (open) return bytes;
      held.push(bytes);
      if (held.length === 1 && bytes.length < 4096 && execFailure.test(bytes.toString())) return undefined;
      open = started() || held.reduce((sum, { length }) => sum + length, 0) > mostHeld;
      return open ? rest() : undefined;
    },
  };
}

/** Copies to an open file. Ends when the source ends, or when nobody reads the file any more: then the source is closed. */
export async function copyToDescriptor(source: Readable, fd: number, gate?: Gate): Promise<void> {
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const bytes = gate ? gate.pass(chunk) : chunk;
      if (bytes) await writeAll(fd, bytes);
    }
  } catch (error) {
    // The pipe breaks for the process too, as it would if it had been its own.
    source.destroy();
    if (errnoOf(error) !== 'EPIPE') throw error;
  }
}

/** Writes all of it, waiting where the file is not ready. */
export async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    try {
      done += await new Promise<number>((resolve, reject) => {
        write(fd, bytes, done, bytes.length - done, null, (error, count) => (error ? reject(error) : resolve(count)));
      });
    } catch (error) {
      // Somebody else made the file non-blocking.
      if (errnoOf(error) !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
