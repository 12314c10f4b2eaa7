/** Reads the binary table of contents of a layer without parsing it as a whole; see toc-format.ts for the form. */
import { SiruError } from '../base/errors.ts';
import type { Entry, LayerSummary } from './entry.ts';
import { decodePath } from './path-bytes.ts';
import type { Toc } from './toc-contract.ts';
import { flags, headerSize, magic, perBlock, typeMask, types, version } from './toc-format.ts';

export { createTocBuilder, encodeToc, type TocBuilder } from './toc-write.ts';

/** Longest path that is read; longer ones are a sign of damage. */
const longestPath = 65536;

/**
 * Opens a table of contents. The bytes must not change afterwards. Throws STORE when they are no table, or were cut or
 * damaged; damage inside is found, if it shows at all, when the entries there are read.
 */
export function openToc(bytes: Uint8Array): Toc {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < headerSize || buffer.toString('latin1', 0, 7) !== magic) throw damaged('it does not begin as one');
  if (buffer[7] !== version) throw damaged(`version ${buffer[7]}, not ${version}`);
  const count = buffer.readUInt32LE(8);
  const blocks = buffer.readUInt32LE(12);
  const index = buffer.readUInt32LE(16);
  const end = buffer.readUInt32LE(20);
  if (end !== buffer.length || index < headerSize || index + blocks * 4 !== end || blocks !== Math.ceil(count / perBlock)) {
    throw damaged('its sizes do not fit together');
  }
  const summary: LayerSummary = {
    diffId: `sha256:${buffer.toString('hex', 48, 80)}`,
    size: buffer.readDoubleLE(32),
    treeDigest: `sha256:${buffer.toString('hex', 80, 112)}`,
    entries: count,
  };
  if (buffer[24] === 1) summary.newest = buffer.readDoubleLE(40);

  const startOf = (block: number): number => {
    const start = buffer.readUInt32LE(index + block * 4);
    if (start < headerSize || start >= index) throw damaged('a block begins outside');
    return start;
  };
  const cursorAt = (block: number): Cursor => new Cursor(buffer, startOf(block), index);

  /** For the search alone. */
  const probe = new Cursor(buffer, headerSize, index);
  /** The first path of a block. */
  const firstPath = (block: number): string => {
    probe.jump(startOf(block));
    probe.readPath();
    return probe.path;
  };

  /** Position just before the first entry whose path is not less than `path`: the entry itself, and what follows. */
  function* from(path: string): Generator<Entry, undefined> {
    // The last block whose first path is <= path holds it, or the entry is the first of the next block.
    let low = 0;
    let high = blocks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (firstPath(middle) <= path) low = middle + 1;
      else high = middle;
    }
    let block = Math.max(0, low - 1);
    let found = path === '';
    let before: string | undefined;
    for (; block < blocks; block++) {
      const cursor = cursorAt(block);
      const here = Math.min(perBlock, count - block * perBlock);
      for (let i = 0; i < here; i++) {
        cursor.readPath();
        if (!found && cursor.path < path) {
          cursor.pass();
          continue;
        }
        found = true;
        // Searches go on from what they found; without this they could go round in a damaged table.
        if (before !== undefined && cursor.path <= before) throw damaged('its paths do not ascend');
        before = cursor.path;
        yield cursor.entry();
      }
    }
    return undefined;
  }

  function lookup(path: string): Entry | undefined {
    for (const entry of from(path)) return entry.path === path ? entry : undefined;
    return undefined;
  }

  function* below(path: string): Generator<Entry, undefined> {
    if (path === '') {
      for (const entry of from('')) if (entry.path !== '') yield entry;
      return undefined;
    }
    const prefix = `${path}/`;
    for (const entry of from(prefix)) {
      if (!entry.path.startsWith(prefix)) return undefined;
      yield entry;
    }
    return undefined;
  }

  function* children(path: string): Generator<Entry, undefined> {
    const prefix = path === '' ? '' : `${path}/`;
    let start: string | undefined = prefix;
    while (start !== undefined) {
      let next: string | undefined;
      for (const entry of from(start)) {
        if (!entry.path.startsWith(prefix)) return undefined;
        const slash = entry.path.indexOf('/', prefix.length);
        if (slash < 0) {
          if (entry.path !== path) yield entry;
        } else {
          // All that lies below a subdirectory is contiguous, and '0' comes right after '/'.
          next = `${entry.path.slice(0, slash)}0`;
          break;
        }
      }
      start = next;
    }
    return undefined;
  }

  return { summary, lookup, children, below, from, [Symbol.iterator]: () => from('') };
}

function damaged(why: string): SiruError {
  return new SiruError('STORE', `a table of contents is damaged: ${why}`, {
    hint: 'Delete the file; it is made again from the layer.',
  });
}

/** Reads records one after the other. A class because its fields are the hot state of the loop. */
class Cursor {
  path = '';
  private readonly bytes: Buffer;
  private readonly end: number;
  private at: number;
  private head = 0;
  /** Bytes of the current path. */
  private raw: Buffer;
  private length = 0;
  private ascii = true;
  private mode = 0;
  private uid = 0;
  private gid = 0;
  private mtime = 0;
  private offset = 0;

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

  private text(): string {
    const length = this.varint();
    const start = this.take(length);
    return decodePath(this.bytes, start, this.at);
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
    this.path = ascii ? raw.toString('latin1', 0, length) : decodePath(raw, 0, length);
  }

  /** Mode, ids and time, which the records that follow may build upon. */
  private readCommon(): void {
    if (!(this.head & flags.same)) {
      this.mode = this.varint();
      this.uid = this.varint();
      this.gid = this.varint();
    }
    this.mtime += this.zigzag();
  }

  /** Moves past the record whose path was read last. */
  pass(): void {
    const head = this.head;
    const type = types[head & typeMask]!;
    this.readCommon();
    if (type === 'file') this.varint();
    if (head & flags.digest) this.take(32);
    if (head & flags.offset) this.offset += this.zigzag();
    if (type === 'symlink' || type === 'hardlink') this.take(this.varint());
    if (head & flags.xattrs) {
      for (let left = 2 * this.varint(); left > 0; left--) this.take(this.varint());
    }
    if (type === 'char' || type === 'block') {
      this.varint();
      this.varint();
    }
  }

  /** The record whose path was read last. */
  entry(): Entry {
    const head = this.head;
    const type = types[head & typeMask]!;
    this.readCommon();
    const entry: Entry = {
      path: this.path,
      type,
      mode: this.mode,
      uid: this.uid,
      gid: this.gid,
      size: type === 'file' ? this.varint() : 0,
      mtime: this.mtime,
    };
    if (head & flags.digest) {
      const start = this.take(32);
      entry.digest = `sha256:${this.bytes.toString('hex', start, this.at)}`;
    }
    if (head & flags.offset) {
      this.offset += this.zigzag();
      entry.offset = this.offset;
    }
    if (type === 'symlink' || type === 'hardlink') entry.link = this.text();
    if (head & flags.xattrs) entry.xattrs = this.xattrs();
    if (type === 'char' || type === 'block') {
      entry.major = this.varint();
      entry.minor = this.varint();
    }
    if (head & flags.opaque) entry.opaque = true;
    return entry;
  }

  private xattrs(): Record<string, Uint8Array> {
    const found: Record<string, Uint8Array> = {};
    const count = this.varint();
    for (let i = 0; i < count; i++) {
      const name = this.text();
      const length = this.varint();
      const start = this.take(length);
      Object.defineProperty(found, name, {
        value: Buffer.from(this.bytes.subarray(start, this.at)), enumerable: true, configurable: true, writable: true,
      });
    }
    return found;
  }
}
