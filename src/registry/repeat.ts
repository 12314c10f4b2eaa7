import { setTimeout as wait } from 'node:timers/promises';

/** Node takes a longer time for none. */
const longestWait = 2 ** 31 - 1;

/**
 * Does something again and again, each time after a pause (milliseconds), until it is disposed; then the signal ends what is
 * under way, and that is waited for. What the work throws is told and ends nothing.
 */
export function repeat(pause: () => number, work: (signal: AbortSignal) => Promise<void>, onError: (error: unknown) => void): AsyncDisposable {
  const stop = new AbortController();
  const { signal } = stop;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        for (let left = pause(); left > 0; left -= longestWait) await wait(Math.min(left, longestWait), undefined, { signal, ref: false });
        await work(signal);
      } catch (error) {
        if (!signal.aborted) onError(error);
      }
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
