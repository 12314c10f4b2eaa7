import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entriesArbitrary } from '../../layer/arbitrary.suite.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Found, Toc } from '../../layer/toc-contract.ts';
import { encodeToc, openToc } from '../../layer/toc.ts';
import { createView } from '../../layer/view.ts';
import { compareTrees, entriesOf } from './compare-trees.ts';
import { traceLayers } from './trace.ts';
import type { PathLife } from './trace.ts';

const summary = { diffId: `sha256:${'0'.repeat(64)}` as const, size: 0, treeDigest: `sha256:${'0'.repeat(64)}` as const, entries: 0 };
const tocOf = (entries: Entry[]): Toc => openToc(encodeToc(entries, summary));
const stacks = fc.array(entriesArbitrary(), { maxLength: 5 }).map((layers) => layers.map(tocOf));
const byPath = (a: { path: string }, b: { path: string }): number => (a.path < b.path ? -1 : 1);

/** What the merged view has below a path, and it itself. */
function seen(tocs: readonly Toc[], below = ''): Found[] {
  const view = createView(tocs);
  const self = view.lookup(below);
  return [...(self && tocs.length > 0 ? [self] : []), ...view.below(below)].sort((a, b) => byPath(a.entry, b.entry));
}

const withoutOpaque = ({ opaque: _opaque, ...entry }: Entry): Entry => entry;
const finals = (lives: PathLife[]): Found[] => lives.flatMap(({ final }) => (final ? [final] : [])).sort((a, b) => byPath(a.entry, b.entry));

test('what is left in the end is what the merged view has', () => {
  fc.assert(fc.property(stacks, (tocs) => {
    const lives = [...traceLayers(tocs)];
    assert.equal(new Set(lives.map(({ path }) => path)).size, lives.length);
    assert.deepEqual(finals(lives).filter(({ entry }) => entry.path !== ''), seen(tocs).filter(({ entry }) => entry.path !== ''));
  }), { numRuns: 500 });
});

test('a directory comes before what it holds', () => {
  fc.assert(fc.property(stacks, (tocs) => {
    const before = new Set<string>();
    for (const { path } of traceLayers(tocs)) {
      if (path !== '') assert.ok(before.has(path.slice(0, Math.max(0, path.lastIndexOf('/')))), path);
      before.add(path);
    }
  }));
});

test('the events of a layer are the changes between the view without it and the view with it', () => {
  fc.assert(fc.property(stacks, (tocs) => {
    const lives = [...traceLayers(tocs)];
    for (let layer = 0; layer < tocs.length; layer++) {
      const told = lives.flatMap(({ path, events }) => {
        const of = events.filter((event) => event.layer === layer);
        assert.ok(of.length <= 1);
        return of.filter((event) => event.type !== 'changed' || event.aspects.length > 0).map(({ type }) => ({ path, type }));
      }).filter(({ path }) => path !== '').sort(byPath);
      const [lower, upper] = [layer, layer + 1].map((count) => [...entriesOf(createView(tocs.slice(0, count)))].map(withoutOpaque));
      const changes = [...compareTrees(lower!, upper!)].map(({ path, type }) => ({ path, type }));
      assert.deepEqual(told, changes.filter(({ path }) => path !== ''));
    }
  }), { numRuns: 300 });
});

test('a part is traced as in the whole', () => {
  fc.assert(fc.property(stacks, fc.nat(), (tocs, n) => {
    const whole = [...traceLayers(tocs)];
    if (whole.length === 0) return;
    const { path } = whole[n % whole.length]!;
    const prefix = path === '' ? '' : `${path}/`;
    const wanted = ({ path: of }: PathLife): boolean => of === path || of.startsWith(prefix);
    assert.deepEqual([...traceLayers(tocs, path)].filter(wanted).sort(byPath), whole.filter(wanted).sort(byPath));
  }), { numRuns: 300 });
});

test('nothing is traced of no layers and of empty ones', () => {
  assert.deepEqual([...traceLayers([])], []);
  assert.deepEqual([...traceLayers([tocOf([]), tocOf([])])], []);
  assert.deepEqual([...traceLayers([tocOf([])], 'a/b')], []);
});

test('a directory that is deleted and made again says who took away what was in it', () => {
  const at = { mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 };
  const file = (path: string, digit: string): Entry => ({ ...at, path, type: 'file', size: 1, digest: `sha256:${digit.repeat(64)}` });
  const lives = [...traceLayers([
    tocOf([{ ...at, path: 'd', type: 'dir' }, file('d/x', 'a'), file('d/y', 'a')]),
    tocOf([{ ...at, path: 'd', type: 'dir', opaque: true }, file('d/y', 'b')]),
    tocOf([{ ...at, path: 'd', type: 'whiteout', mode: 0 }]),
  ])];
  const told = lives.filter(({ path }) => path !== '').map(({ path, events, final }) => [path, ...events.map((event) => `${event.layer} ${event.type}${event.type === 'removed' ? ` by ${event.by}` : ''}`), final === undefined]);
  assert.deepEqual(told, [
    ['d', '0 added', '1 changed', '2 removed by d', true],
    ['d/x', '0 added', '1 removed by d', true],
    ['d/y', '0 added', '1 changed', '2 removed by d', true],
  ]);
});

test('deep paths of which no layer lists the directories, and many layers that hide each other', () => {
  const at = { mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 };
  const depth = 1500;
  const deep = Array.from({ length: 40 }, (_, i): Entry => ({ ...at, path: `${String(i).padStart(2, '0')}${'/d'.repeat(depth)}`, type: 'file' }));
  const lives = [...traceLayers([tocOf(deep)])];
  assert.equal(lives.length, 1 + 40 * (depth + 1));
  const chain = Array.from({ length: 400 }, (_, i): Entry => ({ ...at, path: `d${'/d'.repeat(i)}`, type: 'dir', opaque: true }));
  const stack = Array.from({ length: 60 }, () => tocOf(chain));
  assert.equal([...traceLayers(stack)].filter(({ path, final }) => path !== '' && final?.layer === 59).length, 400);
});
