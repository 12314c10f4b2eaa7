import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFileStorage } from './open.ts';

test('a folder that holds other things is refused and left as it was; an empty one, a new disk and a registry are taken', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-open-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const strange = join(folder, 'strange');
  mkdirSync(join(strange, 'app'), { recursive: true });
  writeFileSync(join(strange, 'app/index.json'), '{}');
  await assert.rejects(openFileStorage({ root: strange }), { code: 'STORE', message: /is no registry, and holds other things \("app"\)/ });
  assert.deepEqual(readdirSync(strange), ['app']);

  for (const root of [join(folder, 'new'), join(folder, 'disk')]) {
    if (root.endsWith('disk')) mkdirSync(join(root, 'lost+found'), { recursive: true });
    for (let time = 0; time < 2; time++) await (await openFileStorage({ root }))[Symbol.asyncDispose]();
  }
});
