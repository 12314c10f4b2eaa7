/**
 * Compression of layers in parallel: blocks of a fixed size, each compressed by itself in Node's thread pool, so that the
 * bytes depend on the content and the level alone, not on the number of cores or on timing. Another build of zlib may
 * give other bytes; the uncompressed tar is what counts.
 */
import { createReadStream } from 'node:fs';
import { availableParallelism } from 'node:os';
import { constants, crc32, deflateRaw, zstdCompress } from 'node:zlib';
import { SiruError } from '../base/errors.ts';
import type { Chunks } from './read-layer.ts';

export interface CompressOptions {
  /** gzip: 0 to 9, 6 when not given. zstd: 1 to 22, 3 when not given. */
  level?: number;
  /** Blocks in work at once; as many as there are cores when not given, at most 8. */
  parallel?: number;
  signal?: AbortSignal;
}

const gzipBlock = 1 << 20;
const zstdBlock = 4 << 20;
/** As far back as deflate looks. */
const windowSize = 32768;

/**
 * One gzip member: blocks of 1 MiB, each with the 32 KiB before it as its dictionary and ending at a byte, one after the
 * other (as pigz does it).
 */
export async function* gzipBlocks(source: Chunks, options: CompressOptions = {}): AsyncGenerator<Buffer, undefined> {
  const level = options.level ?? 6;
  checkLevel(level, 0, 9);
  const hint = level === 9 ? 2 : level === 1 ? 4 : 0;
  yield Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, hint, 255]); // no name, no time, unknown system
  let checksum = 0;
  let size = 0;
  let before: Buffer | undefined;
  const compress = (block: Buffer): Promise<Buffer> => {
    const dictionary = before?.subarray(-windowSize);
    before = block;
    checksum = crc32(block, checksum);
    size += block.length;
    return new Promise((resolve, reject) => {
      const settings = { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: 1 << 18, ...(dictionary && { dictionary }) };
      deflateRaw(block, settings, (error, bytes) => (error ? reject(error) : resolve(bytes)));
    });
  };
  yield* inParallel(blocksOf(source, gzipBlock), compress, options);
  const end = Buffer.alloc(10);
  end[0] = 3; // an empty last block
  end.writeUInt32LE(checksum, 2);
  end.writeUInt32LE(size % 2 ** 32, 6);
  yield end;
  return undefined;
}

/** Independent zstd frames of 4 MiB, one after the other. */
export async function* zstdBlocks(source: Chunks, options: CompressOptions = {}): AsyncGenerator<Buffer, undefined> {
  const level = options.level ?? 3;
  checkLevel(level, 1, 22);
  let any = false;
  const compress = (block: Buffer): Promise<Buffer> => {
    any = true;
    return new Promise((resolve, reject) => {
      const settings = { params: { [constants.ZSTD_c_compressionLevel]: level }, chunkSize: 1 << 18 };
      zstdCompress(block, settings, (error, bytes) => (error ? reject(error) : resolve(bytes)));
    });
  };
  yield* inParallel(blocksOf(source, zstdBlock), compress, options);
  if (!any) yield await compress(Buffer.alloc(0));
  return undefined;
}

/** The bytes of a file in chunks; from `start` to `end`, the last one included, when given. */
export function readChunks(file: string, options: { signal?: AbortSignal; start?: number; end?: number } = {}): AsyncIterable<Uint8Array> {
  return createReadStream(file, { highWaterMark: 1 << 20, ...options });
}

function checkLevel(level: number, least: number, most: number): void {
  if (Number.isInteger(level) && level >= least && level <= most) return;
  throw new SiruError('USAGE', `the compression level is ${level}, not a number from ${least} to ${most}`);
}

/** Runs `task` over the items, several at once, and gives the results in the order of the items. */
async function* inParallel(
  items: AsyncIterable<Buffer>,
  task: (item: Buffer) => Promise<Buffer>,
  options: CompressOptions,
): AsyncGenerator<Buffer, undefined> {
  const most = Math.max(1, options.parallel ?? Math.min(8, availableParallelism()));
  const running: Promise<Buffer>[] = [];
  try {
    for await (const item of items) {
      if (options.signal?.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: options.signal.reason });
      const result = task(item);
      result.catch(() => {}); // it is told when its turn comes
      running.push(result);
      if (running.length > most) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    await Promise.allSettled(running);
  }
  return undefined;
}

/** Cuts a stream into blocks of exactly `size` bytes, the last one shorter. Each is a buffer of its own. */
async function* blocksOf(source: Chunks, size: number): AsyncGenerator<Buffer, undefined> {
  let block = Buffer.allocUnsafeSlow(size);
  let used = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const part = Math.min(size - used, chunk.length - at);
      block.set(chunk.subarray(at, at + part), used);
      used += part;
      at += part;
      if (used < size) continue;
      yield block;
      block = Buffer.allocUnsafeSlow(size);
      used = 0;
    }
  }
  if (used > 0) yield block.subarray(0, used);
  return undefined;
}
