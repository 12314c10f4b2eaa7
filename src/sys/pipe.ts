/**
 * Pipes as the shell makes them. What Node calls a pipe to a child is a pair of sockets, and a socket cannot be opened
 * again under its name: `echo > /dev/stdout` fails with ENXIO there.
 */
import { failure, native } from './native.ts';

const pipeCall = native('int pipe2(void *ends, int flags)');

/** Two descriptors that no child inherits unless it is given one. */
export function makePipe(): { read: number; write: number } {
  const ends = new Int32Array(2);
  // O_CLOEXEC
  if (pipeCall(new Uint8Array(ends.buffer), 0o2000000) !== 0) throw failure('pipe2');
  return { read: ends[0]!, write: ends[1]! };
}
