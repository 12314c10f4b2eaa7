/** Syncing to disk, grouped: everybody who waits shares the next sync that begins. Nothing here stops the event loop. */
import { close, fdatasync, fsync, openSync } from 'node:fs';

export interface Sync extends AsyncDisposable {
  /** What the database committed before survives. */
  database(): Promise<void>;
  /** The names that were made in this folder before survive. */
  folder(path: string): Promise<void>;
  /** The bytes of an open file survive. */
  file(fd: number): Promise<void>;
}

/** `enabled: false` leaves syncing to the system: for tests, and storage that may be lost. */
export function createSync(database: string, enabled: boolean): Sync {
  if (!enabled) return { database: async () => {}, folder: async () => {}, file: async () => {}, async [Symbol.asyncDispose]() {} };
  const groups = new Map<string, { fd: number; run: () => Promise<void> }>();
  const group = (path: string, call: typeof fsync): Promise<void> => {
    let found = groups.get(path);
    if (found === undefined) {
      const fd = openSync(path, 'r');
      groups.set(path, (found = { fd, run: grouped(() => promised(call, fd)) }));
    }
    return found.run();
  };
  return {
    // A commit is in the log, or was moved into the database by a checkpoint, which syncs by itself.
    database: () => group(`${database}-wal`, fdatasync),
    folder: (path) => group(path, fsync),
    file: (fd) => promised(fdatasync, fd),
    async [Symbol.asyncDispose]() {
      for (const { fd, run } of groups.values()) {
        await run().catch(() => {});
        await new Promise((resolve) => close(fd, resolve));
      }
      groups.clear();
    },
  };
}

/** One at a time; whoever comes while one runs waits for the next one, together with all others. */
function grouped(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const mine = work().finally(() => {
      if (running === mine) running = undefined;
    });
    return (running = mine);
  };
  return () => {
    if (running === undefined) return start();
    return (next ??= running.catch(() => {}).then(() => {
      next = undefined;
      return start();
    }));
  };
}

function promised(call: typeof fsync, fd: number): Promise<void> {
  return new Promise((resolve, reject) => call(fd, (error) => (error ? reject(error) : resolve())));
}
