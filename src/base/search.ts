/**
 * Looks for many byte strings at once in a stream, in one pass: most bytes are never looked at, because a table says how far
 * the next place is where any of them could end (Wu and Manber's way of Boyer and Moore for several patterns).
 *
 *     const needles = compileNeedles([Buffer.from('ghp_1234'), Buffer.from('Z2hwXzEyMzQ')])
 *     const search = createSearch(needles, (needle, offset) => ...)
 *     for (const chunk of chunks) search.push(chunk)
 */

/** Shortest string that can be looked for, in bytes. */
export const shortestNeedle = 8;
/** A step is remembered in one byte. */
const longestStep = 255;

export interface Needles {
  readonly bytes: readonly Uint8Array[];
  /** Length of the part of each that the tables know. */
  readonly window: number;
  readonly longest: number;
  /** By two bytes: how far a window that ends in them may go on; 0 where one of the needles could be. */
  readonly steps: Uint8Array;
  /** By two bytes: the needles whose windows end in them. */
  readonly candidates: ReadonlyMap<number, readonly number[]>;
}

/** What can be looked for again and again. Throws RangeError for a needle that is too short. */
export function compileNeedles(bytes: readonly Uint8Array[]): Needles {
  const window = Math.min(longestStep, ...bytes.map(({ length }) => length));
  if (window < shortestNeedle) throw new RangeError(`a needle has ${window} bytes`);
  const steps = new Uint8Array(65536).fill(window - 1);
  const candidates = new Map<number, number[]>();
  for (const [number, needle] of bytes.entries()) {
    for (let at = 1; at < window; at++) {
      const pair = (needle[at - 1]! << 8) | needle[at]!;
      steps[pair] = Math.min(steps[pair]!, window - 1 - at);
    }
    const last = (needle[window - 2]! << 8) | needle[window - 1]!;
    candidates.set(last, [...(candidates.get(last) ?? []), number]);
  }
  return { bytes, window, longest: Math.max(0, ...bytes.map(({ length }) => length)), steps, candidates };
}

export type OnFound = (needle: number, offset: number) => void;

/** Each place of each needle in one piece of bytes, in no order. */
export function searchBytes(needles: Needles, bytes: Uint8Array, found: OnFound): void {
  if (needles.bytes.length === 0) return;
  const { window, steps } = needles;
  const { length } = bytes;
  const first = window - 1;
  // One step waits for the bytes of the one before; four ways through the same bytes do not wait for each other.
  const quarter = Math.floor((length - first) / 4);
  let end = first;
  if (quarter > 4 * longestStep) {
    const ends = [1, 2, 3, 4].map((part) => first + part * quarter);
    let [a, b, c, d] = [first, ...ends] as [number, number, number, number];
    const [endA, endB, endC, endD] = ends as [number, number, number, number];
    while (a < endA && b < endB && c < endC && d < endD) {
      const stepA = steps[(bytes[a - 1]! << 8) | bytes[a]!]!;
      const stepB = steps[(bytes[b - 1]! << 8) | bytes[b]!]!;
      const stepC = steps[(bytes[c - 1]! << 8) | bytes[c]!]!;
      const stepD = steps[(bytes[d - 1]! << 8) | bytes[d]!]!;
      if (stepA === 0) check(needles, bytes, a++, found);
      if (stepB === 0) check(needles, bytes, b++, found);
      if (stepC === 0) check(needles, bytes, c++, found);
      if (stepD === 0) check(needles, bytes, d++, found);
      a += stepA;
      b += stepB;
      c += stepC;
      d += stepD;
    }
    walk(needles, bytes, a, endA, found);
    walk(needles, bytes, b, endB, found);
    walk(needles, bytes, c, endC, found);
    end = d;
  }
  walk(needles, bytes, end, length, found);
}

/** Looks at the windows whose last byte is one of these. */
function walk(needles: Needles, bytes: Uint8Array, from: number, to: number, found: OnFound): void {
  const { steps } = needles;
  for (let end = from; end < to; ) {
    const step = steps[(bytes[end - 1]! << 8) | bytes[end]!]!;
    if (step === 0) check(needles, bytes, end++, found);
    end += step;
  }
}

function check({ bytes: needles, window, candidates }: Needles, bytes: Uint8Array, end: number, found: OnFound): void {
  const start = end - window + 1;
  for (const number of candidates.get((bytes[end - 1]! << 8) | bytes[end]!)!) if (isAt(needles[number]!, bytes, start)) found(number, start);
}

function isAt(needle: Uint8Array, bytes: Uint8Array, start: number): boolean {
  if (start + needle.length > bytes.length) return false;
  for (let at = 0; at < needle.length; at++) if (needle[at] !== bytes[start + at]) return false;
  return true;
}

export interface Search {
  /** The next bytes of the stream. What is given here may be used again afterwards. */
  push(bytes: Uint8Array): void;
}

/** A search in a stream: `found` gets offsets in it. A needle that is cut between two pieces is found with the second. */
export function createSearch(needles: Needles, found: OnFound): Search {
  const room = Math.max(0, needles.longest - 1);
  let tail: Uint8Array = new Uint8Array();
  let before = 0;
  return {
    push(bytes) {
      const joint = Buffer.concat([tail, bytes.subarray(0, room)]);
      const inTail = tail.length;
      if (inTail > 0) {
        searchBytes(needles, joint, (needle, offset) => {
          const cut = offset < inTail && offset + needles.bytes[needle]!.length > inTail;
          if (cut) found(needle, before - inTail + offset);
        });
      }
      searchBytes(needles, bytes, (needle, offset) => found(needle, before + offset));
      before += bytes.length;
      // The joint holds all of a short piece.
      tail = bytes.length > room ? Buffer.from(bytes.subarray(bytes.length - room)) : joint.subarray(Math.max(0, joint.length - room));
    },
  };
}
