/** Bytes to standard output. */
import { writeSync } from 'node:fs';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';

/** Straight to the descriptor: no queue in memory. A reader that went away ends the program, as SIGPIPE would. Throws USAGE when nothing more can be written. */
export async function writeOut(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EPIPE') process.exit(141);
      if (errno !== 'EAGAIN') throw new SiruError('USAGE', `cannot write the output: ${messageOf(error)}`, { cause: error });
      // A pipe that somebody made non-blocking is full.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
