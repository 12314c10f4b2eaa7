import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeWhole } from './write-whole.ts';

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('text');
}

test('a path that cannot even be looked at is told like one that cannot be written', { skip: process.platform === 'win32' && 'needs symbolic links' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-whole-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const loop = join(folder, 'loop');
  symlinkSync(loop, loop);
  await assert.rejects(writeWhole(chunks(), loop), { code: 'USAGE', message: new RegExp(`^cannot write ${loop}: `) });
  assert.deepEqual(readdirSync(folder), ['loop']);
});
