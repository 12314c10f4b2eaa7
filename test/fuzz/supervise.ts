/** Runs campaigns in threads, and notices when one hangs or dies. */
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { CampaignResult, Find } from './campaign.ts';
import { largestInput } from './target.ts';
import type { WorkerData } from './worker.ts';

export interface SuperviseOptions {
  seed: number;
  runs: number;
  /** Milliseconds. */
  time?: number;
}

export interface Report extends CampaignResult {
  target: string;
  finds: Find[];
  /** Milliseconds. */
  took: number;
  /** Largest resident memory of the process seen meanwhile, bytes. */
  resident: number;
}

/** Milliseconds that one input may take before it is called a hang. */
const patience = 90_000;
/** MiB of heap; a thread that needs more is stopped, and its input is a find. */
const heapLimit = 700;
/** Resident memory of the process that is a find: heap, buffers and what zlib takes. */
export const residentLimit: number = 2 ** 31;
const mostFinds = 20;

/** Never throws for what a target does. */
export async function supervise(target: string, options: SuperviseOptions): Promise<Report> {
  setFlagsFromString('--expose-gc'); // threads that start from now on can collect when they are asked to
  const started = performance.now();
  const deadline = started + (options.time ?? Infinity);
  const report: Report = { target, finds: [], runs: 0, endings: 0, slowest: 0, growth: 0, took: 0, resident: 0 };
  while (report.runs < options.runs && report.finds.length < mostFinds && performance.now() < deadline) {
    const before = report.runs;
    await oneThread(report, { target, seed: options.seed, first: report.runs, runs: options.runs - report.runs, time: deadline - performance.now() });
    if (report.runs === before) break;
  }
  if (report.resident > residentLimit) report.finds.push({ kind: 'memory', why: `the process took ${Math.round(report.resident / 2 ** 20)} MiB` });
  report.took = performance.now() - started;
  return report;
}

/** Until the campaign is complete, or an input stops the thread. */
async function oneThread(report: Report, data: Omit<WorkerData, 'shared'>): Promise<void> {
  const shared = new SharedArrayBuffer(12 + largestInput);
  const words = new Int32Array(shared, 0, 3);
  const blame = (kind: Find['kind'], why: string): void => {
    report.finds.push({ kind, why, input: Buffer.from(Buffer.from(shared, 12, words[2])) });
  };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { ...data, shared }, resourceLimits: { maxOldGenerationSizeMb: heapLimit } });
  let last = -1;
  let since = performance.now();
  const watch = setInterval(() => {
    report.resident = Math.max(report.resident, process.memoryUsage.rss());
    if (words[0] !== last || Atomics.load(words, 1) === 0) {
      last = words[0]!;
      since = performance.now();
    } else if (performance.now() - since > patience) {
      blame('hang', `no end after ${patience / 1000} s`);
      void worker.terminate();
    }
  }, 250);
  let result: CampaignResult | undefined;
  worker.on('message', (message: { find?: Find; result?: CampaignResult }) => {
    if (message.find) report.finds.push(message.find);
    result ??= message.result;
  });
  worker.on('error', (error: Error & { code?: string }) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') blame('memory', `more than ${heapLimit} MiB of heap`);
    else blame('crash', error.stack ?? error.message);
  });
  await new Promise((resolve) => worker.on('exit', resolve));
  clearInterval(watch);
  report.runs += result?.runs ?? words[0]!;
  report.slowest = Math.max(report.slowest, result?.slowest ?? 0);
  report.endings = Math.max(report.endings, result?.endings ?? 0);
  report.growth = Math.max(report.growth, result?.growth ?? 0);
}
