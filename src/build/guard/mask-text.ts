/** Texts without the secrets in them: whole ones, and the output of a process as it comes. */
import { searchBytes, type Needles } from '../../base/search.ts';

/** What stands in the place of a secret. */
export const maskText = '***';
const mask = Buffer.from(maskText);

interface Hit {
  needle: number;
  from: number;
  to: number;
}

function hitsIn(needles: Needles, bytes: Uint8Array): Hit[] {
  const hits: Hit[] = [];
  searchBytes(needles, bytes, (needle, from) => hits.push({ needle, from, to: from + needles.bytes[needle]!.length }));
  return hits.sort((a, b) => a.from - b.from || b.to - a.to);
}

/** Bytes up to `end` with each run of hits replaced. No hit may go beyond. */
function masked(bytes: Buffer, hits: readonly Hit[], end: number): Buffer {
  const parts: Buffer[] = [];
  let done = 0;
  for (const { from, to } of hits) {
    if (from >= end) break;
    if (from >= done) parts.push(bytes.subarray(done, from), mask);
    done = Math.max(done, to);
  }
  return hits.length === 0 ? bytes.subarray(0, end) : Buffer.concat([...parts, bytes.subarray(Math.min(done, end), end)]);
}

export function maskIn(needles: Needles, text: string): string {
  const bytes = Buffer.from(text);
  const hits = hitsIn(needles, bytes);
  return hits.length === 0 ? text : masked(bytes, hits, bytes.length).toString();
}

export type OnOutput = (stream: 'stdout' | 'stderr', bytes: Buffer) => void;

export interface MaskedOutput {
  push(stream: 'stdout' | 'stderr', bytes: Buffer): void;
  /** Gives what was held back. */
  end(): void;
  /** The needles that were there, each with the line of the output (1 is the first) where it was first. */
  readonly found: ReadonlyMap<number, number>;
}

/**
 * Masks output on its way. Only what may be the beginning of a secret is held back until more of its stream comes, so that a
 * prompt or a progress bar is shown when it is written.
 */
export function createMaskedOutput(needles: Needles, onOutput: OnOutput): MaskedOutput {
  const held = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  const found = new Map<number, number>();
  let line = 1;

  function give(stream: 'stdout' | 'stderr', bytes: Buffer, hits: readonly Hit[], end: number): void {
    let at = 0;
    for (const { needle, from } of hits) {
      if (from >= end) break;
      line += newlines(bytes.subarray(at, from));
      at = from;
      if (!found.has(needle)) found.set(needle, line);
    }
    line += newlines(bytes.subarray(at, end));
    if (end > 0) onOutput(stream, masked(bytes, hits, end));
  }

  return {
    found,
    push(stream, chunk) {
      const bytes = held[stream].length === 0 ? chunk : Buffer.concat([held[stream], chunk]);
      const hits = hitsIn(needles, bytes);
      let end = beginning(needles, bytes);
      // A hit that another one may begin in goes with it.
      for (const { from, to } of hits.toReversed()) if (from < end && end < to) end = from;
      give(stream, bytes, hits, end);
      // The chunk's memory is not kept for a few bytes.
      held[stream] = Buffer.from(bytes.subarray(end));
    },
    end() {
      for (const stream of ['stdout', 'stderr'] as const) {
        const bytes = held[stream];
        held[stream] = Buffer.alloc(0);
        give(stream, bytes, hitsIn(needles, bytes), bytes.length);
      }
    },
  };
}

/** Where the longest end of the bytes begins that a needle begins with; their length when there is none. */
function beginning(needles: Needles, bytes: Buffer): number {
  for (let from = Math.max(0, bytes.length - needles.longest + 1); from < bytes.length; from++) {
    const rest = bytes.subarray(from);
    if (needles.bytes.some((needle) => needle[0] === rest[0] && needle.length > rest.length && rest.equals(needle.subarray(0, rest.length)))) return from;
  }
  return bytes.length;
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}
