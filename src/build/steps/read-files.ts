/** The digests of files, each read once with a reused buffer. */
import { createHash, hash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Content } from '../../layer/writer-contract.ts';
import type { Digest } from '../../oci/digest.ts';

const bufferSize = 1 << 20;
/** Neither a link nor a pipe that was put in the file's place may lead elsewhere or block. */
const openFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Gives a function that reads a file and returns its digest. Throws CONTEXT when it does not have the size of its entry. */
export function createFileHasher(): (entry: Entry, content: Content) => Digest {
  const buffer = Buffer.allocUnsafeSlow(bufferSize);

  function digestOf(entry: Entry, fd: number, start: number | undefined): Digest {
    let running: ReturnType<typeof createHash> | undefined;
    let done = 0;
    for (;;) {
      // One byte more than promised, so that a file that grew is noticed; a part of a file has no such byte.
      const want = Math.min(bufferSize, entry.size - done + (start === undefined ? 1 : 0));
      const got = want === 0 ? 0 : readSync(fd, buffer, 0, want, start === undefined ? -1 : start + done);
      done += got;
      if (done > entry.size) throw changed(entry, 'longer');
      const ended = got === 0 || done === entry.size;
      if (running === undefined && done === got && got < bufferSize && ended) {
        if (done < entry.size) throw changed(entry, 'shorter');
        return `sha256:${hash('sha256', buffer.subarray(0, got), 'hex')}`;
      }
      (running ??= createHash('sha256')).update(buffer.subarray(0, got));
      if (got === 0) break;
    }
    if (done < entry.size) throw changed(entry, 'shorter');
    return `sha256:${running.digest('hex')}`;
  }

  return (entry, content) => {
    if ('bytes' in content) return `sha256:${hash('sha256', content.bytes, 'hex')}`;
    if ('fd' in content) return digestOf(entry, content.fd, content.offset);
    try {
      const fd = openSync(content.file, openFlags);
      try {
        return digestOf(entry, fd, undefined);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      throw new SiruError('CONTEXT', `cannot read ${JSON.stringify(entry.path)}: ${messageOf(error)}`, {
        hint: 'Make it readable, or leave it out with .dockerignore.',
        cause: error,
      });
    }
  };
}

function changed(entry: Entry, how: string): SiruError {
  return new SiruError('CONTEXT', `${JSON.stringify(entry.path)} became ${how} than its ${entry.size} bytes while it was read`, {
    hint: 'Run again when nothing writes to the file, or leave it out with .dockerignore.',
  });
}
