/** The binary table of contents: what goes in comes out, and damage is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Entry, LayerSummary } from './entry.ts';
import { entriesArbitrary } from './arbitrary.suite.ts';
import { encodeToc, openToc } from './toc.ts';

const zero = `sha256:${'0'.repeat(64)}` as const;
const summary: LayerSummary = { diffId: zero, size: 1024, treeDigest: `sha256:${'a'.repeat(64)}`, entries: 0 };
const entry = (path: string, more: Partial<Entry> = {}): Entry => ({ path, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0, ...more });
const paths = (entries: Iterable<Entry>): string[] => [...entries].map(({ path }) => path);

test('a table gives back what was put in, in order and by name', () => {
  fc.assert(
    fc.property(entriesArbitrary(), (entries) => {
      const bytes = encodeToc(entries, { ...summary, entries: entries.length, newest: -5 });
      const toc = openToc(bytes);
      assert.deepEqual([...toc], entries);
      assert.deepEqual(toc.summary, { ...summary, entries: entries.length, newest: -5 });
      for (const one of entries) assert.deepEqual(toc.lookup(one.path), one);
      assert.equal(toc.lookup('no such'), undefined);
      for (const { path } of entries) {
        const inside = (other: string): boolean => path === '' ? other !== '' : other.startsWith(`${path}/`);
        const below = paths(entries).filter(inside);
        assert.deepEqual(paths(toc.below(path)), below);
        const depth = path === '' ? 0 : path.split('/').length;
        assert.deepEqual(paths(toc.children(path)), below.filter((other) => other.split('/').length === depth + 1));
        assert.deepEqual(paths(toc.from(path)), paths(entries).filter((other) => other >= path));
      }
      assert.deepEqual(encodeToc(toc, toc.summary), bytes);
    }),
  );
});

test('an empty table is a table', () => {
  const toc = openToc(encodeToc([], summary));
  assert.deepEqual([...toc], []);
  assert.equal(toc.lookup(''), undefined);
  assert.deepEqual([...toc.children('')], []);
});

test('names between a directory and what it holds do not get lost', () => {
  const toc = openToc(encodeToc(['a', 'a-b', 'a-b/x', 'a.c', 'a/b', 'a/b/c', 'a0'].map((path) => entry(path)), summary));
  assert.deepEqual(paths(toc.children('')), ['a', 'a-b', 'a.c', 'a0']);
  assert.deepEqual(paths(toc.children('a')), ['a/b']);
  assert.deepEqual(paths(toc.below('a')), ['a/b', 'a/b/c']);
});

test('entries out of order are refused', () => {
  assert.throws(() => encodeToc([entry('b'), entry('a')], summary), { code: 'LAYER' });
  assert.throws(() => encodeToc([entry('a'), entry('a')], summary), { code: 'LAYER' });
});

test('a table that was cut or changed gives an error of the store, never another', () => {
  const entries: Entry[] = [];
  for (let i = 0; i < 100; i++) {
    entries.push(entry(`dir${String(i).padStart(3, '0')}/ü${i}`, { type: 'file', size: i, digest: zero, offset: i * 1024, mtime: i - 50 }));
  }
  const bytes = encodeToc(entries, { ...summary, entries: 100 });
  for (let length = 0; length < bytes.length; length += 7) {
    assert.throws(() => openToc(bytes.subarray(0, length)), { code: 'STORE' });
  }
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
      const copy = Buffer.from(bytes);
      for (const [at, byte] of changes) copy[at] = byte;
      try {
        const toc = openToc(copy);
        toc.lookup('dir050/ü50');
        assert.ok([...toc].length <= 100);
        assert.ok([...toc.children('')].length <= 100);
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'STORE', String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('a table is compact and quick', () => {
  const entries: Entry[] = [];
  for (let i = 0; i < 100_000; i++) {
    entries.push(entry(`usr/lib/node_modules/package-${String(i % 800).padStart(3, '0')}/lib/file-${i}.js`, { type: 'file', mode: 0o644, size: i, digest: zero, offset: i * 4096, mtime: 1_700_000_000 + i }));
  }
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const bytes = encodeToc(entries, { ...summary, entries: entries.length });
  assert.ok(bytes.length < 75 * entries.length, `${bytes.length} bytes`);
  const time = (run: () => void): number => {
    let best = Infinity;
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      run();
      best = Math.min(best, performance.now() - start);
    }
    return best;
  };
  const lookup = time(() => assert.ok(openToc(bytes).lookup('usr/lib/node_modules/package-077/lib/file-77.js') === undefined || true));
  const iterate = time(() => assert.equal([...openToc(bytes)].length, entries.length));
  // Wide margins: the machine may be busy.
  assert.ok(lookup < 1, `open and look up: ${lookup} ms`);
  assert.ok(iterate < 200, `iterate: ${iterate} ms`);
});
