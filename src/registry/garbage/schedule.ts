/** Collections while a server runs, and an eye on the clock. */
import { uptime } from 'node:os';
import type { Core } from '../files/core.ts';
import { repeat } from '../repeat.ts';
import { collect } from './collect.ts';
import type { Outcome } from './collect.ts';
import type { Removal } from './ground.ts';
import { lastCollection, LeaseLost, noteStep } from './lease.ts';
import type { GarbagePolicy } from './policy.ts';

export interface ScheduleOptions {
  policy: GarbagePolicy;
  /** Milliseconds from the end of one to the begin of the next, whichever process it was. */
  interval: number;
  onRemoved?: (removal: Removal) => void;
  /** How one ended that did not fail. */
  onOutcome?: (outcome: Outcome) => void;
  onError: (error: unknown) => void;
}

/** Milliseconds between two looks at the clock, and by how much it may be off then. */
const lookInterval = 10_000;
const tolerance = 5_000;

/** Runs until it is disposed; a collection that runs then is left to the next collector. */
export function scheduleCollections(core: Core, { policy, interval, onRemoved, onOutcome = () => {}, onError }: ScheduleOptions): AsyncDisposable {
  // The random part keeps servers that were started together from asking together.
  return repeat(() => Math.min(interval, lookInterval) * (0.5 + Math.random()), async (signal) => {
    if (Math.abs(core.now() - lastCollection(core.db)) < interval) return;
    await collect(core, { policy, signal, ...(onRemoved && { onRemoved }) }).then(onOutcome, (error: unknown) => {
      if (!(error instanceof LeaseLost)) throw error;
    });
  }, onError);
}

/**
 * Notes when the clock has gone otherwise than the time, of which a suspended machine knows too: what was told lately is not
 * old because the clock says so.
 */
export function watchClock(core: Core, onError: (error: unknown) => void, every: number = lookInterval): Disposable {
  const difference = (): number => core.now() - uptime() * 1000;
  let before = difference();
  const timer = setInterval(() => {
    const step = difference() - before;
    before += step;
    if (Math.abs(step) < tolerance) return;
    try {
      noteStep(core.db, core.now());
      onError(new Error(`the clock stepped by ${Math.round(step / 1000)} seconds: nothing is collected for the grace time`));
    } catch (error) {
      onError(error);
    }
  }, every);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
