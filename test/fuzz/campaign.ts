/** One target, many inputs, in one thread: what worker.ts does, and what a debugger can step through. */
import { getHeapStatistics } from 'node:v8';
import { mutate } from './mutate.ts';
import { createRandom, seedOf } from './random.ts';
import { ending, type Target } from './target.ts';

export interface Find {
  kind: 'error' | 'slow' | 'memory' | 'hang' | 'crash';
  /** Error text with its stack, or what was exceeded. */
  why: string;
  /** Absent when no single input is to blame. */
  input?: Uint8Array;
}

export interface CampaignOptions {
  seed: number;
  /** Inputs from the `first` to before `first + runs`. */
  first: number;
  runs: number;
  /** Milliseconds; Infinity when only `runs` counts. */
  time: number;
  /** Told before an input is given to the code, and after. */
  before(input: Uint8Array): void;
  after(): void;
  find(find: Find): void;
}

export interface CampaignResult {
  runs: number;
  /** Endings that were told apart. */
  endings: number;
  /** Milliseconds of the slowest input. */
  slowest: number;
  /** Bytes that the heap grew from the first quarter to the end, after collection. */
  growth: number;
}

/** An input that takes longer is a find. Much more than any takes, so that a busy machine makes none. */
const slowest = 20_000;
/** Growth of the heap over a campaign, after collection, that is a find. */
const mostGrowth = 48 * 2 ** 20;
/** Seeds that are kept beside those the target brings. */
const mostLearned = 3000;
const batch = 4096;

export async function campaign(target: Target, options: CampaignOptions): Promise<CampaignResult> {
  const { seed, first, runs, time } = options;
  const started = performance.now();
  const corpus = target.seeds().map((bytes) => bytes.subarray(0, target.largest));
  const known = new Set<string>();
  const reported = new Set<string>();
  const result: CampaignResult = { runs: 0, endings: 0, slowest: 0, growth: 0 };
  const seeds = corpus.length;
  let settled: number | undefined;

  for (let number = first; number < first + runs; number++) {
    if (performance.now() - started > time) break;
    const random = createRandom(seed, seedOf(target.name), number);
    const input = number < seeds
      ? corpus[number]!
      : target.generate && random.once(2)
        ? (random.once(2) ? target.generate(random) : mutate(target.generate(random), random, { ...target, corpus }))
        : mutate(random.pick(corpus), random, { ...target, corpus });
    options.before(input);
    const begun = performance.now();
    try {
      const outcome = target.run(input);
      const end = outcome instanceof Promise ? String(await outcome) : String(outcome);
      if (!known.has(end) && known.size < mostLearned) {
        known.add(end);
        corpus.push(Buffer.from(input));
      }
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      // The same fault from another input tells nothing new.
      const mark = `${ending((error as Error).message ?? '')} ${why.split('\n').filter((line) => line.includes(' at ')).slice(0, 3).join()}`.replace(/\d+/g, '');
      if (!reported.has(mark)) options.find({ kind: 'error', why: why.slice(0, 4000), input });
      reported.add(mark);
    }
    const took = performance.now() - begun;
    options.after();
    result.runs++;
    result.slowest = Math.max(result.slowest, took);
    if (took > slowest) options.find({ kind: 'slow', why: `took ${Math.round(took)} ms`, input });
    if (result.runs % batch === 0 && result.runs * 4 >= Math.min(runs, 20 * batch)) {
      const used = heapAfterCollection();
      settled ??= used;
      result.growth = used - settled;
    }
  }
  result.endings = known.size;
  if (result.growth > mostGrowth) options.find({ kind: 'memory', why: `the heap grew by ${Math.round(result.growth / 2 ** 20)} MiB` });
  return result;
}

function heapAfterCollection(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return getHeapStatistics().used_heap_size;
}
