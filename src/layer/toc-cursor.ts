/** Reads the records of a table of contents one after the other; see toc-format.ts for the form. */
import { SiruError } from '../base/errors.ts';
import type { Entry } from './entry.ts';
import { decodePath } from './path-bytes.ts';
import { flags, typeMask, types } from './toc-format.ts';

/** Longest path that is read; longer ones are a sign of damage. */
const longestPath = 65536;

export function damaged(why: string): SiruError {
  return new SiruError('STORE', `a table of contents is damaged: ${why}`, {
    hint: 'Delete the file; it is made again from the layer.',
  });
}

/** A class because its fields are the hot state of the loop. A record is its path first (`readPath`), then its fields (`readFields`). */
export class Cursor {
  readonly bytes: Buffer;
  private readonly end: number;
  private at: number;
  private head = 0;
  /** Bytes of the current path. */
  raw: Buffer;
  length = 0;
  ascii = true;
  private text: string | undefined;
  private mode = 0;
  private uid = 0;
  private gid = 0;
  private mtime = 0;
  private offset = 0;
  private size = 0;
  /** Where the bytes of digest, link, and attributes lie. */
  private digestAt = 0;
  private linkAt = 0;
  private linkEnd = 0;
  private xattrsAt = 0;
  private xattrsEnd = 0;
  private major = 0;
  private minor = 0;

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.raw = Buffer.allocUnsafe(256);
  }

  /** Goes to where a block begins. */
  jump(at: number): void {
    this.at = at;
    this.length = 0;
    this.mode = this.uid = this.gid = this.mtime = this.offset = 0;
  }

  private varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      if (this.at >= this.end) throw damaged('it ends within an entry');
      const byte = this.bytes[this.at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw damaged('a number is too large');
  }

  private zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Moves past `length` bytes and returns where they began. */
  private take(length: number): number {
    const start = this.at;
    if (length > this.end - start) throw damaged('it ends within an entry');
    this.at = start + length;
    return start;
  }

  /** The path of the record. */
  get path(): string {
    return (this.text ??= this.ascii ? this.raw.toString('latin1', 0, this.length) : decodePath(this.raw, 0, this.length));
  }

  readPath(): void {
    this.head = this.bytes[this.take(1)]!;
    const shared = this.varint();
    const rest = this.varint();
    if (shared > this.length || shared + rest > longestPath) throw damaged('a path does not fit');
    const start = this.take(rest);
    const length = shared + rest;
    if (length > this.raw.length) {
      const larger = Buffer.allocUnsafe(length * 2);
      this.raw.copy(larger, 0, 0, shared);
      this.raw = larger;
    }
    let ascii = shared === 0 || this.ascii;
    const { bytes, raw } = this;
    for (let i = 0; i < rest; i++) {
      const byte = bytes[start + i]!;
      if (byte > 127) ascii = false;
      raw[shared + i] = byte;
    }
    this.length = length;
    this.ascii = ascii;
    this.text = undefined;
  }

  /** What follows the path that was read last. */
  readFields(): void {
    const { head } = this;
    const type = types[head & typeMask]!;
    if (!(head & flags.same)) {
      this.mode = this.varint();
      this.uid = this.varint();
      this.gid = this.varint();
    }
    this.mtime += this.zigzag();
    this.size = type === 'file' ? this.varint() : 0;
    if (head & flags.digest) this.digestAt = this.take(32);
    if (head & flags.offset) this.offset += this.zigzag();
    this.linkAt = this.linkEnd = 0;
    if (type === 'symlink' || type === 'hardlink') {
      const length = this.varint();
      this.linkAt = this.take(length);
      this.linkEnd = this.at;
    }
    this.xattrsAt = this.xattrsEnd = 0;
    if (head & flags.xattrs) {
      this.xattrsAt = this.at;
      for (let left = 2 * this.varint(); left > 0; left--) this.take(this.varint());
      this.xattrsEnd = this.at;
    }
    if (type === 'char' || type === 'block') {
      this.major = this.varint();
      this.minor = this.varint();
    }
  }

  /** The record whose fields were read last. */
  entry(): Entry {
    const { head, mode, uid, gid, size, mtime } = this;
    const type = types[head & typeMask]!;
    const entry: Entry = { path: this.path, type, mode, uid, gid, size, mtime };
    if (head & flags.digest) entry.digest = `sha256:${this.bytes.toString('hex', this.digestAt, this.digestAt + 32)}`;
    if (head & flags.offset) entry.offset = this.offset;
    if (type === 'symlink' || type === 'hardlink') entry.link = decodePath(this.bytes, this.linkAt, this.linkEnd);
    if (head & flags.xattrs) entry.xattrs = this.xattrs();
    if (type === 'char' || type === 'block') {
      entry.major = this.major;
      entry.minor = this.minor;
    }
    if (head & flags.opaque) entry.opaque = true;
    return entry;
  }

  /** True when the fields of two records are the same, times and offsets aside. */
  hasFieldsOf(other: Cursor): boolean {
    const looked = typeMask | flags.opaque | flags.digest | flags.xattrs;
    if ((this.head & looked) !== (other.head & looked)) return false;
    if (this.mode !== other.mode || this.uid !== other.uid || this.gid !== other.gid || this.size !== other.size) return false;
    if (this.head & flags.digest && !this.hasBytesOf(other, this.digestAt, this.digestAt + 32, other.digestAt, other.digestAt + 32)) return false;
    if (!this.hasBytesOf(other, this.linkAt, this.linkEnd, other.linkAt, other.linkEnd)) return false;
    if (!this.hasBytesOf(other, this.xattrsAt, this.xattrsEnd, other.xattrsAt, other.xattrsEnd)) return false;
    const type = types[this.head & typeMask]!;
    return (type !== 'char' && type !== 'block') || (this.major === other.major && this.minor === other.minor);
  }

  hasBytesOf(other: Cursor, start: number, end: number, otherStart: number, otherEnd: number): boolean {
    const length = end - start;
    if (length !== otherEnd - otherStart) return false;
    const [a, b] = [this.bytes, other.bytes];
    for (let i = 0; i < length; i++) if (a[start + i] !== b[otherStart + i]) return false;
    return true;
  }

  /** Reads the attributes; where the cursor stands does not change. */
  private xattrs(): Record<string, Uint8Array> {
    const { at } = this;
    this.at = this.xattrsAt;
    const found: Record<string, Uint8Array> = {};
    for (let left = this.varint(); left > 0; left--) {
      const length = this.varint();
      const start = this.take(length);
      const name = decodePath(this.bytes, start, this.at);
      const size = this.varint();
      const value = this.take(size);
      Object.defineProperty(found, name, {
        value: Buffer.from(this.bytes.subarray(value, this.at)), enumerable: true, configurable: true, writable: true,
      });
    }
    this.at = at;
    return found;
  }
}
