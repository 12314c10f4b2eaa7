/** Several things at once that succeed or fail as one. */
import type { Context } from '../base/context.ts';
import { isSiruError } from '../base/errors.ts';
import { createLimit } from '../base/limit.ts';

/**
 * Runs `task` for every item, at most `count` at a time. The first failure cancels the others and is thrown when all have
 * ended, so nothing goes on behind the caller's back.
 */
export async function together<T, R>(items: readonly T[], count: number, context: Context, task: (item: T, inner: Context) => Promise<R>): Promise<R[]> {
  const stop = new AbortController();
  const inner: Context = { signal: AbortSignal.any([context.signal, stop.signal]), emit: context.emit };
  const limit = createLimit(count);
  const failures: unknown[] = [];
  const results = await Promise.all(items.map((item) => limit(async () => {
    if (failures.length > 0) return undefined;
    try {
      return await task(item, inner);
    } catch (error) {
      failures.push(error);
      stop.abort(error);
      return undefined;
    }
  })));
  // What was cancelled because of another failure is not the reason.
  if (failures.length > 0) throw failures.find((error) => !isSiruError(error) || error.code !== 'CANCELLED') ?? failures[0];
  return results as R[];
}
