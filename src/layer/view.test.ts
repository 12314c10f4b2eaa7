/** The merged view of layers, compared with what overlayfs makes of the same layers. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { mount, mountFlags, overlayData, unmount } from '../sys/mount.ts';
import { applyLayer } from './apply.ts';
import type { Entry } from './entry.ts';
import { contentOf, entriesArbitrary } from './arbitrary.suite.ts';
import { decodePath, fsPath } from './path-bytes.ts';
import { encodeToc, openToc } from './toc.ts';
import type { Toc, View } from './toc-contract.ts';
import { createView } from './view.ts';
import { createLayerWriter } from './writer.ts';

const zero = `sha256:${'0'.repeat(64)}` as const;
const asRoot = process.platform !== 'linux' ? 'needs Linux' : process.getuid?.() === 0 ? false : 'needs root';

/** `d:` directories, `l:x>y` links, `w:` whiteouts, `o:` opaque directories, `h:x>y` hard links, else files. */
function tocOf(...short: string[]): Toc {
  const entries = short.map((text): Entry => {
    const [, kind = 'f', path = '', link] = /^(?:([dlwoh]):)?([^>]*)(?:>(.*))?$/.exec(text)!;
    const type = ({ f: 'file', d: 'dir', o: 'dir', l: 'symlink', w: 'whiteout', h: 'hardlink' } as const)[kind as 'f']!;
    return {
      path, type, mode: 0o644, uid: 0, gid: 0, size: type === 'file' ? 3 : 0, mtime: 0,
      ...(link !== undefined && { link }), ...(kind === 'o' && { opaque: true }), ...(type === 'file' && { digest: zero, offset: 512 }),
    };
  });
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  return openToc(encodeToc(entries, { diffId: zero, treeDigest: zero, size: 0, entries: entries.length }));
}

const all = (view: View): string[] => [...view.below('')].map(({ entry, layer }) => `${entry.path}@${layer}`);

test('upper layers hide what they replace or delete', () => {
  const view = createView([
    tocOf('d:a', 'a/x', 'a/y', 'd:b', 'b/z', 'd:c', 'c/k', 'f'),
    tocOf('d:a', 'w:a/x', 'a/n', 'b', 'o:c', 'c/m', 'd:f', 'f/g'),
    tocOf('w:nothing', 'd:f', 'f/h'),
  ]);
  assert.deepEqual(all(view), ['a@1', 'a/n@1', 'a/y@0', 'b@1', 'c@1', 'c/m@1', 'f@2', 'f/g@1', 'f/h@2']);
  assert.equal(view.lookup('a/x'), undefined);
  assert.equal(view.lookup('b/z'), undefined);
  assert.equal(view.lookup('c/k'), undefined);
  assert.equal(view.lookup('f')?.layer, 2);
  assert.equal(view.lookup('f/g')?.layer, 1);
  assert.deepEqual(view.children('f').map(({ entry }) => entry.path), ['f/g', 'f/h']);
  assert.deepEqual(view.children('b'), []);
  assert.equal(view.lookup('')?.entry.type, 'dir');
});

test('directories that no layer lists are there all the same, and take their attributes from below', () => {
  const view = createView([tocOf('d:tmp', 'tmp/a', 'l:file>x'), tocOf('tmp/b/c', 'opt/x/y', 'file/z')]);
  assert.deepEqual(all(view), ['file@1', 'file/z@1', 'opt@1', 'opt/x@1', 'opt/x/y@1', 'tmp@0', 'tmp/a@0', 'tmp/b@1', 'tmp/b/c@1']);
  assert.equal(view.lookup('tmp')?.entry.mode, 0o644);
  assert.equal(view.lookup('opt')?.entry.mode, 0o755);
  assert.equal(view.lookup('file')?.entry.type, 'dir');
  assert.equal(view.resolve('opt/x/y').found?.layer, 1);
});

test('hard links are given as the file that they name', () => {
  const view = createView([tocOf('a', 'h:b>a')]);
  assert.deepEqual(view.lookup('b')?.entry, { ...view.lookup('a')!.entry, path: 'b' });
  assert.equal([...view.below('')][1]!.entry.type, 'file');
});

test('links are followed as the kernel would inside the root', () => {
  const view = createView([
    tocOf('d:usr', 'd:usr/bin', 'usr/bin/sh', 'l:bin>usr/bin', 'l:abs>/usr', 'l:usr/up>../../../bin', 'l:loop>loop', 'l:bad>nowhere/x', 'file'),
  ]);
  const path = (from: string, last?: boolean): string => {
    const { path: to, found } = view.resolve(from, last === undefined ? {} : { last });
    return `${to} ${found?.entry.type ?? 'none'}`;
  };
  assert.equal(path('bin/sh'), 'usr/bin/sh file');
  assert.equal(path('/abs/up/../bin/sh'), 'usr/bin/sh file');
  assert.equal(path('usr/up/sh'), 'usr/bin/sh file');
  assert.equal(path('bin', false), 'bin symlink');
  assert.equal(path('bin'), 'usr/bin dir');
  assert.equal(path('../../bin/../../..'), ' dir');
  assert.equal(path('bad'), 'nowhere/x none');
  assert.equal(path('bin/new/deeper'), 'usr/bin/new/deeper none');
  assert.equal(path('file/below'), 'file/below none');
  assert.equal(view.lookup('bin/sh'), undefined);
  assert.throws(() => view.resolve('loop/x'), { code: 'LAYER' });
});

test('no layers make an empty root', () => {
  const view = createView([]);
  assert.deepEqual(all(view), []);
  assert.equal(view.resolve('a/b').path, 'a/b');
});

test('random layers look as overlayfs shows them', { skip: asRoot }, async () => {
  const base = mkdtempSync(join(tmpdir(), 'siru-view-'));
  mount(base, { type: 'tmpfs', flags: mountFlags.nosuid });
  let round = 0;
  try {
    const layer = entriesArbitrary({ types: ['file', 'dir', 'symlink', 'whiteout', 'fifo'], table: false, plain: true }).map(withParents);
    await fc.assert(
      fc.asyncProperty(fc.array(layer, { minLength: 1, maxLength: 4 }), async (layers) => {
        const dir = join(base, String(round++));
        mkdirSync(dir);
        const lowers = [join(dir, 'empty')];
        mkdirSync(lowers[0]!);
        const tocs: Toc[] = [];
        for (const entries of layers) {
          const chunks: Buffer[] = [];
          const writer = createLayerWriter({ write: (bytes) => void chunks.push(Buffer.from(bytes)) });
          for (const entry of entries) writer.add(entry, entry.type === 'file' ? { bytes: contentOf(entry) } : undefined);
          const { summary, toc } = writer.finish();
          tocs.push(openToc(toc));
          lowers.push(join(dir, `layer${tocs.length}`));
          const applied = await applyLayer(chunks, lowers.at(-1)!, { opaque: 'trusted', diffId: summary.diffId });
          assert.deepEqual([...openToc(applied.toc)], [...openToc(toc)]);
          assert.deepEqual(applied.summary, summary);
        }
        const merged = join(dir, 'merged');
        mkdirSync(merged);
        mount(merged, { type: 'overlay', data: overlayData({ lowers }) });
        let shown: unknown[];
        try {
          shown = listTree(merged);
        } finally {
          unmount(merged);
        }
        rmSync(dir, { recursive: true });
        const view = createView(tocs);
        const seen = [...view.below('')].map(({ entry: { path, type, mode, uid, gid, size, mtime, link } }) => [path, type, type === 'symlink' ? 0o777 : mode, uid, gid, size, mtime, link]);
        assert.deepEqual(seen, shown);
        for (const found of view.below('')) {
          assert.deepEqual(view.lookup(found.entry.path), found);
          if (found.entry.type === 'dir') {
            const depth = found.entry.path.split('/').length + 1;
            const direct = [...view.below(found.entry.path)].filter(({ entry }) => entry.path.split('/').length === depth);
            assert.deepEqual(view.children(found.entry.path), direct);
          }
        }
      }),
      { numRuns: 60 },
    );
  } finally {
    unmount(base, { detach: true });
    rmSync(base, { recursive: true });
  }
});

/** With all directories listed that something lies in. */
function withParents(entries: Entry[]): Entry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
      const above = path.slice(0, at);
      if (!byPath.has(above)) byPath.set(above, { path: above, type: 'dir', mode: 0o700, uid: 1, gid: 2, size: 0, mtime: 3 });
    }
  }
  return [...byPath.values()].map((entry) => (entry.type === 'file' || entry.type === 'dir' ? entry : { ...entry, xattrs: undefined })).map(strip).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function strip(entry: Entry): Entry {
  const { xattrs, ...rest } = entry;
  // tmpfs keeps user.* since Linux 6.6; the view does not depend on them.
  void xattrs;
  return rest;
}

function listTree(root: string): unknown[] {
  const all: [string, ...unknown[]][] = [];
  const walk = (path: string): void => {
    for (const bytes of readdirSync(fsPath(join(root, path)), { encoding: 'buffer' })) {
      const full = path === '' ? decodePath(bytes) : `${path}/${decodePath(bytes)}`;
      const at = fsPath(`${root}/${full}`);
      const stat = lstatSync(at);
      const type = stat.isFile() ? 'file' : stat.isDirectory() ? 'dir' : stat.isSymbolicLink() ? 'symlink' : stat.isFIFO() ? 'fifo' : 'char';
      const link = type === 'symlink' ? decodePath(readlinkSync(at, { encoding: 'buffer' })) : undefined;
      all.push([full, type, stat.mode & 0o7777, stat.uid, stat.gid, stat.isFile() ? stat.size : 0, Math.floor(stat.mtimeMs / 1000), link]);
      if (type === 'dir') walk(full);
    }
  };
  walk('');
  return all.sort(([a], [b]) => (a < b ? -1 : 1));
}
