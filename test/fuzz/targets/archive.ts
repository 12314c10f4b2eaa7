/** Compressed streams and archives of unknown kind: never more out than may be, and never another error than ours. */
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { contextOf } from '../../../src/base/context.ts';
import { isSiruError } from '../../../src/base/errors.ts';
import { openArchive } from '../../../src/images/archive-read.ts';
import { decompress } from '../../../src/layer/decompress.ts';
import { sniffCompression } from '../../../src/layer/sniff.ts';
import { createTarReader } from '../../../src/layer/tar-read.ts';
import { broken, ending, type Target } from '../target.ts';
import { generateTar, tarSeeds } from '../tar-bytes.ts';

const limit = 1 << 20;

export const archive: Target = {
  name: 'archive',
  share: 40,
  largest: 1 << 16,
  dictionary: ['\x1f\x8b\x08', '(\xb5/\xfd', 'BZh', '\xfd7zXZ\0', 'P*M\x18'],
  seeds() {
    const bomb = Buffer.alloc(4 << 20);
    return [...tarSeeds().flatMap((tar) => [tar, gzipSync(tar), zstdCompressSync(tar), Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))])]), gzipSync(bomb), zstdCompressSync(bomb), Buffer.from('BZh9'), Buffer.from('\xfd7zXZ\0', 'latin1')];
  },
  generate(random) {
    const tar = generateTar(random);
    return random.pick([gzipSync, zstdCompressSync])(tar);
  },
  async run(input) {
    const bytes = Buffer.from(input);
    const kind = sniffCompression(bytes);
    let opened: string;
    try {
      const reader = createTarReader({ member() {} });
      for await (const chunk of await openArchive(once(bytes), contextOf())) reader.push(chunk);
      reader.end();
      opened = 'read';
    } catch (error) {
      if (!isSiruError(error)) throw error;
      opened = ending(error);
    }
    if (kind === 'gzip' || kind === 'zstd') await bounded(bytes, kind);
    return `${kind} ${opened}`;
  },
};

async function bounded(bytes: Buffer, kind: 'gzip' | 'zstd'): Promise<void> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of decompress([bytes], kind, { limit, ratio: 2000 })) {
      if ((size += chunk.length) > limit) broken(`${size} bytes came out`);
      parts.push(chunk);
    }
  } catch (error) {
    if (!isSiruError(error)) throw error;
    return;
  }
  if (kind === 'gzip' && !Buffer.concat(parts).equals(gunzipSync(bytes))) broken('gunzip gives something else');
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
