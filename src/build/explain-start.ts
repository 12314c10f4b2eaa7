/** A RUN whose program could not be started, because it is for another machine. */
import type { Context } from '../base/context.ts';
import { SiruError, isSiruError } from '../base/errors.ts';
import type { Platform } from '../oci/platform.ts';
import type { Store } from '../store/store.ts';
import { RunFailed } from './steps/run.ts';

/**
 * The error with what to do, when the platform's programs cannot be executed here. It is asked only afterwards: an image may
 * say that it is for one platform and hold programs of another, and those run.
 */
export async function explainStart(error: unknown, platform: Platform, store: Store, context: Context): Promise<unknown> {
  if (!(error instanceof RunFailed) || error.startFailure === undefined || context.signal.aborted) return error;
  const { checkRunnable } = await import('../runtime/foreign.ts');
  try {
    const doubt = await checkRunnable(platform, store.temporary('.elf'), context);
    return doubt === undefined ? error : new SiruError('RUN_FAILED', error.message, { hint: doubt, cause: error });
  } catch (reason) {
    // A program that is not there is no matter of the platform.
    if (!isSiruError(reason) || reason.code !== 'RUNTIME' || !/format error/i.test(error.startFailure)) return error;
    return new SiruError('RUNTIME', reason.message, { hint: reason.hint, cause: error });
  }
}
