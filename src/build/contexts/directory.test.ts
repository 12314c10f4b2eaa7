import assert from 'node:assert/strict';
import { chmodSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import type { Found } from '../../layer/toc-contract.ts';
import { sha256, type Digest } from '../../oci/digest.ts';
import { setXattr } from '../../sys/xattr.ts';
import { createFileHasher } from '../steps/read-files.ts';
import { openContext } from './directory.ts';
import type { SourceTree } from './source.ts';

interface Place {
  root: string;
  store: { path(...parts: string[]): string; temporary(suffix?: string): string };
  write: (path: string, text: string | Uint8Array) => void;
  open: () => SourceTree;
}

function place(t: TestContext): Place {
  const folder = mkdtempSync(join(tmpdir(), 'siru-context-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, 'context');
  mkdirSync(root);
  let count = 0;
  const store = {
    path: (...parts: string[]): string => {
      const path = join(folder, 'store', ...parts);
      mkdirSync(dirname(path), { recursive: true });
      return path;
    },
    temporary: (suffix = ''): string => join(folder, 'store', `${count++}${suffix}`),
  };
  return {
    root,
    store,
    write(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    open: () => openContext({ root, store }),
  };
}

const paths = (tree: SourceTree): string[] => [...tree.below('')].map(({ entry }) => entry.path);

/** Digests of all files, read where they are not known; remembers them. Gives the paths that were read. */
function hashAll(tree: SourceTree): { digests: Map<string, Digest>; read: string[] } {
  const hash = createFileHasher();
  const digests = new Map<string, Digest>();
  const read: string[] = [];
  for (const found of tree.below('')) {
    if (found.entry.type !== 'file') continue;
    let digest = tree.known(found);
    if (digest === undefined) {
      digest = hash(found.entry, tree.content(found));
      tree.learn(found, digest);
      read.push(found.entry.path);
    }
    digests.set(found.entry.path, digest);
  }
  tree.save?.();
  return { digests, read };
}

/** Long enough for new files to be trusted. */
const settle = (): Promise<void> => sleep(150);

test('files, directories and links come as they are, owned by root, sorted by path', (t) => {
  const { root, write, open } = place(t);
  write('b', 'text');
  write('a/x', '');
  write('a-b', '');
  symlinkSync('../elsewhere', join(root, 'link'));
  chmodSync(join(root, 'b'), 0o4751);
  utimesSync(join(root, 'b'), 1.9, 1234567890.9);
  const tree = open();
  assert.deepEqual(paths(tree), ['a', 'a-b', 'a/x', 'b', 'link']);
  assert.deepEqual(tree.lookup('b')?.entry, { path: 'b', type: 'file', mode: 0o4751, uid: 0, gid: 0, size: 4, mtime: 1234567890 });
  assert.equal(tree.lookup('link')?.entry.link, '../elsewhere');
  assert.equal(tree.lookup('link/x'), undefined);
  assert.equal(tree.lookup('b/x'), undefined);
  assert.equal(tree.lookup('')?.entry.type, 'dir');
  assert.deepEqual(tree.children('a').map(({ entry }) => entry.path), ['a/x']);
  assert.deepEqual(tree.children('b'), []);
  assert.equal(tree.resolve('a/../b').path, 'b');
});

test('only directories that are asked for are walked', (t) => {
  const { root, write, open } = place(t);
  write('src/a', '');
  write('node_modules/x/y', '');
  const tree = open();
  assert.ok(tree.lookup('src/a'));
  rmSync(join(root, 'node_modules'), { recursive: true });
  assert.equal(tree.lookup('node_modules')?.entry.type, 'dir');
  assert.deepEqual(tree.children('node_modules'), []);
});

test('names that are not UTF-8 survive', (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux has names that are not UTF-8');
  const { root, write, open } = place(t);
  write('plain', '1');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/b`), Buffer.from([0xff])]), '2');
  mkdirSync(Buffer.concat([Buffer.from(`${root}/d`), Buffer.from([0xfe])]));
  writeFileSync(Buffer.concat([Buffer.from(`${root}/d`), Buffer.from([0xfe]), Buffer.from('/x')]), '3');
  const tree = open();
  assert.deepEqual(paths(tree), ['b\udcff', 'd\udcfe', 'd\udcfe/x', 'plain']);
  const { digests } = hashAll(tree);
  assert.equal(digests.get('d\udcfe/x'), sha256('3'));
});

test('file capabilities are carried, other extended attributes are not', (t) => {
  if (process.platform !== 'linux') return t.skip('extended attributes are read on Linux only');
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const { root, write, open } = place(t);
  write('a', '');
  write('b', '');
  try {
    setXattr(join(root, 'a'), 'user.note', Buffer.from('hi'));
    setXattr(join(root, 'a'), 'security.capability', capability);
  } catch {
    return t.skip('needs root, and a file system that has extended attributes');
  }
  const carried = (tree: SourceTree, path: string) => tree.lookup(path)?.entry.xattrs;
  hashAll(open());
  const again = open();
  assert.deepEqual(carried(again, 'a'), { 'security.capability': capability });
  assert.equal(carried(again, 'b'), undefined);
  setXattr(join(root, 'b'), 'security.capability', capability);
  assert.deepEqual(carried(open(), 'b'), { 'security.capability': capability });
});

test('names of one file have one identity', (t) => {
  const { root, write, open } = place(t);
  write('a', 'x');
  linkSync(join(root, 'a'), join(root, 'b'));
  write('c', 'x');
  const tree = open();
  const identity = (path: string) => tree.identity(tree.lookup(path) as Found);
  assert.ok(identity('a'));
  assert.equal(identity('a'), identity('b'));
  assert.equal(identity('c'), undefined);
});

test('the ignore file hides, exceptions show, and the one beside the Dockerfile wins', (t) => {
  const { root, write, open, store } = place(t);
  write('.dockerignore', '# no logs\n*.log\nbuild\n!build/keep\n');
  write('a.log', '');
  write('build/keep', '');
  write('build/drop', '');
  write('build/sub/drop', '');
  write('src/b.log', '');
  const tree = open();
  assert.deepEqual(paths(tree), ['.dockerignore', 'build', 'build/keep', 'src', 'src/b.log']);
  assert.equal(tree.lookup('a.log'), undefined);
  assert.deepEqual(tree.hiddenBy?.('a.log'), { file: '.dockerignore', line: 2, text: '*.log' });
  assert.equal(tree.hiddenBy?.('not.log'), undefined);
  assert.equal(tree.hiddenBy?.('src/b.log'), undefined);
  write('deploy/Dockerfile.dockerignore', 'src\n');
  const other = openContext({ root, store, dockerfile: join(root, 'deploy/Dockerfile') });
  assert.ok(other.lookup('a.log'));
  assert.equal(other.lookup('src'), undefined);
  assert.deepEqual(other.hiddenBy?.('src/b.log'), { file: 'Dockerfile.dockerignore', line: 1, text: 'src' });
});

test('a hidden directory in which nothing shows is hidden', (t) => {
  const { write, open } = place(t);
  write('.dockerignore', '*\n!app/main\n');
  write('app/main', '');
  write('lib/x', '');
  assert.deepEqual(paths(open()), ['app', 'app/main']);
});

test('a context that is no directory is refused', (t) => {
  const { root, write } = place(t);
  write('file', '');
  assert.throws(() => openContext({ root: join(root, 'nope') }), { code: 'CONTEXT' });
  assert.throws(() => openContext({ root: join(root, 'file') }), { code: 'CONTEXT', message: /is not a directory/ });
});

test('a directory that cannot be read is named', (t) => {
  if (process.platform === 'win32' || process.getuid?.() === 0) return t.skip('needs an ordinary user: root may read everything');
  const { root, write, open } = place(t);
  write('secret/x', '');
  chmodSync(join(root, 'secret'), 0);
  assert.throws(() => paths(open()), { code: 'CONTEXT', message: /"secret"/ });
  chmodSync(join(root, 'secret'), 0o700);
});

test('digests are remembered, and only what changed is read again', async (t) => {
  const { root, write, open } = place(t);
  for (let i = 0; i < 20; i++) write(`d${i % 3}/f${i}`, `${i}`);
  await settle();
  assert.equal(hashAll(open()).read.length, 20);
  assert.deepEqual(hashAll(open()).read, []);
  write('d1/f1', 'other');
  renameSync(join(root, 'd2/f2'), join(root, 'd2/g2'));
  await settle();
  assert.deepEqual(hashAll(open()).read.sort(), ['d1/f1', 'd2/g2']);
  assert.deepEqual(hashAll(open()).read, []);
});

test('digests of directories that a build did not ask for are kept, those of removed ones are not', async (t) => {
  const { root, write, open, store } = place(t);
  write('a/x', '1');
  write('b/y', '2');
  write('b/c/z', '2');
  await settle();
  hashAll(open());
  const part = open();
  write('a/new', '3');
  for (const found of part.children('a')) if (!part.known(found)) part.learn(found, sha256('3'));
  part.save?.();
  await settle();
  assert.deepEqual(hashAll(open()).read, ['a/new']);
  rmSync(join(root, 'b'), { recursive: true });
  write('a/more', '4');
  await settle();
  hashAll(open());
  const [table] = readdirSync(store.path('contexts'));
  assert.ok(!readFileSync(store.path('contexts', table!)).includes('b/c\0'));
});

test('a damaged table counts as none, wherever it is damaged', async (t) => {
  const { write, open, store } = place(t);
  write('a', '1');
  write('d/b', '2');
  await settle();
  hashAll(open());
  const [table] = readdirSync(store.path('contexts'));
  const file = store.path('contexts', table!);
  const good = readFileSync(file);
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad[at]! ^= 0x41;
    writeFileSync(file, bad);
    const tree = open();
    for (const found of tree.below('')) assert.equal(tree.known(found), undefined, `byte ${at}`);
  }
  for (const length of [0, 10, 55, good.length - 1]) {
    writeFileSync(file, good.subarray(0, length));
    assert.equal(open().known(open().lookup('a')!), undefined);
  }
  writeFileSync(file, good);
  assert.deepEqual(hashAll(open()).read, []);
});

test('nothing is written when nothing changed', async (t) => {
  const { write, open, store } = place(t);
  write('a', '1');
  await settle();
  hashAll(open());
  const [table] = readdirSync(store.path('contexts'));
  const before = lstatSync(store.path('contexts', table!), { bigint: true });
  hashAll(open());
  assert.deepEqual(lstatSync(store.path('contexts', table!), { bigint: true }).ino, before.ino);
});

test('the same size and mtime with other bytes is noticed', async (t) => {
  const { root, write, open } = place(t);
  write('a', 'one');
  await settle();
  hashAll(open());
  const { atime, mtime } = lstatSync(join(root, 'a'));
  writeFileSync(join(root, 'a'), 'two');
  utimesSync(join(root, 'a'), atime, mtime);
  assert.equal(hashAll(open()).digests.get('a'), sha256('two'));
  // So is a file that takes the place of another.
  await settle();
  hashAll(open());
  write('other', 'six');
  utimesSync(join(root, 'other'), atime, mtime);
  renameSync(join(root, 'other'), join(root, 'a'));
  assert.equal(hashAll(open()).digests.get('a'), sha256('six'));
});

test('a file of the future is read each time', async (t) => {
  const { root, write, open } = place(t);
  write('a', 'one');
  utimesSync(join(root, 'a'), 4102444800, 4102444800);
  await settle();
  hashAll(open());
  assert.deepEqual(hashAll(open()).read, ['a']);
});

test('a thousand edits in a hurry, with sizes and times that lie, never give a stale digest', (t) => {
  const { root, write, open } = place(t);
  let seed = 42;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  const names = ['a', 'b', 'd/c', 'd/e', 'd/f/g'];
  for (const name of names) write(name, '0000');
  for (let edit = 0; edit < 1000; edit++) {
    const name = names[random(names.length)]!;
    const path = join(root, name);
    const { atime, mtime } = lstatSync(path);
    const text = String(random(10000)).padStart(4, '0');
    if (random(3) === 0) {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    } else writeFileSync(path, text);
    if (random(2) === 0) utimesSync(path, atime, mtime);
    if (random(10) === 0) utimesSync(path, atime, new Date(Date.now() + 1e6));
    const { digests } = hashAll(open());
    for (const one of names) assert.equal(digests.get(one), sha256(readFileSync(join(root, one))), `edit ${edit}: ${one}`);
  }
});

test('a file that changes while it is read is refused', (t) => {
  const { write, open } = place(t);
  write('a', 'one');
  const tree = open();
  const found = tree.lookup('a')!;
  tree.verify([found]);
  write('a', 'two!');
  assert.throws(() => tree.verify([found]), { code: 'CONTEXT', message: /"a" changed while it was read/ });
  assert.throws(() => createFileHasher()(found.entry, tree.content(found)), { code: 'CONTEXT', message: /longer/ });
});

test('the store itself is no part of a context that holds it', (t) => {
  const { root, store, write } = place(t);
  write('a', '1');
  write('state/siru.db', '1');
  assert.deepEqual(paths(openContext({ root, store: { ...store, root: join(root, 'state') } })), ['a']);
});
