/** Compression: the bytes depend on nothing but the content and the level, and other programs read them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { gzipBlocks, readChunks, zstdBlocks } from './compress.ts';
import { decompress, openLayerStream } from './decompress.ts';
import { sniffCompression } from './sniff.ts';
import { createLayerWriter } from './writer.ts';
import type { Chunks } from './read-layer.ts';

async function collect(chunks: Chunks): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}
function sample(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = 1;
  for (let i = 0; i < size; i++) {
    if (i % 64 === 0) state = (state * 1103515245 + 12345) >>> 0;
    bytes[i] = (state >>> (i % 24)) & 0xff;
  }
  return bytes;
}
function* cut(bytes: Buffer, size: number): Generator<Buffer, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  return undefined;
}

const kinds = [['gzip', gzipBlocks], ['zstd', zstdBlocks]] as const;

for (const [kind, compress] of kinds) {
  test(`${kind}: any size comes back, and pieces and parallelism leave no trace`, async () => {
    for (const size of [0, 1, 1000, 1 << 20, (1 << 20) + 1, 9_000_000]) {
      const bytes = sample(size);
      const packed = await collect(compress([bytes]));
      assert.deepEqual(await collect(compress(cut(bytes, 77_777), { parallel: 1 })), packed);
      assert.deepEqual(await collect(compress(cut(bytes, 1 << 20), { parallel: 4 })), packed);
      assert.ok((await collect(decompress(cut(packed, 1001), kind))).equals(bytes));
      assert.ok((await collect(decompress([packed], kind))).equals(bytes));
      assert.equal(sniffCompression(packed), kind);
      const tool = spawnSync(kind, ['-dc'], { input: packed, maxBuffer: 1 << 28 });
      if (!tool.error) assert.ok(tool.stdout.equals(bytes), tool.stderr.toString());
    }
  });

  test(`${kind}: damage is told`, async () => {
    const packed = await collect(compress([sample(3_000_000)]));
    for (const length of [0, 1, 3, 4, 5, 1000, packed.length - 9, packed.length - 1]) {
      await assert.rejects(collect(decompress([packed.subarray(0, length)], kind)), { code: 'LAYER' }, `cut at ${length}`);
    }
    await assert.rejects(collect(decompress([Buffer.alloc(100, 'x')], kind)), { code: 'LAYER' });
    await assert.rejects(collect(decompress([packed, Buffer.from('garbage')], kind)), { code: 'LAYER' });
  });

  test(`${kind}: what comes out is bounded`, async () => {
    const packed = await collect(compress([Buffer.alloc(20_000_000)]));
    await assert.rejects(collect(decompress([packed], kind, { limit: 10_000_000 })), { code: 'LAYER', message: /10000000/ });
    await assert.rejects(collect(decompress([packed], kind, { ratio: 10 })), { code: 'LAYER' });
    assert.equal((await collect(decompress([packed], kind, { limit: 20_000_000 }))).length, 20_000_000);
  });

  test(`${kind}: stops when it is told to, on both ways`, async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(collect(compress([sample(3_000_000)], { signal })), { code: 'CANCELLED' });
    const packed = await collect(compress([sample(3_000_000)]));
    await assert.rejects(collect(decompress([packed], kind, { signal })), { code: 'CANCELLED' });
    for await (const chunk of decompress([packed], kind)) {
      assert.ok(chunk.length > 0);
      break;
    }
  });
}

test('several members and frames are one stream, in one piece or in many', async () => {
  const parts = [sample(1000), sample(300_000), Buffer.alloc(0), sample(5)];
  const whole = Buffer.concat(parts);
  const members = Buffer.concat(parts.map((part) => gzipSync(part)));
  const skippable = Buffer.from('5a2a4d1804000000aabbccdd', 'hex');
  const frames = Buffer.concat([skippable, ...parts.map((part) => zstdCompressSync(part)), skippable, zstdCompressSync(Buffer.alloc(1_000_000))]);
  assert.ok((await collect(decompress([members], 'gzip'))).equals(whole));
  for (const size of [1, 7, 1000, frames.length]) {
    assert.ok((await collect(decompress(cut(frames, size), 'zstd'))).equals(Buffer.concat([whole, Buffer.alloc(1_000_000)])), `in pieces of ${size}`);
  }
});

test('an error of the source comes through', async () => {
  async function* broken(): AsyncGenerator<Buffer, undefined> {
    yield sample(2_000_000);
    await Promise.resolve();
    throw new Error('the network is gone');
  }
  for (const [kind, compress] of kinds) {
    await assert.rejects(collect(compress(broken())), /the network is gone/);
    await assert.rejects(collect(decompress(compress(broken()), kind)), /the network is gone/);
  }
});

test('a file is read as what it is', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'siru-compress-'));
  try {
    const bytes = sample(3_000_000);
    writeFileSync(join(dir, 'a'), gzipSync(bytes));
    writeFileSync(join(dir, 'b'), bytes);
    assert.ok((await collect(openLayerStream(join(dir, 'a'), 'gzip'))).equals(bytes));
    assert.ok((await collect(openLayerStream(join(dir, 'b'), 'none'))).equals(bytes));
    assert.ok(gunzipSync(await collect(gzipBlocks(readChunks(join(dir, 'b'))))).equals(bytes));
    await assert.rejects(collect(openLayerStream(join(dir, 'none'), 'gzip')), { code: 'STORE' });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('levels that do not exist are refused', async () => {
  await assert.rejects(collect(gzipBlocks([], { level: 10 })), { code: 'USAGE' });
  await assert.rejects(collect(zstdBlocks([], { level: 0 })), { code: 'USAGE' });
});

test('archives are known by their first bytes', () => {
  const chunks: Buffer[] = [];
  const writer = createLayerWriter({ write: (bytes) => void chunks.push(Buffer.from(bytes)) });
  writer.add({ path: 'x', type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 });
  writer.finish();
  assert.equal(sniffCompression(Buffer.concat(chunks)), 'tar');
  assert.equal(sniffCompression(Buffer.from('BZh91AY')), 'bzip2');
  assert.equal(sniffCompression(Buffer.from('fd377a585a0000', 'hex')), 'xz');
  assert.equal(sniffCompression(Buffer.from('PK')), undefined);
  assert.equal(sniffCompression(Buffer.alloc(1024)), undefined);
  assert.equal(sniffCompression(Buffer.alloc(0)), undefined);
  assert.equal(sniffCompression(Buffer.alloc(1024, 'text')), undefined);
});
