/** One file of many changed: the layer and its tree are made with the help of those before, and are what they would be without. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxMissing, makeBusyboxImage } from '../images/testing/make-image.ts';
import { temporaryStore } from '../images/testing/temporary-store.ts';
import { readImage } from '../images/read.ts';
import { build } from './build.ts';

const cannotRun = process.platform !== 'linux' ? 'RUN needs Linux' : process.getuid?.() === 0 ? busyboxMissing() : 'this test runs its steps as root';

test('a changed file among many: the same image as from nothing, and one tree shares files with the other', { skip: cannotRun }, async (t) => {
  const { store, folder, ...first } = await temporaryStore();
  t.after(() => first[Symbol.asyncDispose]());
  const other = await temporaryStore();
  t.after(() => other[Symbol.asyncDispose]());
  for (const each of [store, other.store]) makeBusyboxImage(each, 'base:1');
  const context = join(folder, 'context');
  mkdirSync(join(context, 'src'), { recursive: true });
  const time = 1_700_000_000;
  for (let i = 0; i < 50; i++) {
    writeFileSync(join(context, `src/f${i}`), `file ${i}`);
    utimesSync(join(context, `src/f${i}`), time, time);
  }
  utimesSync(join(context, 'src'), time, time);
  const dockerfileText = 'FROM base:1\nCOPY src /src\nRUN cat /src/* > /all\n';
  const options = { context, dockerfileText };
  await sleep(200); // until the files are old enough to be remembered
  const before = readImage(store, (await build({ ...options, store })).digest).config.rootfs.diff_ids;
  writeFileSync(join(context, 'src/f7'), 'changed');
  utimesSync(join(context, 'src/f7'), time, time);
  const changed = await build({ ...options, store });
  const after = readImage(store, changed.digest).config.rootfs.diff_ids;
  const clean = await build({ ...options, store: other.store });
  assert.equal(changed.steps.executed, 2);
  assert.deepEqual(after.slice(0, 2), readImage(other.store, clean.digest).config.rootfs.diff_ids.slice(0, 2));
  const inode = (diffIds: typeof after, name: string): number => lstatSync(join(store.layers.path(diffIds[1]!), 'fs/src', name)).ino;
  assert.equal(inode(after, 'f8'), inode(before, 'f8'));
  assert.notEqual(inode(after, 'f7'), inode(before, 'f7'));
});
