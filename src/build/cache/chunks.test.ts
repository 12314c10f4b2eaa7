import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { contentChunks, type ChunkSizes } from './chunks.ts';

const small: ChunkSizes = { least: 64, usual: 256, most: 1024 };

async function cut(pieces: Uint8Array[], sizes?: ChunkSizes): Promise<Buffer[]> {
  const out: Buffer[] = [];
  for await (const chunk of contentChunks((async function* () { yield* pieces; })(), sizes)) out.push(Buffer.from(chunk));
  return out;
}

/** Bytes that look random and are the same each time. */
function noise(length: number, seed: string): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash('sha256').update(`${seed} ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

test('the pieces are the stream, within their bounds, however the stream comes', async () => {
  const bytes = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 });
  await fc.assert(fc.asyncProperty(bytes, async (pieces) => {
    const whole = Buffer.concat(pieces);
    const chunks = await cut(pieces, small);
    assert.deepEqual(Buffer.concat(chunks), whole);
    assert.ok(chunks.every(({ length }, i) => length <= small.most && (length >= small.least || i === chunks.length - 1)));
    assert.deepEqual(await cut([whole], small), chunks);
  }));
});

test('a change in the middle leaves nearly all pieces as they were', async () => {
  const before = noise(400_000, 'before');
  const after = Buffer.concat([before.subarray(0, 200_000), Buffer.from('something new'), before.subarray(200_000)]);
  const known = new Set((await cut([before], small)).map((chunk) => chunk.toString('latin1')));
  const chunks = await cut([after], small);
  const fresh = chunks.filter((chunk) => !known.has(chunk.toString('latin1')));
  assert.ok(chunks.length > 600, `${chunks.length} pieces`);
  assert.ok(fresh.length <= 8, `${fresh.length} of ${chunks.length} pieces are new`);
});

test('pieces come near their usual size', async () => {
  const chunks = await cut([noise(1_000_000, 'size')], small);
  const average = 1_000_000 / chunks.length;
  assert.ok(average > 150 && average < 500, `${average}`);
});
