/**
 * The body of a request into a file, hashed on the way. Bytes are copied into one of two buffers that are used again and
 * again: while one is written, the other is filled. What the network brought is garbage at once, however many clients there
 * are.
 */
import type { FileHandle } from 'node:fs/promises';
import type { RunningHash } from './running-hash.ts';

/** Bytes that the buffers of all uploads share, twice. */
const mostGathered = 4 * 1024 * 1024;
/** Bytes of one upload's buffer. */
const largestBuffer = 256 * 1024;
const smallestBuffer = 64 * 1024;
/** Milliseconds after which a buffer that is not full is written too: a slow client's bytes shall not be lost with this process. */
const longestWait = 200;
/** Bytes after which the disk begins to write, so that the sync at the end has little to wait for. */
const syncEvery = 32 * 1024 * 1024;

export interface WriteOptions {
  /** How many uploads share the memory. */
  uploads: number;
  onProgress?: ((size: number) => void) | undefined;
  /** Told of each chunk that became garbage. */
  onGarbage?: ((bytes: number) => void) | undefined;
}

/**
 * Appends until the source ends. When the source or the disk breaks it off, what was written stays; the hash may then have
 * seen more. Gives the new size.
 */
export async function writeBody(file: FileHandle, size: number, source: AsyncIterable<Uint8Array>, hash: RunningHash, { uploads, onProgress, onGarbage }: WriteOptions): Promise<number> {
  const room = Math.min(largestBuffer, Math.max(smallestBuffer, Math.floor(mostGathered / uploads)));
  let [filling, spare]: (Buffer | undefined)[] = [];
  let filled = 0;
  let writing: Promise<void> | undefined;
  let syncing: Promise<void> | undefined;
  let unsynced = 0;
  const failed: { error: unknown }[] = [];
  let timer: NodeJS.Timeout | undefined;

  /** Writes what is gathered, after what is being written. Bytes behind a write that failed must not be written. */
  const write = async (): Promise<void> => {
    while (writing !== undefined) await writing;
    if (failed.length > 0) throw failed[0]!.error;
    if (filled === 0) return;
    writing = writeOut(filling!.subarray(0, filled));
    [filling, spare] = [spare, filling];
    filled = 0;
  };
  const writeOut = async (bytes: Buffer): Promise<void> => {
    try {
      for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
      size += bytes.length;
      unsynced += bytes.length;
    } catch (error) {
      failed.push({ error });
    }
    if (unsynced >= syncEvery && syncing === undefined) {
      unsynced = 0;
      syncing = file.datasync().catch(() => {}).finally(() => (syncing = undefined));
    }
    writing = undefined;
  };
  const writeSoon = (): void => {
    timer = undefined;
    // Else the end of that write, or the next chunk, is not far.
    if (writing === undefined && failed.length === 0) void write().then(async () => {
      await writing;
      // A client that says nothing for long keeps no memory.
      if (filled === 0 && writing === undefined) filling = spare = undefined;
    });
  };

  try {
    for await (const chunk of source) {
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) {
        filling ??= Buffer.allocUnsafeSlow(room);
        const part = chunk.subarray(at, at + room - filled);
        filling.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled === room) await write();
      }
      onGarbage?.(chunk.length);
      if (filled > 0) timer ??= setTimeout(writeSoon, longestWait);
      onProgress?.(size + filled);
    }
  } finally {
    clearTimeout(timer);
    if (failed.length === 0) await write();
    await writing;
    await syncing;
  }
  if (failed.length > 0) throw failed[0]!.error;
  return size;
}
