/** Writes the tar of an image archive, piece by piece. */
import { blockSize, padding } from '../layer/tar-header.ts';
import { fieldsOf, headerRoom, writeHeader } from '../layer/tar-write.ts';

/** A file of the archive; `size` bytes come from `open`. */
export interface ArchiveFile {
  path: string;
  size: number;
  open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The bytes of a tar of these directories and files, in this order, with fixed modes, owners and times. */
export async function* writeArchive(folders: readonly string[], files: readonly ArchiveFile[]): AsyncGenerator<Uint8Array> {
  for (const path of folders) yield header(path, 'dir', 0);
  for (const file of files) {
    yield header(file.path, 'file', file.size);
    let left = file.size;
    for await (const chunk of file.open()) {
      left -= chunk.length;
      if (left < 0) break;
      yield chunk;
    }
    if (left !== 0) throw new Error(`${file.path} has another size than it had`);
    if (padding(file.size) > 0) yield Buffer.alloc(padding(file.size));
  }
  yield Buffer.alloc(2 * blockSize);
}

function header(path: string, type: 'file' | 'dir', size: number): Buffer {
  const fields = fieldsOf({ path, type, mode: type === 'dir' ? 0o755 : 0o644, uid: 0, gid: 0, size, mtime: 0 });
  const bytes = Buffer.alloc(headerRoom(fields));
  return bytes.subarray(0, writeHeader(bytes, 0, fields));
}
