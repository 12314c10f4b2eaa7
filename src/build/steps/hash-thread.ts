/**
 * The digests of large files, found in a second thread while this one writes them into a tar and hashes that. Both read
 * the file; the second read comes from the page cache.
 */
import { availableParallelism } from 'node:os';
import type { Digest } from '../../oci/digest.ts';
import { createFileHasher } from './read-files.ts';
import type { Output } from './destination.ts';

export interface HashThread extends Disposable {
  /** Waits for the digest of one of the files; undefined for a file that the thread does not read. */
  digestOf(output: Output): (() => Digest) | undefined;
}

/** Smaller files are hashed where they are written. */
const large = 4 << 20;
/** Below this sum a thread costs more than it saves: it takes 40 ms to start. */
const worthwhile = 64 << 20;
/** Milliseconds without any progress after which the thread is given up. */
const patience = 5000;

/** Starts a thread when there is enough to hash that is safe to be read twice; undefined otherwise. */
export async function startHashThread(outputs: Output[]): Promise<HashThread | undefined> {
  if (availableParallelism() < 2) return undefined;
  const chosen: Output[] = [];
  const files: { path: string | Uint8Array; size: number }[] = [];
  let sum = 0;
  for (const output of outputs) {
    const { entry, found, tree } = output;
    if (entry.type !== 'file' || entry.size < large || entry.digest !== undefined || !found || !tree?.isSettled?.(found)) continue;
    const content = tree.content(found);
    if (!('file' in content)) continue;
    chosen.push(output);
    files.push({ path: content.file, size: entry.size });
    sum += entry.size;
  }
  if (sum < worthwhile) return undefined;

  // Per file: state (0 not yet, 1 done, 2 failed) and digest; before them a word that moves with the work.
  const shared = new SharedArrayBuffer(4 + files.length * 4 + files.length * 32);
  const states = new Int32Array(shared, 0, 1 + files.length);
  const digests = new Uint8Array(shared, 4 + files.length * 4);
  const { Worker } = await import('node:worker_threads');
  // As text, so that a bundle needs no second file.
  const worker = new Worker(`(${hashInThread.toString()})()`, { eval: true, workerData: { files, shared } });
  worker.on('error', () => {});
  worker.unref();
  const numbers = new Map(chosen.map((output, i) => [output, i]));
  return {
    digestOf(output) {
      const i = numbers.get(output);
      if (i === undefined) return undefined;
      return () => {
        for (let moved = states[0]; Atomics.load(states, 1 + i) === 0; moved = states[0]) {
          if (Atomics.wait(states, 1 + i, 0, patience) === 'timed-out' && Atomics.load(states, 0) === moved) break;
        }
        if (Atomics.load(states, 1 + i) === 1) return `sha256:${Buffer.from(digests.slice(i * 32, i * 32 + 32)).toString('hex')}`;
        return createFileHasher()(output.found!.entry, output.tree!.content(output.found!));
      };
    },
    [Symbol.dispose]() {
      void worker.terminate();
    },
  };
}

/** Runs in the thread: nothing from outside may be used here. */
function hashInThread(): void {
  const { workerData } = process.getBuiltinModule('node:worker_threads');
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { closeSync, constants, openSync, readSync } = process.getBuiltinModule('node:fs');
  const { files, shared } = workerData as { files: { path: string | Uint8Array; size: number }[]; shared: SharedArrayBuffer };
  const states = new Int32Array(shared, 0, 1 + files.length);
  const digests = new Uint8Array(shared, 4 + files.length * 4);
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  for (const [i, { path, size }] of files.entries()) {
    let state = 2;
    try {
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
      const fd = openSync(typeof path === 'string' ? path : Buffer.from(path), flags);
      try {
        const hash = createHash('sha256');
        let done = 0;
        for (let got = -1; got !== 0; done += got) {
          got = readSync(fd, buffer, 0, buffer.length, -1);
          hash.update(buffer.subarray(0, got));
          Atomics.add(states, 0, 1);
        }
        if (done === size) {
          digests.set(hash.digest(), i * 32);
          state = 1;
        }
      } finally {
        closeSync(fd);
      }
    } catch {
      // The first thread reads the file itself and says what is wrong.
    }
    Atomics.store(states, 1 + i, state);
    Atomics.notify(states, 1 + i);
  }
}
