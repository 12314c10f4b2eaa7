/** Inputs made from inputs: bytes changed, pieces repeated, dropped, moved, and taken from others. */
import type { Random } from './random.ts';

const telling = [0x00, 0x0a, 0x0d, 0x20, 0x22, 0x23, 0x24, 0x27, 0x2f, 0x30, 0x39, 0x3d, 0x5c, 0x60, 0x7b, 0x7d, 0x7f, 0x80, 0xc3, 0xed, 0xff];

export interface MutateOptions {
  corpus: readonly Uint8Array[];
  /** Words that mean something to the target. */
  dictionary?: readonly string[];
  /** Longest result in bytes. */
  largest: number;
}

export function mutate(input: Uint8Array, random: Random, options: MutateOptions): Buffer {
  let bytes: Buffer = Buffer.from(input);
  for (let rounds = 1 + random.int(random.once(4) ? 16 : 4); rounds > 0; rounds--) bytes = change(bytes, random, options);
  return bytes.length > options.largest ? bytes.subarray(0, options.largest) : bytes;
}

function change(bytes: Buffer, random: Random, { corpus, dictionary = [] }: MutateOptions): Buffer {
  const at = random.int(bytes.length + 1);
  const [start, end] = piece(bytes, random);
  switch (random.int(10)) {
    case 0:
      if (at < bytes.length) bytes[at] = random.int(256);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << random.int(8));
      return bytes;
    case 2:
      if (at < bytes.length) bytes[at] = random.pick(telling);
      return bytes;
    case 3:
      return insert(bytes, at, Buffer.from([random.pick(telling)]));
    case 4:
      return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
    case 5: {
      const times = random.once(20) ? random.int(300) : 1 + random.int(3);
      return insert(bytes, end, Buffer.concat(Array.from({ length: times }, () => bytes.subarray(start, end))));
    }
    case 6:
      return insert(Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]), Math.min(at, bytes.length - (end - start)), bytes.subarray(start, end));
    case 7: {
      if (corpus.length === 0) return bytes;
      const other = Buffer.from(random.pick(corpus));
      const [from, to] = piece(other, random);
      return random.once(3) ? Buffer.concat([bytes.subarray(0, at), other.subarray(from)]) : insert(bytes, at, other.subarray(from, to));
    }
    case 8:
      return bytes.subarray(0, random.once(8) ? at : bytes.length);
    default:
      return dictionary.length === 0 ? bytes : insert(bytes, at, Buffer.from(random.pick(dictionary)));
  }
}

/** Mostly short. */
function piece(bytes: Buffer, random: Random): [start: number, end: number] {
  const start = random.int(bytes.length + 1);
  return [start, Math.min(bytes.length, start + 1 + random.int(random.once(4) ? 256 : 12))];
}

function insert(bytes: Buffer, at: number, what: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)]);
}
