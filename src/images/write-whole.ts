/** Writes a file that is there only when it is whole. */
import { realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';

/** Takes the bytes of an archive in order. */
export type ByteTarget = (bytes: Uint8Array) => void | Promise<void>;

/**
 * Writes to a path, or to a function. A file is written beside and renamed at the end; what is no regular file (a pipe, a
 * device) is written to as it is. Throws USAGE when the path cannot be written, and what `chunks` throws.
 */
export async function writeWhole(chunks: AsyncIterable<Uint8Array>, output: string | ByteTarget): Promise<void> {
  if (typeof output !== 'string') {
    for await (const chunk of chunks) await output(chunk);
    return;
  }
  let partial: string | undefined;
  try {
    const there = statSync(output, { throwIfNoEntry: false });
    // A link stays one: the file that it leads to is replaced.
    const target = there?.isFile() ? realpathSync(output) : output;
    if (!there || there.isFile()) partial = `${target}.${process.pid}.partial`;
    const file = await open(partial ?? target, 'w', 0o666);
    try {
      for await (const chunk of chunks) await file.writev([chunk]);
    } finally {
      await file.close();
    }
    if (partial !== undefined) renameSync(partial, target);
  } catch (error) {
    if (partial !== undefined) rmSync(partial, { force: true });
    if (errnoOf(error) === undefined) throw error;
    throw new SiruError('USAGE', `cannot write ${output}: ${messageOf(error)}`, { cause: error });
  }
}
