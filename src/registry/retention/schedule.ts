/** Retention while a server runs, when the configuration gives an interval. */
import type { Core } from '../files/core.ts';
import { lastStep } from '../garbage/lease.ts';
import { repeat } from '../repeat.ts';
import { retain } from './retain.ts';
import type { RetainOptions } from './retain.ts';

/** Milliseconds after a step of the clock, in which nothing is old for sure. */
const stepRest = 24 * 3_600_000;

/** The first run is an interval after the start: who begins a server with a wrong file has time to notice. */
export function scheduleRetention(core: Core, interval: number, options: Omit<RetainOptions, 'apply' | 'signal'>, onError: (error: unknown) => void): AsyncDisposable {
  return repeat(() => interval, async (signal) => {
    if (Math.abs(core.now() - lastStep(core.db)) >= stepRest) await retain(core, { ...options, apply: true, signal });
  }, onError);
}
