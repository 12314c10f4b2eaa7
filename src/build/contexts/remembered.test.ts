import assert from 'node:assert/strict';
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readImage } from '../../images/read.ts';
import { resolveImage } from '../../images/resolve.ts';
import { sha256 } from '../../oci/digest.ts';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/store.ts';
import { build } from '../build.ts';
import { openContext } from './directory.ts';
import type { SourceTree } from './source.ts';

interface Place {
  root: string;
  store: Store;
  folder: string;
  write: (path: string, text: string) => void;
  open: () => SourceTree;
}

async function place(t: TestContext): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-remembered-'));
  const root = join(folder, 'context');
  mkdirSync(root);
  const store = await openStore({ root: join(folder, 'store') });
  t.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  return { root, store, folder, write, open: () => openContext({ root, store }) };
}

/** More than what a clock can hide. */
const settle = (): Promise<void> => sleep(150);
const files = sha256('the listing');

/** Looks at all below a path and keeps the answer; gives whether it was recalled instead. */
function ask(tree: SourceTree, path: string): boolean {
  if (tree.memory!.recall(path)) return true;
  const { seen } = tree.memory!.watch(() => {
    const visit = (at: string): void => {
      for (const found of tree.children(at)) {
        if (found.entry.type === 'dir') visit(found.entry.path);
        else if (found.entry.type === 'file' && tree.known(found) === undefined) tree.learn(found, sha256(found.entry.path));
      }
    };
    if (tree.resolve(path).found) visit(path);
  });
  tree.memory!.keep(path, seen, { parts: [{ name: 'x', value: path }], files });
  return false;
}

/** Once more from what the store has; everything is kept. */
function again(open: () => SourceTree, ...paths: string[]): boolean[] {
  const tree = open();
  const recalled = paths.map((path) => ask(tree, path));
  tree.save!(true);
  return recalled;
}

test('what was found is told again until something below it changes', { skip: process.platform !== 'linux' && 'the file systems of Linux only' }, async (t) => {
  const { root, write, open } = await place(t);
  for (const path of ['src/a/x', 'src/a/y', 'src/b/z', 'lib/m', 'top']) write(path, path);
  symlinkSync('a', join(root, 'src/link'));
  mkdirSync(join(root, 'src/empty'));
  await settle();
  assert.deepEqual(again(open, 'src', 'lib', ''), [false, false, false]);
  assert.deepEqual(again(open, 'src', 'lib', ''), [true, true, true]);
  assert.deepEqual(again(open, 'src', 'lib', ''), [true, true, true]);
  const changes: [string, () => void][] = [
    ['another content of the same size and mtime', () => {
      const { atime, mtime } = lstatSync(join(root, 'src/a/x'));
      write('src/a/x', 'SRC/A/X');
      utimesSync(join(root, 'src/a/x'), atime, mtime);
    }],
    ['mode', () => chmodSync(join(root, 'src/b/z'), 0o600)],
    ['mode of a directory', () => chmodSync(join(root, 'src/empty'), 0o700)],
    ['new name in an empty directory', () => write('src/empty/new', '')],
    ['a name less', () => unlinkSync(join(root, 'src/empty/new'))],
    ['moved', () => renameSync(join(root, 'src/a/y'), join(root, 'src/b/y'))],
    ['a second name', () => linkSync(join(root, 'src/a/x'), join(root, 'hard'))],
    ['another target of a link', () => {
      unlinkSync(join(root, 'src/link'));
      symlinkSync('b', join(root, 'src/link'));
    }],
    ['a directory in place of another', () => {
      renameSync(join(root, 'src/a'), join(root, 'old'));
      write('src/a/x', 'src/a/x');
    }],
    ['a link in place of a directory', () => {
      renameSync(join(root, 'src/b'), join(root, 'moved'));
      symlinkSync('../moved', join(root, 'src/b'));
    }],
  ];
  for (const [name, change] of changes) {
    change();
    await settle();
    assert.deepEqual(again(open, 'src', 'lib').slice(0, 2), [false, true], name);
    assert.deepEqual(again(open, 'src', 'lib'), [true, true], `${name}, once more`);
  }
  rmSync(join(root, 'lib'), { recursive: true });
  assert.deepEqual(again(open, 'lib', 'src'), [false, true]);
});

test('what changed while nobody asked for it is noticed later', { skip: process.platform !== 'linux' && 'the file systems of Linux only' }, async (t) => {
  const { write, open } = await place(t);
  for (const path of ['a/b/c/x', 'a/y', 'd/z']) write(path, path);
  await settle();
  again(open, 'a', 'd');
  assert.deepEqual(again(open, 'a', 'd'), [true, true]);
  for (const path of ['a/b/c/new', 'a/b/new', 'a/new', 'new']) {
    write(path, path);
    await settle();
    // This one writes a new table, and looks at d and at the top only.
    write('d/z', path);
    await settle();
    assert.deepEqual(again(open, 'd'), [false], path);
    assert.deepEqual(again(open, 'd'), [true], path);
    assert.deepEqual(again(open, 'a'), [path === 'new'], path);
    assert.deepEqual(again(open, 'a'), [true], path);
  }
});

test('an answer is forgotten when another question meets what changed', { skip: process.platform !== 'linux' && 'the file systems of Linux only' }, async (t) => {
  const { write, open } = await place(t);
  write('a/x', '');
  await settle();
  const keep = (key: string): void => {
    const tree = open();
    tree.memory!.keep(key, tree.memory!.watch(() => tree.children('a')).seen, { parts: [], files });
    tree.save!(true);
  };
  keep('first');
  assert.ok(open().memory!.recall('first'));
  write('a/y', '');
  await settle();
  keep('second');
  assert.ok(open().memory!.recall('second'));
  assert.equal(open().memory!.recall('first'), undefined);
});

test('one of ten thousand files', { skip: process.platform !== 'linux' && 'the file systems of Linux only' }, async (t) => {
  const { root, write, open } = await place(t);
  for (let i = 0; i < 10_100; i++) {
    if (i % 1000 === 0) mkdirSync(join(root, `d${i / 1000}`));
    writeFileSync(join(root, `d${Math.floor(i / 1000)}/f${i}`), 'text');
  }
  write('d3/n\u00e4me', '');
  await settle();
  assert.deepEqual(again(open, 'd3', 'd7', ''), [false, false, false]);
  assert.deepEqual(again(open, 'd3', 'd7', ''), [true, true, true]);
  const { atime, mtime } = lstatSync(join(root, 'd7/f7007'));
  write('d7/f7007', 'TEXT');
  utimesSync(join(root, 'd7/f7007'), atime, mtime);
  await settle();
  assert.deepEqual(again(open, 'd3', 'd7', ''), [true, false, false]);
  assert.deepEqual(again(open, 'd3', 'd7', ''), [true, true, true]);
  unlinkSync(join(root, 'd3/f3003'));
  assert.deepEqual(again(open, 'd3', 'd7'), [false, true]);
});

test('other rules of the ignore file are another question', async (t) => {
  const { write, open } = await place(t);
  for (const path of ['a/x', 'a/y']) write(path, path);
  write('.dockerignore', 'a/x\n');
  await settle();
  again(open, 'a');
  assert.equal(open().memory!.recall('a') !== undefined, process.platform === 'linux');
  write('.dockerignore', 'a/y\n');
  assert.deepEqual(again(open, 'a'), [false]);
  assert.deepEqual(open().children('a').map(({ entry }) => entry.path), ['a/x']);
});

test('a directory that shows for what is in it is looked into each time', async (t) => {
  const { write, open } = await place(t);
  write('.dockerignore', 'a/hidden\n!a/hidden/deep/shown\n');
  write('a/x', '');
  write('a/hidden/deep/other', '');
  await settle();
  again(open, 'a');
  assert.deepEqual(again(open, 'a'), [false]);
  write('a/hidden/deep/shown', '');
  assert.deepEqual(again(open, 'a'), [false]);
  assert.deepEqual([...open().below('a')].map(({ entry }) => entry.path), ['a/hidden', 'a/hidden/deep', 'a/hidden/deep/shown', 'a/x']);
});

const dockerfile = `FROM scratch
COPY src /a/
COPY *.txt lin[k] /b/
COPY --parents src/*/x* /c/
COPY --exclude=**/y* . /d/
`;

test('a hundred edits, in a hurry and with rest: the layers are those of a store that remembers nothing', async (t) => {
  const { root, store, folder, write } = await place(t);
  const outside = join(folder, 'Dockerfile');
  writeFileSync(outside, dockerfile);
  writeFileSync(`${outside}.dockerignore`, '**/*.tmp\n!src/m1/keep.tmp\n');
  let seed = Number(process.env.SIRU_TEST_SEED ?? 7);
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const folders = ['', 'src/', 'src/m0/', 'src/m1/', 'src/m1/deep/'];
  const names = ['x', 'x1', 'y', 'y1', 'a.txt', 'b.txt', 'link', 'keep.tmp', 'other.tmp'];
  for (const at of folders) for (const name of names.slice(0, 4)) write(`${at}${name}`, name);
  write('a.txt', '');
  symlinkSync('src', join(root, 'link'));
  const edit = (): void => {
    const path = join(root, pick(folders) + pick(names));
    const stat = lstatSync(path, { throwIfNoEntry: false });
    switch (random(7)) {
      case 0:
        if (stat && !stat.isDirectory()) unlinkSync(path);
        break;
      case 1:
        if (stat) chmodSync(path, pick([0o644, 0o600, 0o755]));
        break;
      case 2: {
        const to = join(root, pick(folders) + pick(names));
        if (stat && !existsSync(to) && existsSync(dirname(to))) renameSync(path, to);
        break;
      }
      case 3:
        if (!stat && existsSync(dirname(path))) symlinkSync(pick(['x', 'src', '../x', 'y']), path);
        break;
      case 4: {
        const from = join(root, pick(folders) + pick(names));
        if (!stat && existsSync(dirname(path)) && lstatSync(from, { throwIfNoEntry: false })?.isFile()) linkSync(from, path);
        break;
      }
      default: {
        if (stat && !stat.isFile()) break;
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, String(random(1000)).padStart(4, '0'));
        if (stat && random(2) === 0) utimesSync(path, stat.atime, stat.mtime);
      }
    }
  };
  const layersOf = async (of: Store): Promise<string[]> => {
    try {
      const { imageId } = await build({ store: of, context: root, dockerfile: outside });
      return readImage(of, resolveImage(of, imageId!)).layers.map(({ diffId }) => of.layers.get(diffId)!.treeDigest);
    } catch (error) {
      return [(error as Error).message];
    }
  };
  for (let i = 0; i < 100; i++) {
    for (let n = random(3); n >= 0; n--) {
      try {
        edit();
      } catch (error) {
        if (!['ENOTDIR', 'EEXIST', 'ELOOP', 'ENOENT', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    }
    if (random(3) === 0) await settle();
    const fresh = await openStore({ root: join(folder, `fresh-${i}`) });
    const plain = await layersOf(fresh);
    await fresh.close();
    assert.deepEqual(await layersOf(store), plain, `edit ${i}`);
    if (random(3) === 0) assert.deepEqual(await layersOf(store), plain, `edit ${i}, once more`);
  }
  assert.ok(readdirSync(join(store.root, 'contexts')).length > 0);
});
