/**
 * Cuts bytes where their content says so (FastCDC): a change in the middle changes the pieces around it, and all others are
 * those that they were. A rolling hash over the last 32 bytes decides; before the usual size it has to look rarer than after,
 * so that pieces come near that size.
 */
import { createHash } from 'node:crypto';

export interface ChunkSizes {
  least: number;
  /** About the average: a power of two. */
  usual: number;
  most: number;
}

/** Largest piece of a cache mount. */
export const largestChunk: number = 4 << 20;

const sizes: ChunkSizes = { least: 256 << 10, usual: 1 << 20, most: largestChunk };
/** Bits by which the two masks differ from one for the usual size. */
const normalisation = 2;

/** The pieces of a stream, in order; together they are the stream. */
export async function* contentChunks(source: AsyncIterable<Uint8Array>, of: ChunkSizes = sizes): AsyncGenerator<Buffer, undefined> {
  const cut = createCutter(of);
  let held: Buffer = Buffer.alloc(0);
  for await (const bytes of source) {
    held = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
    let start = 0;
    while (held.length - start >= of.most) {
      const length = cut(held.subarray(start, start + of.most));
      yield held.subarray(start, start + length);
      start += length;
    }
    held = held.subarray(start);
  }
  while (held.length > 0) {
    const length = cut(held);
    yield held.subarray(0, length);
    held = held.subarray(length);
  }
  return undefined;
}

/** Gives the length of the first piece of these bytes, which are `most` or the last ones. */
function createCutter({ least, usual, most }: ChunkSizes): (bytes: Uint8Array) => number {
  const table = gear();
  const bits = Math.log2(usual);
  const [rare, often] = [mask(bits + normalisation), mask(bits - normalisation)];
  return (bytes) => {
    const end = Math.min(bytes.length, most);
    const middle = Math.min(end, usual);
    let hash = 0;
    let at = least;
    for (; at < middle; at++) {
      hash = (hash << 1) + table[bytes[at]!]! | 0;
      if ((hash & rare) === 0) return at + 1;
    }
    for (; at < end; at++) {
      hash = (hash << 1) + table[bytes[at]!]! | 0;
      if ((hash & often) === 0) return at + 1;
    }
    return end;
  };
}

/** The upper bits: those that most of the window has gone into. */
function mask(bits: number): number {
  return bits >= 32 ? -1 : ~(2 ** (32 - bits) - 1) | 0;
}

/** A random number for each byte, the same everywhere. */
function gear(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => createHash('sha256').update(`siru ${byte}`).digest().readInt32LE());
}
