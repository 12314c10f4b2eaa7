/** What a registry says of its limit on pulls: `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 76;w=21600`. Pure. */

export interface RateLimit {
  remaining: number;
  limit?: number;
  /** Seconds for which the limit counts. */
  window?: number;
}

/** Undefined when the reply has no such header, or one that makes no sense. */
export function parseRateLimit(headers: Readonly<Record<string, string | string[] | undefined>>): RateLimit | undefined {
  const read = (name: string): { count: number; window?: number } | undefined => {
    const match = /^(\d{1,9})(?!\d)(?:\s*;\s*w=(\d{1,9}))?/.exec([headers[name] ?? ''].flat()[0] ?? '');
    return match ? { count: Number(match[1]), ...(match[2] !== undefined && { window: Number(match[2]) }) } : undefined;
  };
  const remaining = read('ratelimit-remaining');
  if (!remaining) return undefined;
  const limit = read('ratelimit-limit');
  const window = remaining.window ?? limit?.window;
  return { remaining: remaining.count, ...(limit && { limit: limit.count }), ...(window !== undefined && { window }) };
}

/** True when so few are left that one should know. */
export function isScarce({ remaining, limit }: RateLimit): boolean {
  return remaining <= Math.max(5, (limit ?? 0) / 10);
}

/** `7 of 100 pulls are left for 6 h`. */
export function rateLimitText({ remaining, limit, window }: RateLimit): string {
  const span = window === undefined ? '' : window % 3600 === 0 ? ` for ${window / 3600} h` : window >= 60 ? ` for ${Math.round(window / 60)} min` : ` for ${window} s`;
  return `${remaining}${limit === undefined ? '' : ` of ${limit}`} pulls are left${span}`;
}
