/** The body of a request into a file, hashed on the way: while one write runs, the next chunks are gathered and hashed. */
import type { FileHandle } from 'node:fs/promises';
import type { RunningHash } from './running-hash.ts';

/** Bytes that wait for the disk before the client has to. */
const mostWaiting = 256 * 1024;

/**
 * Appends until the source ends. When the source or the disk breaks it off, what was written stays; the hash may then have
 * seen more. Gives the new size.
 */
export async function writeBody(file: FileHandle, size: number, source: AsyncIterable<Uint8Array>, hash: RunningHash, onProgress?: (size: number) => void): Promise<number> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let writing: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;
  const write = async (): Promise<void> => {
    const chunks = waiting;
    const bytes = waitingBytes;
    waiting = [];
    waitingBytes = 0;
    try {
      await writeAll(file, chunks, bytes);
      size += bytes;
    } catch (error) {
      failure = { error };
    }
    writing = waitingBytes > 0 && failure === undefined ? write() : undefined;
  };
  const settle = async (): Promise<void> => {
    while (writing !== undefined) await writing;
    if (failure !== undefined) throw failure.error;
  };
  try {
    for await (const chunk of source) {
      hash.update(chunk);
      waiting.push(chunk);
      waitingBytes += chunk.length;
      writing ??= write();
      if (waitingBytes >= mostWaiting) await writing;
      if (failure !== undefined) throw failure.error;
      onProgress?.(size + waitingBytes);
    }
  } finally {
    await settle();
  }
  return size;
}

async function writeAll(file: FileHandle, chunks: Uint8Array[], bytes: number): Promise<void> {
  const { bytesWritten } = await file.writev(chunks);
  if (bytesWritten === bytes) return;
  // Rare: a full disk takes a part, and the next write tells why.
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  for (let done = 0; done < rest.length; ) done += (await file.write(rest, done)).bytesWritten;
}
