/** The tar that the writer makes: golden bytes, what other programs read in it, and the way back. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../oci/digest.ts';
import { contentOf, entriesArbitrary } from './arbitrary.suite.ts';
import type { Entry, LayerSummary } from './entry.ts';
import { encodePath } from './path-bytes.ts';
import { readLayer } from './read-layer.ts';
import { encodeToc, openToc } from './toc.ts';
import { treeDigest } from './tree-digest.ts';
import { createLayerWriter } from './writer.ts';
import type { Content } from './writer-contract.ts';

const entry = (path: string, more: Partial<Entry> = {}): Entry => ({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0, ...more });

function write(entries: Entry[], content: (entry: Entry) => Content | undefined = (one) => ({ bytes: contentOf(one) })): { tar: Buffer; summary: LayerSummary; toc: Buffer } {
  const chunks: Buffer[] = [];
  const writer = createLayerWriter({ write: (bytes) => void chunks.push(Buffer.from(bytes)) });
  for (const one of entries) writer.add(one, one.type === 'file' ? content(one) : undefined);
  const { summary, toc } = writer.finish();
  return { tar: Buffer.concat(chunks), summary, toc };
}

/** Hard links name a file of the list that comes before, with its attributes. */
function withRealLinks(entries: Entry[]): Entry[] {
  let file: Entry | undefined;
  const result: Entry[] = [];
  for (const one of entries) {
    if (one.type === 'file') file = one;
    if (one.type !== 'hardlink') result.push(one.type === 'char' && one.major === 0 && one.minor === 0 ? { ...one, minor: 1 } : one);
    else if (file) result.push(entry(one.path, { type: 'hardlink', mode: file.mode, uid: file.uid, gid: file.gid, mtime: file.mtime, link: file.path }));
  }
  return result;
}

const layers = entriesArbitrary({ table: false }).map(withRealLinks);

test('the bytes of a small layer are settled', () => {
  const { tar, summary } = write([
    entry('app', { type: 'dir', mode: 0o755, mtime: 1700000000 }),
    entry('app/hello', { size: 6, mode: 0o4755, uid: 1000, gid: 1001, mtime: 1700000000 }),
    entry('gone', { type: 'whiteout' }),
    entry('link', { type: 'symlink', mode: 0o777, link: 'app/hello' }),
  ], () => ({ bytes: Buffer.from('hello\n') }));
  assert.equal(tar.length, 7 * 512);
  assert.equal(tar.toString('latin1', 0, 5), 'app/\0');
  assert.equal(tar.toString('latin1', 512 + 100, 512 + 156).replaceAll('\0', '.'), '0004755.0001750.0001751.00000000006.14524770400.011113. ');
  assert.equal(tar.toString('latin1', 257, 265), 'ustar\x0000');
  assert.equal(tar.toString('latin1', 1024, 1030), 'hello\n');
  assert.equal(tar.toString('latin1', 1536, 1545), '.wh.gone\0');
  assert.ok(tar.subarray(-1024).every((byte) => byte === 0));
  assert.equal(summary.diffId, sha256(tar));
  assert.deepEqual({ ...summary, diffId: '', treeDigest: '' }, { diffId: '', size: tar.length, treeDigest: '', entries: 4, newest: 1700000000 });
  // A change here changes the identity of every layer that Siru makes.
  assert.equal(summary.diffId, goldenDiffId);
  assert.equal(summary.treeDigest, goldenTreeDigest);
});
const goldenDiffId = 'sha256:fad118ebb50106c58b461e5a859b3060089c53aec68c360949a13a8437dbae78';
const goldenTreeDigest = 'sha256:4e54ab502fc63b10c0a5af7dc72c78b0a5254cc93786bdd540aef235a1a44110';

test('what is written is read back equal', async () => {
  await fc.assert(
    fc.asyncProperty(layers, fc.integer({ min: 1, max: 5000 }), async (entries, step) => {
      const { tar, summary, toc } = write(entries);
      const pieces = Array.from({ length: Math.ceil(tar.length / step) }, (_, i) => tar.subarray(i * step, (i + 1) * step));
      const back = await readLayer(pieces, { diffId: summary.diffId });
      const list = [...openToc(toc)];
      assert.deepEqual([...openToc(back.toc)], list);
      assert.deepEqual(back.summary, summary);
      assert.deepEqual(back.toc, toc);
      assert.equal(treeDigest(list), summary.treeDigest);
      assert.deepEqual(encodeToc(list, summary), toc);
      assert.deepEqual(list.map(({ digest: _digest, offset: _offset, ...rest }) => rest), entries);
      for (const one of list) {
        if (one.type !== 'file') continue;
        const bytes = tar.subarray(one.offset, one.offset! + one.size);
        assert.deepEqual(bytes, contentOf(one));
        assert.equal(one.digest, sha256(bytes));
      }
    }),
  );
});

test('the tree digest sees everything but times', () => {
  const base: Entry = entry('a', { size: 1, digest: `sha256:${'0'.repeat(64)}`, xattrs: { 'user.a': Buffer.from('x'), 'user.b': Buffer.from('y') } });
  assert.equal(treeDigest([base]), treeDigest([{ ...base, mtime: 99, offset: 512, xattrs: { 'user.b': Buffer.from('y'), 'user.a': Buffer.from('x') } }]));
  const others: Entry[] = [
    { ...base, path: 'b' }, { ...base, mode: 0o600 }, { ...base, uid: 1 }, { ...base, gid: 1 }, { ...base, size: 2 }, { ...base, digest: `sha256:${'1'.repeat(64)}` },
    { ...base, xattrs: { 'user.a': Buffer.from('xy') } }, { ...base, path: '\udcff' }, { ...base, path: '\udcfe' }, entry('a', { type: 'symlink', link: 'x' }), entry('a', { type: 'symlink', link: 'y' }),
    entry('a', { type: 'dir' }), entry('a', { type: 'dir', opaque: true }), entry('a', { type: 'whiteout' }), entry('a', { type: 'hardlink', link: 'x' }),
    entry('a', { type: 'char', major: 1, minor: 2 }), entry('a', { type: 'block', major: 1, minor: 2 }), entry('a', { type: 'char', major: 2, minor: 1 }), entry('a', { type: 'fifo' }),
  ];
  assert.equal(new Set([base, ...others].map((one) => treeDigest([one]))).size, others.length + 1);
  assert.notEqual(treeDigest([]), treeDigest([base]));
});

const go = spawnSync('go', ['version']).status === 0;
const goProgram = `package main
import ("archive/tar"; "io"; "os")
func check(err error) { if err != nil { panic(err) } }
func main() {
	r, w := tar.NewReader(os.Stdin), tar.NewWriter(os.Stdout)
	for {
		h, err := r.Next()
		if err == io.EOF { break }
		check(err)
		n := *h
		n.Format, n.Xattrs, n.PAXRecords = tar.FormatUnknown, nil, map[string]string{}
		for k, v := range h.PAXRecords { if len(k) > 7 && k[:7] == "SCHILY." { n.PAXRecords[k] = v } }
		check(w.WriteHeader(&n))
		_, err = io.Copy(w, r)
		check(err)
	}
	check(w.Close())
}
`;

test("Go's archive/tar writes the same bytes for the same entries", { skip: go ? false : 'needs the go command' }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'siru-go-'));
  try {
    writeFileSync(join(dir, 'main.go'), goProgram);
    execFileSync('go', ['build', '-o', join(dir, 'retar'), join(dir, 'main.go')], { env: { ...process.env, GO111MODULE: 'off', GOFLAGS: '' } });
    fc.assert(
      fc.property(layers, (entries) => {
        const { tar } = write(entries);
        assert.deepEqual(execFileSync(join(dir, 'retar'), { input: tar, maxBuffer: 1 << 28 }), tar);
      }),
      { numRuns: 60 },
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

const sample: Entry[] = [
  entry(`${'d'.repeat(90)}/${'e'.repeat(60)}`, { type: 'dir', mode: 0o1777 }),
  entry(`${'d'.repeat(90)}/${'e'.repeat(60)}/file`, { size: 700, uid: 3_000_000, gid: 4_000_000, mtime: -86400 }),
  entry(`${'long/'.repeat(60)}name`, { size: 3 }),
  entry('raw\udcff', { size: 1 }),
  entry('ünï', { type: 'symlink', mode: 0o777, link: 'x'.repeat(180) }),
].sort((a, b) => (a.path < b.path ? -1 : 1));

test('GNU tar and Python list what was written', { skip: process.platform === 'win32' && 'needs tar' }, (t) => {
  const { tar } = write(sample);
  const python = 'import sys,tarfile\nfor m in tarfile.open(fileobj=sys.stdin.buffer,mode="r|",encoding="utf8",errors="surrogateescape"):\n print(m.name.encode("utf8","surrogateescape").hex(),m.uid,m.gid,m.size,int(m.mtime),oct(m.mode),m.linkname.encode("utf8","surrogateescape").hex())';
  const lines = sample.map((one) => `${encodePath(one.path).toString('hex')} ${one.uid} ${one.gid} ${one.size} ${one.mtime} 0o${one.mode.toString(8)} ${encodePath(one.link ?? '').toString('hex')}`);
  const run = spawnSync('python3', ['-c', python], { input: tar });
  if (run.error) t.diagnostic('python3 is missing');
  else assert.deepEqual(run.stdout.toString().trim().split('\n').map((line) => line.trim()), lines.map((line) => line.trim()), run.stderr.toString());
  const gnu = spawnSync('tar', ['--list', '--quoting-style=literal', '-f', '-'], { input: tar });
  if (gnu.error) t.diagnostic('tar is missing');
  else assert.deepEqual(gnu.stdout.toString('latin1'), sample.map((one) => `${encodePath(one.path).toString('latin1')}${one.type === 'dir' ? '/' : ''}\n`).join(''), gnu.stderr.toString());
});

test('content comes from bytes, files and parts of files alike', () => {
  const dir = mkdtempSync(join(tmpdir(), 'siru-writer-'));
  try {
    const big = Buffer.alloc(2_500_001, 'siru');
    writeFileSync(join(dir, 'f'), Buffer.concat([Buffer.from('12345'), big, Buffer.from('behind')]));
    writeFileSync(join(dir, 'g'), big);
    const fd = openSync(join(dir, 'f'), 'r');
    const entries = [entry('a', { size: 10 }), entry('b', { size: big.length }), entry('c', { size: 513 })];
    const expected = write(entries, (one) => ({ bytes: one.path === 'b' ? big : big.subarray(0, one.size) }));
    assert.deepEqual(write(entries, () => ({ fd, offset: 5 })), expected);
    closeSync(fd);
    writeFileSync(join(dir, 'a'), big.subarray(0, 10));
    writeFileSync(join(dir, 'b'), big);
    writeFileSync(join(dir, 'c'), big.subarray(0, 513));
    assert.deepEqual(write(entries, (one) => ({ file: join(dir, one.path) })), expected);
    // A digest that is given is believed.
    const given = `sha256:${'1'.repeat(64)}` as const;
    assert.equal([...openToc(write([entry('b', { size: big.length, digest: given })], () => ({ bytes: big })).toc)][0]!.digest, given);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a file that changes while it is read is told, whatever its size', () => {
  const dir = mkdtempSync(join(tmpdir(), 'siru-writer-'));
  try {
    for (const size of [0, 1, 511, 512, 100_000, 1 << 20, 3_000_000]) {
      const file = join(dir, 'f');
      writeFileSync(file, Buffer.alloc(size));
      write([entry('f', { size })], () => ({ file }));
      appendFileSync(file, 'x');
      assert.throws(() => write([entry('f', { size })], () => ({ file })), { code: 'CONTEXT', message: /longer/ });
      assert.throws(() => write([entry('f', { size: size + 2 })], () => ({ file })), { code: 'CONTEXT', message: /shorter/ });
    }
    symlinkSync('f', join(dir, 'l'));
    assert.throws(() => write([entry('l', { size: 1 })], () => ({ file: join(dir, 'l') })), { code: 'CONTEXT', message: /symbolic link/ });
    assert.throws(() => write([entry('n', { size: 1 })], () => ({ file: join(dir, 'none') })), { code: 'CONTEXT', message: /"n".*ENOENT/ });
    mkdirSync(join(dir, 'd'));
    assert.throws(() => write([entry('d', { size: 1 })], () => ({ file: join(dir, 'd') })), { code: 'CONTEXT' });
    assert.deepEqual(readdirSync(dir).length, 3);
    assert.ok(readFileSync(join(dir, 'f')).length > 0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('what a layer cannot say is refused', () => {
  const bad: Entry[] = [
    entry('a/.wh.b'), entry('.wh..wh..opq'), entry('a\0b'), entry('', { type: 'file' }), entry('a', { mtime: 1.5 }), entry('a', { type: 'dir', size: -1 }),
    entry('a', { type: 'char', major: 2 ** 21 }), entry('a', { mode: 0o100644 }), entry('a', { type: 'symlink', link: 'x\0' }),
  ];
  for (const one of bad) assert.throws(() => write([one]), { code: 'LAYER' }, JSON.stringify(one));
  assert.throws(() => write([entry('b'), entry('a')]), { code: 'LAYER' });
  assert.throws(() => write([entry('a', { xattrs: { 'user.a=b': Buffer.from('x') } })]), { code: 'LAYER' });
  assert.throws(() => write([entry('a', { xattrs: { 'user.a': Buffer.alloc(1 << 20) } })]), { code: 'LAYER' });
});
