/** Makes the binary table of contents of a layer; see toc-format.ts for the form. */
import { SiruError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isSha256 } from '../oci/digest.ts';
import type { Entry, LayerSummary } from './entry.ts';
import { encodePath } from './path-bytes.ts';
import { flags, headerSize, magic, perBlock, types, version } from './toc-format.ts';

export interface TocBuilder {
  /** Paths must ascend. */
  add(entry: Entry): void;
  finish(summary: LayerSummary): Buffer;
}

/** The table of contents of a sorted list of entries. Equal input gives equal bytes. */
export function encodeToc(entries: Iterable<Entry>, summary: LayerSummary): Buffer {
  const builder = createTocBuilder();
  for (const entry of entries) builder.add(entry);
  return builder.finish(summary);
}

/** Builds a table entry by entry, so that the entries themselves need not be kept. */
export function createTocBuilder(): TocBuilder {
  let buffer = Buffer.allocUnsafe(65536);
  let at = headerSize;
  let count = 0;
  let last: Entry | undefined;
  let lastPath: Uint8Array = Buffer.alloc(0);
  let lastOffset = 0;
  let blocks = new Uint32Array(256);
  let blockCount = 0;

  function reserve(room: number): void {
    if (at + room <= buffer.length) return;
    if (at + room > 0xffffffff) throw new SiruError('LAYER', 'the table of contents of the layer would exceed 4 GiB');
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, at + room));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  }
  function varint(value: number): void {
    while (value > 0x7fffffff) {
      buffer[at++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    while (value > 127) {
      buffer[at++] = (value & 127) | 0x80;
      value >>>= 7;
    }
    buffer[at++] = value;
  }
  function zigzag(value: number): void {
    varint(value < 0 ? -2 * value - 1 : 2 * value);
  }
  function text(bytes: Uint8Array): void {
    reserve(bytes.length + 10);
    varint(bytes.length);
    buffer.set(bytes, at);
    at += bytes.length;
  }

  return {
    add(entry) {
      if (last && !(last.path < entry.path)) {
        throw new SiruError('LAYER', `entries of a layer are out of order: ${JSON.stringify(entry.path)} after ${JSON.stringify(last.path)}`);
      }
      const path = encodePath(entry.path);
      reserve(path.length + 128);
      const first = count % perBlock === 0;
      if (first) {
        if (blockCount === blocks.length) {
          const larger = new Uint32Array(blocks.length * 2);
          larger.set(blocks);
          blocks = larger;
        }
        blocks[blockCount++] = at;
      }
      let shared = 0;
      if (!first) {
        const most = Math.min(path.length, lastPath.length);
        while (shared < most && path[shared] === lastPath[shared]) shared++;
      }
      const before = first ? undefined : last;
      const same = before !== undefined && before.mode === entry.mode && before.uid === entry.uid && before.gid === entry.gid;
      const xattrs = entry.xattrs ? Object.keys(entry.xattrs).sort() : [];
      let head = types.indexOf(entry.type);
      if (entry.opaque) head |= flags.opaque;
      if (entry.digest !== undefined) head |= flags.digest;
      if (entry.offset !== undefined) head |= flags.offset;
      if (xattrs.length > 0) head |= flags.xattrs;
      if (same) head |= flags.same;
      buffer[at++] = head;
      varint(shared);
      varint(path.length - shared);
      for (let i = shared; i < path.length; i++) buffer[at++] = path[i]!;
      if (!same) {
        varint(entry.mode);
        varint(entry.uid);
        varint(entry.gid);
      }
      zigzag(entry.mtime - (before?.mtime ?? 0));
      if (entry.type === 'file') varint(entry.size);
      if (entry.digest !== undefined) {
        writeDigest(buffer, at, entry.digest);
        at += 32;
      }
      if (entry.offset !== undefined) {
        zigzag(entry.offset - (first ? 0 : lastOffset));
        lastOffset = entry.offset;
      } else if (first) lastOffset = 0;
      if (entry.type === 'symlink' || entry.type === 'hardlink') text(encodePath(entry.link ?? ''));
      if (xattrs.length > 0) {
        reserve(10);
        varint(xattrs.length);
        for (const name of xattrs) {
          text(encodePath(name));
          text(entry.xattrs![name]!);
        }
      }
      if (entry.type === 'char' || entry.type === 'block') {
        reserve(20);
        varint(entry.major ?? 0);
        varint(entry.minor ?? 0);
      }
      last = entry;
      lastPath = path;
      count++;
    },
    finish(summary) {
      reserve(blockCount * 4);
      buffer.fill(0, 0, headerSize);
      buffer.write(magic, 0, 'latin1');
      buffer[7] = version;
      buffer.writeUInt32LE(count, 8);
      buffer.writeUInt32LE(blockCount, 12);
      buffer.writeUInt32LE(at, 16);
      buffer.writeUInt32LE(at + blockCount * 4, 20);
      buffer[24] = summary.newest === undefined ? 0 : 1;
      buffer.writeDoubleLE(summary.size, 32);
      buffer.writeDoubleLE(summary.newest ?? 0, 40);
      writeDigest(buffer, 48, summary.diffId);
      writeDigest(buffer, 80, summary.treeDigest);
      for (let i = 0; i < blockCount; i++) buffer.writeUInt32LE(blocks[i]!, at + i * 4);
      return buffer.subarray(0, at + blockCount * 4);
    },
  };
}

function writeDigest(buffer: Buffer, at: number, digest: Digest): void {
  if (!isSha256(digest)) throw new SiruError('STORE', `a table of contents holds sha256 digests only, not ${(digest as string).slice(0, 100)}`);
  buffer.write(digest.slice(7), at, 'hex');
}
