/** The thread of a campaign. What it is working on lies in shared memory, so that it is known when the thread is gone. */
import { parentPort, workerData } from 'node:worker_threads';
import { campaign } from './campaign.ts';
import { targetOf } from './targets.ts';

export interface WorkerData {
  target: string;
  seed: number;
  first: number;
  runs: number;
  time: number;
  /** Three 32-bit words (inputs begun, 1 while one is worked on, its length), then the input. */
  shared: SharedArrayBuffer;
}

const { target, shared, ...options } = workerData as WorkerData;
const words = new Int32Array(shared, 0, 3);
const bytes = Buffer.from(shared, 12);

const result = await campaign(targetOf(target), {
  ...options,
  before(input) {
    bytes.set(input.subarray(0, bytes.length));
    words[2] = Math.min(input.length, bytes.length);
    words[0]!++;
    Atomics.store(words, 1, 1);
  },
  after: () => void Atomics.store(words, 1, 0),
  find: (find) => parentPort!.postMessage({ find }),
});
parentPort!.postMessage({ result });
