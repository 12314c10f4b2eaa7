/** Layers on the real file system: what an overlay's upper directory holds survives the way into a tar and back. */
import assert from 'node:assert/strict';
import { chmodSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mount, overlayData, unmount } from '../sys/mount.ts';
import { makeNode } from '../sys/node.ts';
import { readXattrs, setXattr } from '../sys/xattr.ts';
import { applyLayer } from './apply.ts';
import { diffUpper } from './diff.ts';
import type { LayerSummary } from './entry.ts';
import { readLayer } from './read-layer.ts';
import { openToc } from './toc.ts';
import { createLayerWriter } from './writer.ts';

const asRoot = process.platform !== 'linux' ? 'needs Linux' : process.getuid?.() === 0 ? false : 'needs root';

function folder(t: { after(done: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'siru-layer-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function diff(upper: string, epoch?: number): { tar: Buffer; summary: LayerSummary; toc: Buffer } {
  const chunks: Buffer[] = [];
  const writer = createLayerWriter({ write: (bytes) => void chunks.push(Buffer.from(bytes)) });
  diffUpper(upper, writer, epoch === undefined ? {} : { epoch });
  const { summary, toc } = writer.finish();
  return { tar: Buffer.concat(chunks), summary, toc };
}

/** Everything of a tree that a layer keeps. */
function describe(root: string): unknown[] {
  const all: unknown[] = [];
  const walk = (path: string): void => {
    for (const name of readdirSync(join(root, path), { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))) {
      const full = Buffer.concat([Buffer.from(`${root}/${path}${path && '/'}`), name]);
      const text = name.toString('latin1');
      const stat = lstatSync(full);
      if (stat.isSocket()) continue;
      const whiteout = stat.isCharacterDevice() && stat.rdev === 0;
      all.push([
        path, text, whiteout ? 'whiteout' : stat.mode, whiteout ? 0 : [stat.uid, stat.gid, stat.nlink, stat.rdev], stat.isFile() ? readFileSync(full).toString('base64') : '',
        whiteout ? 0 : Math.floor(stat.mtimeMs / 1000), stat.isSymbolicLink() ? readlinkSync(full) : '', readXattrs(full, (key) => !/overlay\.(?:origin|impure)/.test(key)),
      ]);
      if (stat.isDirectory()) walk(join(path, text));
    }
  };
  walk('');
  return all;
}

test('what a step did to an overlay comes out of its layer again', { skip: asRoot }, async (t) => {
  const dir = folder(t);
  const at = (name: string): string => join(dir, name);
  for (const name of ['low', 'up', 'work', 'merged', 'low/a', 'low/a/deep', 'low/b', 'low/kept']) mkdirSync(at(name));
  for (const name of ['low/a/deep/x', 'low/b/y', 'low/gone', 'low/kept/z', 'low/changed']) writeFileSync(at(name), name);
  // The upper directory must not lie on an overlay itself.
  mount(at('merged'), { type: 'tmpfs' });
  for (const name of ['up', 'work', 'over']) mkdirSync(at(`merged/${name}`));
  const over = at('merged/over');
  let mounted = false;
  try {
    mount(over, { type: 'overlay', data: overlayData({ lowers: [at('low')], upper: at('merged/up'), work: at('merged/work') }) });
    mounted = true;
    rmSync(join(over, 'gone'));
    rmSync(join(over, 'a'), { recursive: true });
    mkdirSync(join(over, 'a')); // opaque
    writeFileSync(join(over, 'a/new'), 'new');
    writeFileSync(join(over, 'a-b'), 'between');
    rmSync(join(over, 'b/y'));
    writeFileSync(join(over, 'changed'), 'changed');
    chmodSync(join(over, 'changed'), 0o4750);
    writeFileSync(join(over, 'one'), 'linked');
    linkSync(join(over, 'one'), join(over, 'a/two'));
    symlinkSync('../one', join(over, 'a/link'));
    makeNode(join(over, 'null'), 'char', 0o666, 1, 3);
    makeNode(join(over, 'pipe'), 'fifo', 0o600);
    writeFileSync(join(over, 'caps'), '');
    setXattr(join(over, 'caps'), 'security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex'));
    setXattr(join(over, 'a'), 'trusted.private', Buffer.from('x'));
    writeFileSync(join(over, 'sparse'), '');
    truncateSync(join(over, 'sparse'), 300_000);
    writeFileSync(Buffer.concat([Buffer.from(`${over}/raw`), Buffer.from([0xff, 0x0a])]), 'bytes');
    utimesSync(join(over, 'one'), 5, new Date(-1000));
    const socket = createServer();
    socket.unref();
    await new Promise<void>((resolve) => socket.listen(join(over, 'sock'), resolve));
    await new Promise((resolve) => socket.close(resolve)); // takes the name away
    unmount(over);
    mounted = false;
    const { tar, summary, toc } = diff(at('merged/up'));
    const entries = [...openToc(toc)];
    assert.deepEqual(entries.map(({ path, type, opaque }) => [path, type, opaque === true].join(' ')), [
      'a dir true', 'a-b file false', 'a/link symlink false', 'a/new file false', 'a/two file false', 'b dir false', 'b/y whiteout false', 'caps file false',
      'changed file false', 'gone whiteout false', 'null char false', 'one hardlink false', 'pipe fifo false', 'raw\udcff\n file false', 'sparse file false',
    ]);
    const applied = await applyLayer([tar], at('out'), { opaque: 'trusted', diffId: summary.diffId });
    assert.deepEqual(applied.summary, summary);
    assert.deepEqual(applied.toc, toc);
    assert.deepEqual(applied.skipped, { devices: 0, xattrs: {} });
    // An attribute that is not for the layer stays behind.
    const expected = describe(at('merged/up')).map((one) => JSON.stringify(one).replace(/"trusted.private":\{[^}]*\},?/, '').replace(/,(?=\}\]$)/, ''));
    assert.deepEqual(describe(at('out')).map((one) => JSON.stringify(one)), expected);
    assert.deepEqual(diff(at('out')), { tar, summary, toc });
    assert.deepEqual(await readLayer([tar]), { summary, toc });
    // As an overlay's lower directory it gives what the step saw.
    mount(over, { type: 'overlay', data: overlayData({ lowers: [at('low'), at('out')] }) });
    mounted = true;
    assert.deepEqual(readdirSync(over).filter((name) => !name.startsWith('raw')), ['a', 'a-b', 'b', 'caps', 'changed', 'kept', 'null', 'one', 'pipe', 'sparse']);
    assert.deepEqual(readdirSync(join(over, 'a')), ['link', 'new', 'two']);
    assert.deepEqual(readdirSync(join(over, 'b')), []);
  } finally {
    if (mounted) unmount(over, { detach: true });
    unmount(at('merged'), { detach: true });
  }
});

test('newer times are set back to the epoch', (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, 'up'));
  writeFileSync(join(dir, 'up/new'), '');
  writeFileSync(join(dir, 'up/old'), '');
  utimesSync(join(dir, 'up/old'), 7, 7);
  assert.deepEqual([...openToc(diff(join(dir, 'up'), 1000).toc)].map(({ path, mtime }) => [path, mtime]), [['new', 1000], ['old', 7]]);
});

test('what is to be dropped is neither in the layer nor in the tree, and nothing is reached through a link', (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, 'up/var/log'), { recursive: true });
  mkdirSync(join(dir, 'outside'));
  for (const name of ['up/var/log/a.log', 'up/var/log/kept', 'outside/b.log']) writeFileSync(join(dir, name), '');
  symlinkSync(join(dir, 'outside'), join(dir, 'up/link'));
  const writer = createLayerWriter({ write: () => {} });
  diffUpper(join(dir, 'up'), writer, { drop: new Set(['var/log/a.log', 'link/b.log', 'var']) });
  assert.deepEqual([...openToc(writer.finish().toc)].map(({ path }) => path), ['link', 'var', 'var/log', 'var/log/kept']);
  assert.deepEqual(readdirSync(join(dir, 'up/var/log')), ['kept']);
  assert.deepEqual(readdirSync(join(dir, 'outside')), ['b.log']);
});

test('what stands on a layer sees the times that the layer says', (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, 'd'));
  writeFileSync(join(dir, 'd/file'), '');
  symlinkSync('file', join(dir, 'd/link'));
  const { toc } = diff(dir, 1000);
  for (const { path, mtime } of openToc(toc)) assert.deepEqual([mtime, lstatSync(join(dir, path)).mtimeMs], [1000, 1000_000], path);
});

test('a compiled file of Python stays one of its source when that is set back', (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, 'app/__pycache__'), { recursive: true });
  const compiled = (flags: number, mtime: number, size: number): Buffer => {
    const header = Buffer.from('cb0d0d0a000000000000000000000000ffff', 'hex');
    header.writeUInt32LE(flags, 4);
    header.writeUInt32LE(mtime, 8);
    header.writeUInt32LE(size, 12);
    return header;
  };
  const now = 1_700_000_000;
  for (const name of ['a', 'b', 'c', 'old']) writeFileSync(join(dir, `app/${name}.py`), 'pass\n');
  for (const name of ['a', 'b', 'c']) utimesSync(join(dir, `app/${name}.py`), now, now + 0.5);
  utimesSync(join(dir, 'app/old.py'), 7, 7);
  const cases: [name: string, before: Buffer, after: number][] = [
    ['__pycache__/a.cpython-312.pyc', compiled(0, now, 5), 1000],
    ['__pycache__/a.cpython-312.opt-1.pyc', compiled(0, now, 5), 1000],
    ['a.pyc', compiled(0, now, 5), 1000],
    ['__pycache__/b.cpython-312.pyc', compiled(0, now, 6), now], // of another source
    ['__pycache__/c.cpython-312.pyc', compiled(3, now, 5), now], // goes by a digest, not by a time
    ['__pycache__/old.cpython-312.pyc', compiled(0, 7, 5), 7],
    ['__pycache__/gone.cpython-312.pyc', compiled(0, now, 5), now],
  ];
  for (const [name, bytes] of cases) writeFileSync(join(dir, 'app', name), bytes);
  writeFileSync(join(dir, 'app/__pycache__/short.pyc'), 'x');
  diff(dir, 1000);
  for (const [name, before, after] of cases) {
    const bytes = readFileSync(join(dir, 'app', name));
    assert.equal(bytes.readUInt32LE(8), after, name);
    before.writeUInt32LE(after, 8);
    assert.deepEqual(bytes, before, name);
    assert.equal(lstatSync(join(dir, 'app', name)).mtimeMs, 1000_000);
  }
});

test('a layer is not unpacked over something else, and a wrong diff ID is told', async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, 'x'), '');
  await assert.rejects(applyLayer([Buffer.alloc(1024)], dir, { opaque: 'user' }), { code: 'STORE' });
  await assert.rejects(applyLayer([Buffer.alloc(1024)], join(dir, 'new'), { opaque: 'user', diffId: `sha256:${'0'.repeat(64)}` }), { code: 'DIGEST' });
});


test('an attribute of a step that looks like a mark of another kind of mount makes nothing opaque', { skip: asRoot }, (t) => {
  const upper = folder(t);
  for (const space of ['user', 'trusted'] as const) {
    mkdirSync(join(upper, space));
    setXattr(join(upper, space), `${space}.overlay.opaque`, Buffer.from('y'));
  }
  for (const opaque of ['user', 'trusted'] as const) {
    const writer = createLayerWriter({ write: () => {} });
    diffUpper(upper, writer, { opaque });
    const marked = [...openToc(writer.finish().toc)].filter((entry) => entry.opaque).map(({ path }) => path);
    assert.deepEqual(marked, [opaque]);
  }
});
