/** Starts the helper process in namespaces of its own and waits until it speaks. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createChannel, type Channel } from './channel.ts';
import type { FromHelper, ToHelper } from './messages.ts';
import { findProgram } from './runtimes.ts';

export interface Helper {
  child: ChildProcess;
  socket: Socket;
  channel: Channel<FromHelper, ToHelper>;
  /** Takes all messages but the first, `ready`. */
  listener: (message: FromHelper, payload: Buffer | undefined) => void;
}

/** The helper did not come up: what it, or the program that makes the namespaces, said. */
export class HelperFailure extends Error {}

/**
 * `--kill-child` and the parent-death signal of setpriv see to it that the kernel ends all when this process is killed,
 * even while the helper is too busy to notice that the channel is closed. The signal is asked for only when the user
 * namespace has its ids: unshare maps them by a child of its own, which would wait for ever for a parent that was killed.
 * A helper that comes up after its asker's death finds the channel closed, and ends.
 */
function namespaceCommand(nested: boolean): string[] {
  const unshare = findProgram('unshare');
  if (unshare === undefined) throw new HelperFailure('the program unshare (of util-linux) is not installed');
  const setpriv = findProgram('setpriv');
  return [
    ...(nested ? [unshare, '--user', '--map-root-user', '--map-auto', '--cgroup'] : []),
    ...(setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL']),
    unshare, '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc',
  ];
}

/** Beside this file, in TypeScript or compiled. */
function helperPath(): string {
  const here = import.meta.url;
  return fileURLToPath(new URL(`./helper${extname(new URL(here).pathname)}`, here));
}

export async function startHelper(nested: boolean): Promise<Helper> {
  // The number is for people who look at a list of processes.
  const [program, ...args] = [...namespaceCommand(nested), process.execPath, helperPath(), `for-${process.pid}`];
  const child = spawn(program!, args, {
    // Descriptor 3 is the channel; 4 to 6 are this process's own, for processes that take its place.
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 0, 1, 2],
    // A session of its own: what is typed at the terminal concerns this process, which then tells the helper.
    detached: true,
    cwd: '/',
    // Where the launcher keeps compiled code, so that the helper starts quickly too.
    env: { PATH: process.env['PATH'], HOME: '/', ...(process.env['NODE_COMPILE_CACHE'] ? { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] } : {}) },
  });
  const socket = child.stdio[3] as Socket;
  const helper: Helper = { child, socket, channel: createChannel(socket), listener: () => {} };
  let complaints = '';
  const stderr = child.stderr as Socket;
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  await new Promise<void>((resolve, reject) => {
    helper.channel.onMessage((message, payload) => {
      if ('ready' in message) resolve();
      else helper.listener(message, payload);
    });
    child.once('error', (error) => reject(new HelperFailure(error.message)));
    // Where the kernel refuses a namespace, unshare ends and leaves its own child behind, which would map the ids: it waits
    // for ever, and holds the descriptors open whose end `close` waits for.
    child.once('exit', () => endGroup(child.pid));
    child.once('close', (code, signal) => reject(new HelperFailure(complaints.trim() || `it ended with ${signal ?? `code ${code}`}`)));
  });
  stderr.unref();
  return helper;
}

/** Ends what is left of the helper's process group, which is its own. */
function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}
