/** What differs between two tables of contents, without making entries of what does not. */
import type { Entry } from './entry.ts';
import type { Toc } from './toc-contract.ts';
import { Cursor, damaged } from './toc-cursor.ts';
import { perBlock } from './toc-format.ts';

/**
 * The entries of two tables that are not equal, side by side and by path; times and offsets do not count. Blocks of the same
 * bytes are passed over, so that one change among 100,000 entries costs little. At most `most` are given; returns how many
 * more there were.
 */
export function* tocDifferences(before: Toc, after: Toc, most: number = Infinity): Generator<[before: Entry | undefined, after: Entry | undefined], number> {
  const a = new Walk(before.bytes);
  const b = new Walk(after.bytes);
  let found = 0;
  while (!a.done || !b.done) {
    if (a.passEqualBlock(b)) continue;
    const order = a.done ? 1 : b.done ? -1 : a.compare(b);
    if ((order !== 0 || !a.cursor.hasFieldsOf(b.cursor)) && ++found <= most) yield [order > 0 ? undefined : a.entry(), order < 0 ? undefined : b.entry()];
    if (order <= 0) a.next();
    if (order >= 0) b.next();
  }
  return Math.max(0, found - most);
}

/** Goes through a table; stands on a record until it is done. */
class Walk {
  readonly cursor: Cursor;
  done = false;
  private readonly buffer: Buffer;
  private readonly count: number;
  private readonly index: number;
  private at = -1;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.count = this.buffer.readUInt32LE(8);
    this.index = this.buffer.readUInt32LE(16);
    this.cursor = new Cursor(this.buffer, 0, this.index);
    this.next();
  }

  next(): void {
    if (++this.at >= this.count) {
      this.done = true;
      return;
    }
    // The fields of a block's first record stand for themselves: a cursor of the block before must not lend its own.
    if (this.at % perBlock === 0) this.cursor.jump(this.startOf(this.at / perBlock));
    this.cursor.readPath();
    this.cursor.readFields();
  }

  entry(): Entry {
    return this.cursor.entry();
  }

  compare(other: Walk): number {
    const [a, b] = [this.cursor, other.cursor];
    if (!a.ascii || !b.ascii) return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
    const length = Math.min(a.length, b.length);
    const [left, right] = [a.raw, b.raw];
    for (let i = 0; i < length; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
    return a.length - b.length;
  }

  /** When both stand at the beginning of a block and the blocks have the same bytes, goes to what follows them. */
  passEqualBlock(other: Walk): boolean {
    if (this.done || other.done || this.at % perBlock !== 0 || other.at % perBlock !== 0) return false;
    const [start, end] = this.block();
    const [otherStart, otherEnd] = other.block();
    if (end - start !== otherEnd - otherStart || this.buffer.compare(other.buffer, otherStart, otherEnd, start, end) !== 0) return false;
    for (const walk of [this, other]) {
      walk.at += perBlock - 1;
      walk.next();
    }
    return true;
  }

  private block(): [start: number, end: number] {
    const block = this.at / perBlock;
    return [this.startOf(block), (block + 1) * perBlock < this.count ? this.startOf(block + 1) : this.index];
  }

  private startOf(block: number): number {
    const start = this.buffer.readUInt32LE(this.index + block * 4);
    if (start >= this.index) throw damaged('a block begins outside');
    return start;
  }
}
