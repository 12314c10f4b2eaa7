/** The files of what was built as one tar. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkCancelled, type Context } from '../../base/context.ts';
import { startTransfer } from '../../images/transfer.ts';
import { writeWhole } from '../../images/write-whole.ts';
import type { Entry } from '../../layer/entry.ts';
import { blockSize, padding } from '../../layer/tar-header.ts';
import { fieldsOf, headerRoom, writeHeader } from '../../layer/tar-write.ts';
import type { TreeOutput } from './output.ts';
import { contentPieces } from './tree-content.ts';
import type { TreePart } from './tree.ts';

const pieceSize = 1 << 20;

/** Owners, modes and times are the image's. Equal trees give equal bytes. */
export async function writeTarOutput(parts: readonly TreePart[], { dest, epoch }: Extract<TreeOutput, { type: 'tar' }>, context: Context): Promise<void> {
  if (typeof dest === 'string') mkdirSync(dirname(dest), { recursive: true });
  const transfer = startTransfer(context, 'write', 'tar');
  await writeWhole(transfer.count(gathered(tarOf(parts, epoch ?? 0, context))), dest);
  transfer.state('done');
}

async function* tarOf(parts: readonly TreePart[], time: number, context: Context): AsyncGenerator<Uint8Array> {
  for (const { folder, files } of parts) {
    const below = folder === '' ? '' : `${folder}/`;
    if (folder !== '') yield header({ path: folder, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: time });
    for await (const { entry, content } of files) {
      checkCancelled(context);
      const { link } = entry;
      yield header({ ...entry, path: below + entry.path, ...(entry.type === 'hardlink' ? { link: below + link! } : {}) });
      if (content === undefined) continue;
      yield* contentPieces(entry, content);
      if (padding(entry.size) > 0) yield Buffer.alloc(padding(entry.size));
    }
  }
  yield Buffer.alloc(2 * blockSize);
}

/** The same bytes in pieces that are worth a call each. */
async function* gathered(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = Buffer.allocUnsafeSlow(pieceSize);
  let used = 0;
  for await (const chunk of chunks) {
    if (used > 0 && used + chunk.length > pieceSize) {
      yield piece.subarray(0, used);
      piece = Buffer.allocUnsafeSlow(pieceSize);
      used = 0;
    }
    if (chunk.length >= pieceSize) yield chunk;
    else {
      piece.set(chunk, used);
      used += chunk.length;
    }
  }
  if (used > 0) yield piece.subarray(0, used);
}

function header(entry: Entry): Buffer {
  const fields = fieldsOf(entry);
  const bytes = Buffer.alloc(headerRoom(fields));
  return bytes.subarray(0, writeHeader(bytes, 0, fields));
}
