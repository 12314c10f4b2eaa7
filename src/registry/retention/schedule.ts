/** Retention while a server runs, when the configuration gives an interval. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Core } from '../files/core.ts';
import { lastStep } from '../garbage/lease.ts';
import { retain } from './retain.ts';
import type { RetainOptions } from './retain.ts';

/** Milliseconds after a step of the clock, in which nothing is old for sure. */
const stepRest = 24 * 3_600_000;

/** The first run is an interval after the start: who begins a server with a wrong file has time to notice. */
export function scheduleRetention(core: Core, interval: number, options: Omit<RetainOptions, 'apply' | 'signal'>, onError: (error: unknown) => void): AsyncDisposable {
  const stop = new AbortController();
  const { signal } = stop;
  const run = async (): Promise<void> => {
    for (;;) {
      await wait(interval, undefined, { signal, ref: false });
      if (Math.abs(core.now() - lastStep(core.db)) < stepRest) continue;
      await retain(core, { ...options, apply: true, signal });
    }
  };
  const running = run().catch((error: unknown) => {
    if (!signal.aborted) onError(error);
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
