import assert from 'node:assert/strict';
import { closeSync, lstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createStatx } from './statx.ts';

test('it says what lstat says', { skip: process.platform !== 'linux' && 'a call of Linux' }, (t) => {
  const statx = createStatx();
  if (!statx) return t.skip('there is no statx here');
  const folder = mkdtempSync(join(tmpdir(), 'siru-statx-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'file'), 'text', { mode: 0o4755 });
  writeFileSync(join(folder, 'näme 한'), '');
  writeFileSync(join(folder, 'large'), '');
  truncateSync(join(folder, 'large'), 6 * 2 ** 32 + 5);
  mkdirSync(join(folder, 'folder'));
  symlinkSync('nowhere', join(folder, 'link'));
  for (const [i, time] of [0.25, 1_000_000_000.123456, 4_000_000_000.5, -5.75].entries()) {
    writeFileSync(join(folder, `time${i}`), '');
    utimesSync(join(folder, `time${i}`), time, time);
  }
  for (const place of [folder, '/', '/dev', '/proc/self', '/sys']) {
    const descriptor = openSync(place, 'r');
    for (const name of readdirSync(place)) {
      const stat = lstatSync(join(place, name), { throwIfNoEntry: false });
      if (!stat || !statx.of(descriptor, name)) continue;
      if (place === '/proc/self') continue; // its times are those of the look
      assert.deepEqual([...statx.values], [stat.dev, stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs, stat.mode], `${place} ${name}`);
    }
    closeSync(descriptor);
  }
  assert.equal(statx.of(-1, 'none'), false);
});
