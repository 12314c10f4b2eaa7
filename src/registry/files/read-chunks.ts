/** A file's bytes with two buffers: one is read into while the other is being sent. */
import type { FileHandle } from 'node:fs/promises';
import type { Range } from '../storage.ts';

/** Bytes that are read at once. */
const chunk = 256 * 1024;

/** The bytes of the range; the file is closed at the end, or when the reader stops. A chunk is good until the next one is asked for. */
export async function* readChunks(file: FileHandle, { start, end }: Range): AsyncGenerator<Buffer> {
  const size = Math.max(0, Math.min(chunk, end - start + 1));
  let at = start;
  const read = async (buffer: Buffer): Promise<Buffer> => {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at + 1), at);
    if (bytesRead === 0) throw new Error('the file of a blob is shorter than it was');
    at += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  let [now, later] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(end - start + 1 > size ? size : 0)];
  let next: Promise<Buffer> | undefined;
  try {
    if (start <= end) next = read(now);
    while (next !== undefined) {
      const bytes = await next;
      [now, later] = [later, now];
      next = at <= end ? read(now) : undefined;
      next?.catch(() => {});
      yield bytes;
    }
  } finally {
    await next?.catch(() => {});
    await file.close();
  }
}
