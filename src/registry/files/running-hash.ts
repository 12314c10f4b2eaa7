/** A hash that knows how much of a file it has seen. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import type { Algorithm } from '../storage.ts';

const chunk = 1024 * 1024;

export interface RunningHash {
  readonly algorithm: Algorithm;
  /** Bytes from the start of the file that it has seen. */
  readonly seen: number;
  update(bytes: Uint8Array): void;
  /** Reads what it has not seen, up to `size`. A file that is shorter than what it saw is read from its start. */
  catchUp(file: FileHandle, size: number): Promise<void>;
  /** Of what it has seen; the hash goes on. */
  digest(): Digest;
}

export function createRunningHash(algorithm: Algorithm): RunningHash {
  let state = createHash(algorithm);
  let seen = 0;
  const update = (bytes: Uint8Array): void => {
    state.update(bytes);
    seen += bytes.length;
  };
  return {
    algorithm,
    get seen() {
      return seen;
    },
    update,
    async catchUp(file, size) {
      if (seen > size) {
        state = createHash(algorithm);
        seen = 0;
      }
      if (seen === size) return;
      const buffer = Buffer.allocUnsafe(Math.min(chunk, size - seen));
      while (seen < size) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - seen), seen);
        if (bytesRead === 0) throw new Error('the file of the upload has become shorter');
        update(buffer.subarray(0, bytesRead));
      }
    },
    digest: () => `${algorithm}:${state.copy().digest('hex')}`,
  };
}
