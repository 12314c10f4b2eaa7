/** The bytes of a file that lies in a layer's tar. */
import { readSync } from 'node:fs';
import { SiruError } from '../../base/errors.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Content } from '../../layer/writer-contract.ts';

const pieceSize = 1 << 20;

/** Exactly `entry.size` bytes, each piece a buffer of its own. */
export function* contentPieces({ path, size }: Entry, content: Content): Generator<Uint8Array, undefined> {
  if (!('fd' in content)) throw new Error('content of a layer comes from its tar');
  for (let done = 0; done < size; ) {
    const piece = Buffer.allocUnsafe(Math.min(pieceSize, size - done));
    const read = readSync(content.fd, piece, 0, piece.length, content.offset + done);
    if (read === 0) throw new SiruError('STORE', `the tar of a layer ends within ${JSON.stringify(path)}`, { hint: 'Build or pull the image again.' });
    done += read;
    yield piece.subarray(0, read);
  }
  return undefined;
}
