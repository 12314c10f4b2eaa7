/** The body of a request into a file, hashed on the way: while one write runs, the next chunks are gathered and hashed. */
import type { FileHandle } from 'node:fs/promises';
import type { RunningHash } from './running-hash.ts';

/** Bytes that are gathered for one write. */
const batch = 256 * 1024;
/** Milliseconds after which fewer are written too: a slow client's bytes shall not be lost with this process. */
const longestWait = 200;
/** Bytes that wait for the disk before the client has to. */
const mostWaiting = 512 * 1024;
/** Bytes after which the disk begins to write, so that the sync at the end has little to wait for. */
const syncEvery = 32 * 1024 * 1024;

/**
 * Appends until the source ends. When the source or the disk breaks it off, what was written stays; the hash may then have
 * seen more. Gives the new size.
 */
export async function writeBody(file: FileHandle, size: number, source: AsyncIterable<Uint8Array>, hash: RunningHash, onProgress?: (size: number) => void): Promise<number> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let writing: Promise<void> | undefined;
  let syncing: Promise<void> | undefined;
  let unsynced = 0;
  let failure: { error: unknown } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const write = async (): Promise<void> => {
    const chunks = waiting;
    const bytes = waitingBytes;
    waiting = [];
    waitingBytes = 0;
    try {
      await writeAll(file, chunks, bytes);
      size += bytes;
      unsynced += bytes;
    } catch (error) {
      failure = { error };
    }
    if (unsynced >= syncEvery && syncing === undefined) {
      unsynced = 0;
      syncing = file.datasync().catch(() => {}).finally(() => (syncing = undefined));
    }
    writing = undefined;
  };
  const writeSoon = (): void => {
    timer = undefined;
    if (waitingBytes > 0) writing ??= write();
  };
  try {
    for await (const chunk of source) {
      hash.update(chunk);
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes >= mostWaiting) await writing;
      if (waitingBytes >= batch) writing ??= write();
      else timer ??= setTimeout(writeSoon, longestWait);
      if (failure !== undefined) throw failure.error;
      onProgress?.(size + waitingBytes);
    }
  } finally {
    clearTimeout(timer);
    await writing;
    if (failure === undefined && waitingBytes > 0) await write();
    await syncing;
  }
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- set by write()
  if (failure !== undefined) throw (failure as { error: unknown }).error;
  return size;
}

async function writeAll(file: FileHandle, chunks: Uint8Array[], bytes: number): Promise<void> {
  const { bytesWritten } = await file.writev(chunks);
  if (bytesWritten === bytes) return;
  // Rare: a full disk takes a part, and the next write tells why.
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  for (let done = 0; done < rest.length; ) done += (await file.write(rest, done)).bytesWritten;
}
