/** The executor as the rest of the program sees it: calls to a helper process, which is started here. */
import { checkCancelled } from '../base/context.ts';
import { callHelper } from './connection.ts';
import type { Executor } from './executor.ts';
import { climb, noRuntime, type Isolation } from './isolation.ts';

export interface ExecutorOptions {
  isolation?: Isolation;
  /** The store's tmp/, absolute. */
  folder: string;
  onWarning?: (text: string) => void;
  /** What it is for: `run` fails at once when no runtime works, `files` does not ask for one. */
  purpose?: 'run' | 'files';
}

/**
 * Starts the helper on the best rung that works (see isolation.ts). Throws RUNTIME when there is none. Close it: then its
 * processes and mounts are gone, as they are when this process is killed.
 */
export async function createExecutor(options: ExecutorOptions): Promise<Executor> {
  const { connection, abilities } = await climb(options);
  if (!abilities.runtime && options.purpose !== 'files') {
    await connection.close();
    throw noRuntime(abilities);
  }
  if (options.onWarning) connection.onWarning = options.onWarning;
  return {
    unpack: (request, signal) => callHelper(connection, 'unpack', request, { signal }),
    prepare: (request) => callHelper(connection, 'prepare', request),
    async run(id, spec, io, signal) {
      if (!abilities.runtime) throw noRuntime(abilities);
      const kind = io.type === 'stream' ? { type: io.type } : io;
      const onOutput = io.type === 'stream' ? io.onOutput : undefined;
      const result = await callHelper(connection, 'run', { id, spec, io: kind }, { signal, onOutput });
      if (signal?.aborted) checkCancelled({ signal, emit: () => {} });
      return result;
    },
    kill: (id, signal) => callHelper(connection, 'kill', { id, signal }),
    resize: (id) => callHelper(connection, 'resize', { id }),
    commit: (id, request) => callHelper(connection, 'commit', { id, ...request }),
    remove: (id, how) => callHelper(connection, 'remove', { id, ...how }),
    archive: (request, signal) => callHelper(connection, 'archive', request, { signal }),
    removeTrees: (paths) => callHelper(connection, 'removeTrees', { paths }),
    move: (from, to, how) => callHelper(connection, 'move', { from, to, ...how }),
    measure: (path) => callHelper(connection, 'measure', { path }),
    close: () => connection.close(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
