/** When to ask again, and how long to wait before. */

export interface RetryPolicy {
  /** How often a request is sent in all. */
  attempts: number;
  /** Milliseconds before the second attempt; doubled each time, with jitter. */
  delay: number;
  /** Longest single wait in milliseconds; a server that asks for more is not waited for. */
  longest: number;
}

export const defaultRetry: RetryPolicy = { attempts: 5, delay: 300, longest: 60_000 };

const statuses = new Set([408, 429, 499, 500, 502, 503, 504, 522]);
const codes = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'UND_ERR_SOCKET', 'ERR_STREAM_PREMATURE_CLOSE', 'HPE_INVALID_EOF_STATE']);

export function retryableStatus(status: number): boolean {
  return statuses.has(status);
}

export function retryableCode(code: string | undefined): boolean {
  return code !== undefined && codes.has(code);
}

/** True for a host that cannot be reached at all: worth another try only when it answered before. */
export function isAway(code: string | undefined): boolean {
  return code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ENETDOWN' || code === 'ENOTFOUND';
}

/**
 * Milliseconds to wait after the attempt of this number (from 1), or undefined when it is not worth it: the attempts are
 * used up, or Retry-After (seconds or an HTTP date) asks for more than the longest wait.
 */
export function waitBefore(attempt: number, policy: RetryPolicy, retryAfter: string | undefined): number | undefined {
  if (attempt >= policy.attempts) return undefined;
  const asked = parseRetryAfter(retryAfter);
  if (asked !== undefined) return asked > policy.longest ? undefined : asked;
  const base = Math.min(policy.delay * 2 ** (attempt - 1), policy.longest);
  return base * (0.75 + Math.random() * 0.5);
}

/** Milliseconds from now; undefined when there is no such header or it makes no sense. */
export function parseRetryAfter(text: string | undefined, now: number = Date.now()): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Waits; the signal ends it with the signal's reason. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}
