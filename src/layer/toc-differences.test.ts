import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { sha256 } from '../oci/digest.ts';
import { entriesArbitrary } from './arbitrary.suite.ts';
import type { Entry } from './entry.ts';
import type { Toc } from './toc-contract.ts';
import { tocDifferences } from './toc-differences.ts';
import { encodeToc, openToc } from './toc.ts';

const tocOf = (entries: readonly Entry[]): Toc => openToc(encodeToc(entries, { diffId: sha256(''), treeDigest: sha256(''), size: 0, entries: entries.length }));
const timeless = ({ mtime: _, offset: __, ...entry }: Entry): object => entry;

/** What a reader of whole entries finds. */
function naive(before: Toc, after: Toc): string[] {
  const [old, now] = [before, after].map((toc) => new Map([...toc].map((entry) => [entry.path, entry])));
  const paths = [...new Set([...old!.keys(), ...now!.keys()])].sort();
  return paths.filter((path) => {
    const [a, b] = [old!.get(path), now!.get(path)];
    return !a || !b || !isDeepStrictEqual(timeless(a), timeless(b));
  });
}

const pathOf = ([a, b]: [Entry | undefined, Entry | undefined]): string => (a ?? b)!.path;

test('what differs is what a comparison of all entries finds', () => {
  const some = fc.tuple(entriesArbitrary(), entriesArbitrary(), fc.array(fc.nat(3), { minLength: 1 }));
  fc.assert(fc.property(some, ([base, other, choices]) => {
    // Two lists that have much in common: entries are kept, dropped, given another mode, or taken from the other list.
    const merged = new Map(other.filter((_, i) => choices[i % choices.length] === 0).map((entry) => [entry.path, entry]));
    base.forEach((entry, i) => {
      const choice = choices[i % choices.length];
      if (choice !== 1) merged.set(entry.path, choice === 2 ? { ...entry, mode: entry.mode ^ 1, mtime: 5 } : { ...entry, mtime: 7 });
    });
    const [before, after] = [tocOf(base), tocOf([...merged.values()].sort((a, b) => (a.path < b.path ? -1 : 1)))];
    const found = [...tocDifferences(before, after)];
    assert.deepEqual(found.map(pathOf), naive(before, after));
    for (const [a, b] of found) {
      assert.deepEqual(a, a && before.lookup(a.path));
      assert.deepEqual(b, b && after.lookup(b.path));
    }
    assert.deepEqual([...tocDifferences(before, before)], []);
  }));
});

test('one change in a large tree is found, and of many those that were asked for, with the number of the others', () => {
  const entries = Array.from({ length: 1000 }, (_, i): Entry => ({ path: `d/f${String(i).padStart(4, '0')}`, type: 'file', mode: 0o644, uid: 0, gid: 0, size: 1, mtime: 0, digest: sha256(`${i}`) }));
  const before = tocOf(entries);
  assert.deepEqual([...tocDifferences(before, tocOf(entries.with(500, { ...entries[500]!, digest: sha256('other') })))].map(pathOf), ['d/f0500']);
  assert.deepEqual([...tocDifferences(before, tocOf(entries.toSpliced(3, 1)))].map(pathOf), ['d/f0003']);
  const differences = tocDifferences(before, tocOf(entries.map((entry) => ({ ...entry, mode: 0o664 }))), 2);
  assert.deepEqual([differences.next().done, differences.next().done, differences.next()], [false, false, { done: true, value: 998 }]);
});
