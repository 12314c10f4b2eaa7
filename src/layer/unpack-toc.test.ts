/** Unpacking by the table of contents gives the tree that reading the tar gives. */
import assert from 'node:assert/strict';
import { closeSync, lstatSync, mkdtempSync, openSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readXattrs } from '../sys/xattr.ts';
import { applyLayer } from './apply.ts';
import { contentOf, entriesArbitrary } from './arbitrary.suite.ts';
import type { Entry } from './entry.ts';
import { openToc } from './toc.ts';
import type { Toc } from './toc-contract.ts';
import { unpackByToc } from './unpack-toc.ts';
import { createLayerWriter } from './writer.ts';

const asRoot = process.platform !== 'linux' ? 'needs Linux' : process.getuid?.() === 0 ? false : 'needs root';
const entry = (path: string, more: Partial<Entry> = {}): Entry => ({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 1700000000, ...more });

function write(entries: Entry[], content: (of: Entry) => Buffer = contentOf): { tar: Buffer; toc: Toc } {
  const chunks: Buffer[] = [];
  const writer = createLayerWriter({ write: (bytes) => void chunks.push(Buffer.from(bytes)) });
  for (const one of entries) writer.add(one, one.type === 'file' ? { bytes: content(one) } : undefined);
  const { toc } = writer.finish();
  return { tar: Buffer.concat(chunks), toc: openToc(toc) };
}

async function unpack({ tar, toc }: { tar: Buffer; toc: Toc }, folder: string, name: string, like?: { root: string; toc: Toc }): Promise<string> {
  const file = join(folder, `${name}.tar`);
  writeFileSync(file, tar);
  const fd = openSync(file, 'r');
  try {
    await unpackByToc(toc, fd, join(folder, name), { opaque: 'trusted', ...(like ? { like } : {}) });
  } finally {
    closeSync(fd);
  }
  return join(folder, name);
}

/** All that a tree shows but how many names its files have, and when a whiteout was made: overlayfs shows none of it. */
function describe(root: string): unknown[] {
  const all: unknown[] = [];
  const walk = (path: Buffer): void => {
    const stat = lstatSync(path);
    const kind = stat.mode & 0o170000;
    const isWhiteout = kind === 0o020000 && stat.rdev === 0;
    all.push([
      path.subarray(root.length).toString('latin1'), stat.mode, stat.uid, stat.gid, stat.rdev, isWhiteout ? 0 : Math.floor(stat.mtimeMs / 1000),
      readXattrs(path, (name) => name !== 'security.capability'), // the kernel refuses to read one that is none
      kind === 0o100000 ? readFileSync(path, 'base64') : kind === 0o120000 ? readlinkSync(path, 'latin1') : '',
    ]);
    if (kind !== 0o040000) return;
    for (const name of readdirSync(path, 'buffer').sort((a, b) => Buffer.compare(a, b))) walk(Buffer.concat([path, Buffer.from('/'), name]));
  };
  walk(Buffer.from(root));
  // What no entry says anything of has the time at which it was made.
  return all.map((line) => ((line as unknown[])[0] === '' ? [] : line));
}

function temporary(): Disposable & { folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'siru-by-toc-'));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

test('a random layer is unpacked as its tar is', { skip: asRoot }, async () => {
  const types = ['file', 'dir', 'symlink', 'char', 'fifo', 'whiteout'] as const;
  await fc.assert(
    fc.asyncProperty(entriesArbitrary({ table: false, plain: true, types: [...types] }), async (raw) => {
      const entries = raw.map((one) => (one.type === 'char' && one.major === 0 && one.minor === 0 ? { ...one, minor: 1 } : one));
      using place = temporary();
      const layer = write(entries);
      await applyLayer([layer.tar], join(place.folder, 'read'), { opaque: 'trusted' });
      assert.deepEqual(describe(await unpack(layer, place.folder, 'table')), describe(join(place.folder, 'read')));
    }),
    { numRuns: 25 },
  );
});

test('files larger than the buffer, many small ones and hard links come out whole', { skip: asRoot }, async () => {
  using place = temporary();
  const entries = [
    entry('big', { size: 2_500_000, mode: 0o4750, uid: 7, gid: 8 }),
    ...Array.from({ length: 300 }, (_, i) => entry(`d/f${String(i).padStart(4, '0')}`, { size: i })),
    entry('d/g', { type: 'hardlink', link: 'big', mode: 0o4750, uid: 7, gid: 8 }),
  ];
  const layer = write(entries);
  const tree = await unpack(layer, place.folder, 'table');
  await applyLayer([layer.tar], join(place.folder, 'read'), { opaque: 'trusted' });
  assert.deepEqual(describe(tree), describe(join(place.folder, 'read')));
  assert.equal(lstatSync(join(tree, 'd/g')).ino, lstatSync(join(tree, 'big')).ino);
});

test('what an earlier layer has as well becomes another name of its file, all else is written', { skip: asRoot }, async () => {
  using place = temporary();
  const names = ['same', 'content', 'mode', 'time', 'owner', 'xattr', 'gone'];
  const before = names.map((path) => entry(path, { size: 3, ...(path === 'xattr' ? { xattrs: { 'user.a': Buffer.from('1') } } : {}) })).sort((a, b) => (a.path < b.path ? -1 : 1));
  const change: Record<string, Partial<Entry>> = { mode: { mode: 0o600 }, time: { mtime: 5 }, owner: { uid: 5 }, xattr: {} };
  const after = [...before.filter(({ path }) => path !== 'gone').map((one) => ({ ...one, ...change[one.path] })), entry('zz', { size: 3 })];
  const old = write(before, () => Buffer.from('old'));
  const fresh = write(after, ({ path }) => Buffer.from(path === 'content' ? 'new' : 'old'));
  const root = await unpack(old, place.folder, 'old');
  const kept = describe(root);
  const tree = await unpack(fresh, place.folder, 'new', { root, toc: old.toc });
  await applyLayer([fresh.tar], join(place.folder, 'read'), { opaque: 'trusted' });
  assert.deepEqual(describe(tree), describe(join(place.folder, 'read')));
  assert.deepEqual(describe(root), kept);
  const shared = names.filter((name) => name !== 'gone' && lstatSync(join(tree, name)).ino === lstatSync(join(root, name)).ino);
  assert.deepEqual(shared, ['same']);
});

test('a file that the earlier tree has lost is written', { skip: asRoot }, async () => {
  using place = temporary();
  const layer = write([entry('a', { size: 10 })]);
  const root = await unpack(layer, place.folder, 'old');
  rmSync(join(root, 'a'));
  const tree = await unpack(layer, place.folder, 'new', { root, toc: layer.toc });
  assert.equal(readFileSync(join(tree, 'a'), 'latin1').length, 10);
});

test('a tar that ends too early is told', { skip: asRoot }, async () => {
  using place = temporary();
  const { tar, toc } = write([entry('a', { size: 100_000 })]);
  await assert.rejects(unpack({ tar: tar.subarray(0, 50_000), toc }, place.folder, 'cut'), { code: 'STORE' });
});
