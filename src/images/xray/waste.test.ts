import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entriesArbitrary } from '../../layer/arbitrary.suite.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Toc } from '../../layer/toc-contract.ts';
import { encodeToc, openToc } from '../../layer/toc.ts';
import { createView } from '../../layer/view.ts';
import { measureWaste } from './waste.ts';
import type { Waste } from './waste.ts';

const summary = { diffId: `sha256:${'0'.repeat(64)}` as const, size: 0, treeDigest: `sha256:${'0'.repeat(64)}` as const, entries: 0 };

/** Layers as text: `path size content`, `-path` for a deletion, `path/` for a directory, `path=first` for a hard link; `@owner` at the end. */
function layer(...lines: string[]): Toc {
  const entries = new Map<string, Entry>();
  const base = { mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0 };
  const put = (entry: Entry): void => {
    for (let slash = entry.path.indexOf('/'); slash >= 0; slash = entry.path.indexOf('/', slash + 1)) {
      const path = entry.path.slice(0, slash);
      if (!entries.has(path)) entries.set(path, { ...base, path, type: 'dir', mode: 0o755 });
    }
    entries.set(entry.path, entry);
  };
  for (const line of lines) {
    const [words = '', owner] = line.split(' @');
    const [path = '', size = '0', content = 'a'] = words.split(' ');
    const common = { ...base, uid: Number(owner ?? 0) };
    if (path.startsWith('-')) put({ ...base, path: path.slice(1), type: 'whiteout', mode: 0 });
    else if (path.includes('=')) put({ ...common, path: path.split('=')[0]!, type: 'hardlink', link: path.split('=')[1]! });
    else if (path.endsWith('/')) put({ ...common, path: path.slice(0, -1), type: 'dir', opaque: size === 'opaque' });
    else put({ ...common, path, type: 'file', size: Number(size), digest: `sha256:${Buffer.from(`${content}${size}`).toString('hex').padEnd(64, '0')}` });
  }
  return openToc(encodeToc([...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1)), summary));
}

const short = ({ kind, layer: of, by, files, bytes, places, cache }: Waste): unknown[] => [kind, of, by, files, bytes, places.map(({ path }) => path).join(' '), ...(cache ? [cache.name] : [])];

test('each way to waste bytes is told apart, with layers, files and bytes', () => {
  const { layers, waste, wasted } = measureWaste([
    layer('app/big 90000', 'app/old 50000', 'app/mine 40000', 'app/same 30000', 'keep 10', 'empty 0', 'var/lib/apt/lists/x 20000'),
    layer('-app/big', 'app/old 60000 b', 'app/mine 40000 a @7', 'app/same 30000', '-empty', 'root/.npm/_cacache/index 5000', '-var/lib/apt/lists'),
  ]);
  assert.deepEqual(waste.map(short), [
    ['deleted', 0, 1, 1, 90000, 'app/big'],
    ['rewritten', 0, 1, 1, 50000, 'app/old'],
    ['attributes', 0, 1, 1, 40000, 'app/mine'],
    ['repeated', 0, 1, 1, 30000, 'app/same'],
    ['deleted', 0, 1, 1, 20000, 'var/lib/apt/lists/x', 'apt lists'],
    ['cache', 1, undefined, 1, 5000, 'root/.npm/_cacache/index', 'npm'],
  ]);
  assert.equal(wasted, 235_000);
  assert.deepEqual(layers.map(({ waste: bytes }) => bytes), [230_000, 5000]);
  assert.deepEqual(layers[1], {
    bytes: 135_000, added: { files: 1, bytes: 5000 }, changed: { files: 2, bytes: 100_000 }, repeated: { files: 1, bytes: 30_000 },
    deleted: { files: 3, bytes: 110_000 }, waste: 5000,
  });
});

test('a directory that is deleted as a whole is one place', () => {
  const files = Array.from({ length: 300 }, (_, i) => `opt/app/node_modules/p${i}/index.js 5000`);
  const { waste } = measureWaste([layer('opt/app/main.js 10', ...files), layer('-opt/app/node_modules')]);
  assert.deepEqual(waste.map(short), [['deleted', 0, 1, 300, 1_500_000, 'opt/app/node_modules']]);
  assert.equal(waste[0]!.places[0]!.directory, true);
});

test('bytes of a file that has another name left are not wasted', () => {
  const linked = layer('a 9000', 'b=a', 'c=a');
  assert.equal(measureWaste([linked, layer('-a', '-b')]).wasted, 0);
  assert.deepEqual(measureWaste([linked, layer('-a'), layer('-c'), layer('-b')]).waste.map(short), [['deleted', 0, 3, 1, 9000, 'b']]);
  // The last name is met first: another one is left.
  assert.equal(measureWaste([linked, layer('-c')]).wasted, 0);
  // A store of packages of which everything is linked into the application costs nothing.
  assert.equal(measureWaste([layer('app/x 9000', 'root/.local/share/pnpm/store/x=app/x')]).wasted, 0);
  assert.equal(measureWaste([layer('root/.npm/_cacache/a 9000', 'root/.npm/_cacache/b=root/.npm/_cacache/a')]).wasted, 9000);
});

test('what is deleted in one place and written in another was moved', () => {
  const { waste } = measureWaste([layer('tmp/app.jar 70000 j'), layer('-tmp/app.jar', 'srv/app.jar 70000 j')]);
  assert.deepEqual(waste.map(({ moved }) => moved), [{ files: 1, bytes: 70000, to: 'srv/app.jar' }]);
});

test('a file that is written in three layers wastes two of them', () => {
  const { waste } = measureWaste([layer('a 10000 x'), layer('a 10000 y'), layer('a 10000 z')]);
  assert.deepEqual(waste.map(short), [['rewritten', 0, 1, 1, 10000, 'a'], ['rewritten', 1, 2, 1, 10000, 'a']]);
});

test('a directory in place of a file deletes the file, and the other way round', () => {
  assert.deepEqual(measureWaste([layer('x 9000'), layer('x/y 10')]).waste.map(short), [['deleted', 0, 1, 1, 9000, 'x']]);
  assert.deepEqual(measureWaste([layer('x/y 9000'), layer('x 10')]).waste.map(short), [['deleted', 0, 1, 1, 9000, 'x/y']]);
  assert.deepEqual(measureWaste([layer('x/y 9000'), layer('x/ opaque')]).waste.map(short), [['deleted', 0, 1, 1, 9000, 'x/y']]);
});

test('nothing is wasted in one layer, nor in none', () => {
  assert.deepEqual(measureWaste([]), { layers: [], waste: [], wasted: 0 });
  assert.equal(measureWaste([layer('a 5', 'b/c 5')]).wasted, 0);
});

test('what is wasted is what the merged view does not show', () => {
  fc.assert(fc.property(fc.array(entriesArbitrary(), { maxLength: 5 }), (stack) => {
    const tocs = stack.map((entries) => openToc(encodeToc(entries, summary)));
    const view = createView(tocs);
    let expected = 0;
    for (const [index, entries] of stack.entries()) {
      for (const { path, type, size } of entries) {
        if (type !== 'file') continue;
        const names = [path, ...entries.filter((entry) => entry.type === 'hardlink' && entry.link === path).map((entry) => entry.path)];
        const seen = names.some((name) => {
          const found = view.lookup(name);
          return found?.layer === index && found.entry.type === 'file';
        });
        if (!seen) expected += size;
      }
    }
    const { wasted, layers } = measureWaste(tocs);
    assert.equal(wasted, expected);
    assert.equal(layers.reduce((sum, { waste }) => sum + waste, 0), expected);
    assert.deepEqual(layers.map(({ bytes }) => bytes), stack.map((entries) => entries.reduce((sum, { type, size }) => sum + (type === 'file' ? size : 0), 0)));
  }), { numRuns: 500 });
});
