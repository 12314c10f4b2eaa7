/** The standard streams of a process: nothing, pipes to this process, or the asking process's own. */
import type { StdioOptions } from 'node:child_process';
import { closeSync, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import { makePipe } from '../sys/pipe.ts';
import type { ProcessIoKind } from './messages.ts';

/** Where the asking process's own standard input, output and error are in this process. */
export const inherited = { stdin: 4, stdout: 5, stderr: 6 } as const;

export interface ProcessStdio {
  /** For spawn. */
  stdio: StdioOptions;
  /** This process's ends of the pipes. */
  stdin?: Socket;
  stdout?: Socket;
  stderr?: Socket;
  /** To be called when the child has its ends. */
  given(): void;
  /** All that the process wrote has been read. */
  read: Promise<unknown>;
}

export function openStdio(io: ProcessIoKind, tty: boolean): ProcessStdio {
  const theirs: number[] = [];
  const closed: Promise<void>[] = [];
  const result: ProcessStdio = {
    stdio: [],
    given() {
      for (const fd of theirs.splice(0)) closeSync(fd);
    },
    read: Promise.resolve(),
  };
  const output = (name: 'stdout' | 'stderr'): number => {
    const { read, write } = makePipe();
    theirs.push(write);
    const source = (result[name] = new Socket({ fd: read, readable: true, writable: false }));
    source.on('error', () => {});
    closed.push(new Promise((resolve) => source.once('close', () => resolve())));
    return write;
  };
  const input = (): number => {
    const { read, write } = makePipe();
    theirs.push(read);
    result.stdin = new Socket({ fd: write, readable: false, writable: true });
    result.stdin.on('error', () => {});
    return read;
  };
  // The channel is descriptor 3 here; a null device in its place keeps it out of the runtime.
  if (io.type === 'stream') result.stdio = ['ignore', output('stdout'), output('stderr'), 'ignore'];
  else if (tty) result.stdio = [io.stdin ? inherited.stdin : 'ignore', inherited.stdout, inherited.stderr, 'ignore'];
  else {
    // A process without a terminal of its own must not find the caller's, so that goes through a pipe; so does output to a socket.
    const stdin = !io.stdin ? 'ignore' : isatty(inherited.stdin) ? input() : inherited.stdin;
    result.stdio = [stdin, isatty(inherited.stdout) || fstatSync(inherited.stdout).isSocket() ? output('stdout') : inherited.stdout, output('stderr'), 'ignore'];
  }
  result.read = Promise.all(closed);
  return result;
}
