import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entriesArbitrary } from '../../layer/arbitrary.suite.ts';
import type { Entry } from '../../layer/entry.ts';
import { encodeToc, openToc } from '../../layer/toc.ts';
import { treeDigest } from '../../layer/tree-digest.ts';
import { createView } from '../../layer/view.ts';
import { compareEntries, compareTrees, entriesOf } from './compare-trees.ts';
import type { Aspect, TreeChange } from './compare-trees.ts';

const file = (path: string, more: Partial<Entry> = {}): Entry => ({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: 1, mtime: 5, digest: 'sha256:aa', ...more });
const summary = { diffId: `sha256:${'0'.repeat(64)}` as const, size: 0, treeDigest: `sha256:${'0'.repeat(64)}` as const, entries: 0 };

/** The obvious way: everything in maps, every member as text. */
function naive(before: Entry[], after: Entry[], times: boolean): { path: string; type: string }[] {
  const text = (entry: Entry): string => JSON.stringify([
    entry.type, entry.type === 'file' ? [entry.size, entry.digest] : 0,
    entry.type === 'symlink' || entry.type === 'hardlink' ? entry.link : 0,
    entry.type === 'char' || entry.type === 'block' ? [entry.major ?? 0, entry.minor ?? 0] : 0,
    entry.opaque ?? false,
    ...(entry.type === 'whiteout' ? [] : [
      entry.type === 'symlink' ? 0 : entry.mode, entry.uid, entry.gid,
      Object.entries(entry.xattrs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
      times ? entry.mtime : 0,
    ]),
  ]);
  const left = new Map(before.map((entry) => [entry.path, text(entry)]));
  const right = new Map(after.map((entry) => [entry.path, text(entry)]));
  return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((path) => {
    if (!left.has(path)) return [{ path, type: 'added' }];
    if (!right.has(path)) return [{ path, type: 'removed' }];
    return left.get(path) === right.get(path) ? [] : [{ path, type: 'changed' }];
  });
}

/** A list and another that was made from it by edits, so that both have much in common. */
const pairs = fc.tuple(entriesArbitrary(), entriesArbitrary(), fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 60, maxLength: 60 })).map(([before, fresh, edits]) => {
  const byPath = new Map(fresh.filter((_, i) => edits[59 - (i % 60)]! > 6).map((entry) => [entry.path, entry]));
  for (const [i, entry] of before.entries()) {
    const edit = edits[i % 60]!;
    if (edit === 0) continue;
    const edited: Entry = { ...entry };
    if (edit === 1) edited.mode ^= 0o100;
    if (edit === 2) edited.gid += 1;
    if (edit === 3) edited.mtime += 1;
    if (edit === 4 && edited.link !== undefined) edited.link += 'x';
    if (edit === 5 && edited.type !== 'whiteout') edited.xattrs = { 'user.new': Buffer.from('1') };
    byPath.set(edited.path, edited);
  }
  return [before, [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))] as const;
});

test('the changes are those of a comparison by maps', () => {
  fc.assert(fc.property(pairs, fc.boolean(), ([before, after], times) => {
    const found = [...compareTrees(before, after, { times })];
    assert.deepEqual(found.map(({ path, type }) => ({ path, type })), naive(before, after, times));
    for (const { type, before: a, after: b, aspects } of found) {
      assert.deepEqual([a !== undefined, b !== undefined, aspects.length > 0], [type !== 'added', type !== 'removed', type === 'changed']);
    }
  }), { numRuns: 300 });
});

test('turned round, what was added is removed and the aspects are the same', () => {
  fc.assert(fc.property(pairs, ([before, after]) => {
    const turn = ({ path, type, before: a, after: b, aspects }: TreeChange): object => ({ path, type: type === 'added' ? 'removed' : type === 'removed' ? 'added' : type, before: b, after: a, aspects });
    assert.deepEqual([...compareTrees(after, before)].map(turn), [...compareTrees(before, after)].map((change) => ({ before: undefined, after: undefined, ...change })));
  }));
});

test('a tree has no changes against itself, read back from its table too', () => {
  fc.assert(fc.property(entriesArbitrary(), (entries) => {
    assert.deepEqual([...compareTrees(entries, entries, { times: true })], []);
    assert.deepEqual([...compareTrees(entries, openToc(encodeToc(entries, summary)), { times: true })], []);
  }));
});

test('trees without changes have one tree digest', () => {
  fc.assert(fc.property(pairs, ([before, after]) => {
    // The digest has the mode of symbolic links, which no system keeps.
    const plain = (entries: readonly Entry[]): Entry[] => entries.map((entry) => (entry.type === 'symlink' ? { ...entry, mode: 0o777 } : entry));
    const equal = [...compareTrees(before, after)].length === 0;
    assert.equal(treeDigest(plain(before)) === treeDigest(plain(after)), equal);
  }), { numRuns: 300 });
});

test('each member that counts is an aspect of its own', () => {
  const dir = file('x', { type: 'dir', size: 0, digest: undefined });
  const device = file('x', { type: 'char', size: 0, digest: undefined, major: 1, minor: 3 });
  const symlink = file('x', { type: 'symlink', size: 0, digest: undefined, link: 'a' });
  const table: [Entry, Entry, Aspect[]][] = [
    [file('x'), file('x', { digest: 'sha256:bb' }), ['content']],
    [file('x'), file('x', { size: 2 }), ['content']],
    [file('x'), file('x', { mode: 0o755, uid: 1 }), ['mode', 'owner']],
    [file('x'), file('x', { gid: 7 }), ['owner']],
    [file('x'), file('x', { mtime: 6 }), ['time']],
    [file('x'), file('x', { xattrs: { 'security.capability': Buffer.from('1') } }), ['xattrs']],
    [file('x', { xattrs: { a: Buffer.from('1') } }), file('x', { xattrs: { b: Buffer.from('1') } }), ['xattrs']],
    [file('x', { xattrs: {} }), file('x'), []],
    [file('x'), dir, ['type']],
    [dir, { ...dir, opaque: true }, ['opaque']],
    [device, { ...device, minor: 4 }, ['device']],
    [symlink, { ...symlink, link: 'b' }, ['link']],
    [symlink, { ...symlink, mode: 0o755 }, []],
    [file('x'), { ...dir, type: 'whiteout', mode: 0 }, ['type', 'mode']],
  ];
  for (const [a, b, aspects] of table) {
    assert.deepEqual(compareEntries(a, b, { times: true }), aspects);
    assert.deepEqual(compareEntries(b, a, { times: true }), aspects);
  }
  assert.deepEqual(compareEntries(file('x'), file('x', { mtime: 6 })), []);
});

test('attributes with names of the prototype are compared as any other', () => {
  const odd = Object.defineProperty({}, '__proto__', { value: Buffer.from('1'), enumerable: true }) as Record<string, Uint8Array>;
  assert.deepEqual(compareEntries(file('x', { xattrs: odd }), file('x', { xattrs: { toString: Buffer.from('1') } })), ['xattrs']);
  assert.deepEqual(compareEntries(file('x', { xattrs: odd }), file('x', { xattrs: odd })), []);
});

test('a caller that stops early lets go of both trees', () => {
  let open = 0;
  function* entries(): Generator<Entry, undefined> {
    open++;
    try {
      for (let i = 100; i < 200; i++) yield file(String(i), { mode: open });
    } finally {
      open--;
    }
    return undefined;
  }
  for (const change of compareTrees(entries(), entries())) {
    assert.equal(change.type, 'changed');
    break;
  }
  assert.equal(open, 0);
});

test('views are compared as what a container sees', () => {
  const toc = (entries: Entry[]): ReturnType<typeof openToc> => openToc(encodeToc(entries, summary));
  const digest = `sha256:${'a'.repeat(64)}` as const;
  const base = toc([file('a', { digest }), file('b', { digest })]);
  const one = createView([base, toc([{ ...file('a'), type: 'whiteout', mode: 0, size: 0, digest: undefined, mtime: 0 }])]);
  const other = createView([toc([file('b', { digest })])]);
  assert.deepEqual([...compareTrees(entriesOf(one), entriesOf(other))], []);
  assert.deepEqual([...compareTrees(entriesOf(createView([base])), entriesOf(other))].map(({ path, type }) => `${type} ${path}`), ['removed a']);
});
