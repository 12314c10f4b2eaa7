/** Buckets of tokens: each key may do so many things a minute, and save up those of one minute. */
import { Refusal } from '../refusal.ts';
import { BoundedMap } from './bounded-map.ts';

/** Users and addresses that are counted; of the others the oldest are forgiven. */
const mostBuckets = 20_000;

export interface RateLimit {
  /** Takes one. Throws a Refusal (TOOMANYREQUESTS) with Retry-After when there is none. */
  take(key: string): void;
  /** Throws the same when there is none, and takes none. */
  look(key: string): void;
}

const minute = 60_000;

/** `what` is told: `requests of ann`. Without a number nothing is refused. */
export function createRateLimit(perMinute: number | undefined, what: string, now: () => number = Date.now): RateLimit {
  if (perMinute === undefined) return { take: () => {}, look: () => {} };
  const buckets = new BoundedMap<string, { left: number; at: number }>(mostBuckets);
  const fill = (key: string): { left: number; at: number } => {
    const time = now();
    const bucket = buckets.get(key) ?? { left: perMinute, at: time };
    const left = Math.min(perMinute, bucket.left + Math.max(0, time - bucket.at) * perMinute / minute);
    if (left < 1) {
      const seconds = Math.max(1, Math.ceil((1 - left) * minute / perMinute / 1000));
      throw new Refusal('TOOMANYREQUESTS', `more than ${perMinute} ${what} in a minute`, { headers: { 'retry-after': String(seconds) } });
    }
    return { left, at: time };
  };
  return {
    take(key) {
      const bucket = fill(key);
      buckets.set(key, { left: bucket.left - 1, at: bucket.at });
    },
    look: (key) => void fill(key),
  };
}
