/** `siru registry serve` as a process, on a free port. */
import { once } from 'node:events';
import { killGroup, startSiru } from './siru.ts';
import type { Outcome } from './siru.ts';

export interface OwnRegistry extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  host: string;
  url: string;
  pid: number;
  /** Sends the signal, waits for the end and tells how it was. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>;
}

export async function startOwnRegistry(root: string, args: readonly string[] = []): Promise<OwnRegistry> {
  const { child, ended } = startSiru(['registry', 'serve', '--root', root, '--listen', '127.0.0.1:0', ...args], { store: '/nonexistent', timeout: 600_000 });
  let said = '';
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const gone = ended.then(({ stderr, code }) => Promise.reject(new Error(`the registry ended with ${code}: ${stderr}`)));
  gone.catch(() => {});
  let host: string | undefined;
  while ((host = /Registry at https?:\/\/(\S+),/.exec(said)?.[1]) === undefined) await Promise.race([once(child.stdout!, 'data'), gone]);
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> => {
    killGroup(child, signal);
    return ended;
  };
  return {
    host,
    url: `http://${host}`,
    pid: child.pid!,
    stop,
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL');
    },
  };
}
