/** What travels with every call that takes time: a way to stop it and a way to tell of it. */
import { SiruError } from './errors.ts';
import type { Event } from './events.ts';

export interface Context {
  /** Fires when the caller wants the work to stop: child processes end, mounts go, partial files are removed. */
  signal: AbortSignal;
  /** Takes each event as it happens. Must not throw. */
  emit: (event: Event) => void;
}

/** A context from what a caller of the library gave, or one that never stops and tells nobody. */
export function contextOf(options: { signal?: AbortSignal; onEvent?: (event: Event) => void } = {}): Context {
  return { signal: options.signal ?? new AbortController().signal, emit: options.onEvent ?? (() => {}) };
}

/** Throws CANCELLED when the context's signal has fired. */
export function checkCancelled(context: Context): void {
  if (context.signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: context.signal.reason });
}
