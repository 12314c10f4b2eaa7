/** Tars that break the rules, by accident or on purpose: they are refused or tamed, and never touch what lies outside. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyLayer } from './apply.ts';
import { entriesArbitrary } from './arbitrary.suite.ts';
import type { Entry } from './entry.ts';
import { readLayer, type ReadLayerOptions } from './read-layer.ts';
import { openToc } from './toc.ts';
import { largestXattr } from './tar-pax.ts';
import { createTarReader, mostMetadata, type TarMember } from './tar-read.ts';
import { createLayerWriter } from './writer.ts';

interface Raw {
  name: string | Buffer;
  type?: string;
  link?: string;
  mode?: number;
  uid?: string | number;
  size?: string | number;
  mtime?: string;
  magic?: string;
  prefix?: string;
  body?: string | Buffer;
  major?: number;
  minor?: number;
  badSum?: boolean;
}

/** One header as a hostile program would write it, and its body. */
function raw(fields: Raw): Buffer {
  const body = Buffer.from(fields.body ?? '');
  const block = Buffer.alloc(512);
  const octal = (value: string | number, length: number): string => (typeof value === 'string' ? value : `${value.toString(8).padStart(length - 1, '0')}\0`);
  Buffer.from(fields.name).copy(block, 0, 0, 100);
  block.write(octal(fields.mode ?? 0o644, 8), 100, 'latin1');
  block.write(octal(fields.uid ?? 0, 8), 108, 'latin1');
  block.write(octal(0, 8), 116, 'latin1');
  block.write(octal(fields.size ?? body.length, 12), 124, 'latin1');
  block.write(fields.mtime ?? octal(0, 12), 136, 12, 'latin1');
  block.write(fields.type ?? '0', 156, 'latin1');
  block.write(fields.link ?? '', 157, 100, 'latin1');
  block.write(fields.magic ?? 'ustar\x0000', 257, 'latin1');
  block.write(octal(fields.major ?? 0, 8), 329, 'latin1');
  block.write(octal(fields.minor ?? 0, 8), 337, 'latin1');
  block.write(fields.prefix ?? '', 345, 155, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, fields.badSum ? 1 : 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

const pax = (records: Record<string, string>, type = 'x'): Buffer => {
  const body = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest + String(rest).length;
    if (rest + String(length).length !== length) length++;
    return `${length} ${key}=${value}\n`;
  }).join('');
  return raw({ name: 'PaxHeaders/x', type, body });
};
const end = Buffer.alloc(1024);
const tarOf = (...members: (Buffer | Raw)[]): Buffer => Buffer.concat([...members.map((one) => (Buffer.isBuffer(one) ? one : raw(one))), end]);

async function list(tar: Buffer, options: ReadLayerOptions = {}): Promise<Entry[]> {
  return [...openToc((await readLayer([tar], options)).toc)];
}
const names = async (tar: Buffer): Promise<string[]> => (await list(tar)).map(({ path, type, link, opaque }) => `${type}${opaque ? '!' : ''} ${path}${link === undefined ? '' : ` > ${link}`}`);

const refused: [string, Buffer][] = [
  ['a path with ..', tarOf({ name: '../evil' })],
  ['a path with .. in the middle', tarOf({ name: 'a/../../evil' })],
  ['a path that is ..', tarOf({ name: '..', type: '5' })],
  ['a PAX path with ..', tarOf(pax({ path: 'x/../../evil' }), { name: 'good' })],
  ['a GNU long name with ..', tarOf({ name: '././@LongLink', type: 'L', body: '../evil\0' }, { name: 'good' })],
  ['a path with a NUL', tarOf(pax({ path: 'a\0b' }), { name: 'good' })],
  ['a path of 5000 bytes', tarOf(pax({ path: 'a/'.repeat(2500) }), { name: 'good' })],
  ['a file as the root', tarOf({ name: './', type: '0', magic: '' }, { name: '.', type: '2', link: 'x' })],
  ['an empty name', tarOf({ name: '' , type: '2', link: 'x' })],
  ['a hard link to the outside', tarOf({ name: 'h', type: '1', link: '../../etc/passwd' })],
  ['a hard link to what is not there', tarOf({ name: 'h', type: '1', link: '/etc/passwd' })],
  ['a hard link to a directory', tarOf({ name: 'd', type: '5' }, { name: 'h', type: '1', link: 'd' })],
  ['a hard link to itself', tarOf({ name: 'h', type: '1', link: 'h' })],
  ['a hard link in the place of what holds its target', tarOf({ name: 'd/f' }, { name: 'd', type: '1', link: 'd/f' })],
  ['a hard link through a link to the outside', tarOf({ name: 'l', type: '2', link: '/etc' }, { name: 'h', type: '1', link: 'l/passwd' })],
  ['a file below a file', tarOf({ name: 'f' }, { name: 'f/g' })],
  ['a file below a circle of links', tarOf({ name: 'a', type: '2', link: 'b' }, { name: 'b', type: '2', link: 'a' }, { name: 'a/x' })],
  ['a file below a deletion', tarOf({ name: '.wh.a/b' })],
  ['a deletion of ..', tarOf({ name: 'd/.wh...' })],
  ['a deletion of .', tarOf({ name: 'd/.wh..' })],
  ['a deletion of nothing', tarOf({ name: 'd/.wh.' })],
  ['an unknown type', tarOf({ name: 'x', type: 'Q' })],
  ['a link that leads nowhere', tarOf({ name: 'x', type: '2' })],
  ['a symbolic link with a NUL', tarOf(pax({ linkpath: 'a\0b' }), { name: 'x', type: '2', link: 'y' })],
  ['a wrong checksum', tarOf({ name: 'x', badSum: true })],
  ['bytes that are no tar', Buffer.alloc(2048, 'no tar')],
  ['a size that lies', raw({ name: 'x', size: 5000, body: 'short' })],
  ['a huge size', tarOf({ name: 'x', size: '77777777777\0' })],
  ['a size beyond all numbers', tarOf({ name: 'x', size: '\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' })],
  ['a negative size', tarOf({ name: 'x', size: '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' })],
  ['a negative PAX size', tarOf(pax({ size: '-1' }), { name: 'x' })],
  ['a size that is no number', tarOf({ name: 'x', size: '12x45678901\0' })],
  ['a PAX size that is no number', tarOf(pax({ size: '1e3' }), { name: 'x' })],
  ['a negative owner', tarOf({ name: 'x', uid: '\xff\xff\xff\xff\xff\xff\xff\xfe' })],
  ['an owner that no system has', tarOf(pax({ uid: '4294967295' }), { name: 'x' })],
  ['a device number that no system has', tarOf({ name: 'x', type: '3', major: 4096 })],
  ['a PAX record that lies about its length', tarOf(raw({ name: 'p', type: 'x', body: '99 path=x\n' }), { name: 'x' })],
  ['a PAX record without a length', tarOf(raw({ name: 'p', type: 'x', body: 'path=x\n' }), { name: 'x' })],
  ['a PAX record without a key', tarOf(raw({ name: 'p', type: 'x', body: '7 abcd\n' }), { name: 'x' })],
  ['a PAX record of length 0', tarOf(raw({ name: 'p', type: 'x', body: '0 a=b\n' }), { name: 'x' })],
  ['a PAX header of 2 MiB', tarOf(raw({ name: 'p', type: 'x', body: Buffer.alloc(2 << 20) }), { name: 'x' })],
  ['a GNU name of 2 MiB', tarOf(raw({ name: 'p', type: 'L', body: Buffer.alloc(2 << 20, 'a') }), { name: 'x' })],
  ['an attribute without a namespace', tarOf(pax({ 'SCHILY.xattr.__proto__': 'x' }), { name: 'x' })],
  ['something between the zero blocks', Buffer.concat([raw({ name: 'a' }), Buffer.alloc(512), raw({ name: 'b' }), end])],
  ['an end within a header', raw({ name: 'x' }).subarray(0, 300)],
];

for (const [what, tar] of refused) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(list(tar), { code: 'LAYER' });
  });
}

test('sparse files of GNU tar are refused by name', async () => {
  await assert.rejects(list(tarOf({ name: 'holes', type: 'S' })), { code: 'UNSUPPORTED', message: /sparse.*holes/ });
  await assert.rejects(list(tarOf(pax({ 'GNU.sparse.major': '1' }), { name: 'holes' })), { code: 'UNSUPPORTED' });
});

test('names and attributes that would fill the memory are refused', () => {
  const large = pax({ 'SCHILY.xattr.user.a': 'x'.repeat(largestXattr), 'SCHILY.xattr.user.b': 'x'.repeat(largestXattr) });
  const member = Buffer.concat([large, raw({ name: 'x' })]);
  let members = 0;
  const reader = createTarReader({ member: () => void members++ });
  assert.throws(() => {
    for (;;) reader.push(member);
  }, new RegExp(`LAYER|more than ${mostMetadata} bytes`));
  assert.equal(members, Math.floor(mostMetadata / (2 * (largestXattr + 6) + 1)));
});

test('an attribute larger than Linux takes is refused', async () => {
  await assert.rejects(list(tarOf(pax({ 'SCHILY.xattr.user.a': 'x'.repeat(largestXattr + 1) }), { name: 'x' })), { code: 'LAYER', message: new RegExp(` ${largestXattr} `) });
});

test('a PAX header that claims a gigabyte is refused at once', async () => {
  await assert.rejects(list(tarOf({ name: 'p', type: 'x', size: '10000000000\0' })), { code: 'LAYER', message: /1 MiB/ });
});

test('too many entries are refused before they fill the memory', async () => {
  await assert.rejects(list(tarOf({ name: 'a' }, { name: 'b' }, { name: 'c' }), { maxEntries: 2 }), { code: 'LAYER' });
  await assert.rejects(list(tarOf({ name: 'a/b/c/d' }), { maxEntries: 2 }), { code: 'LAYER' });
});

test('odd but honest forms are understood', async () => {
  assert.deepEqual(await names(tarOf({ name: '/abs/./path//x' }, { name: './', type: '5' }, { name: './y' })), ['dir ', 'file abs/path/x', 'file y']);
  assert.deepEqual(await names(tarOf({ name: 'old/', type: '\0', magic: '' }, { name: 'old/f', type: '\0', magic: '' })), ['dir old', 'file old/f']);
  assert.deepEqual(await names(tarOf({ name: 'f', prefix: 'p/q' }, { name: 'g', prefix: '13737477', magic: 'ustar  \0' })), ['file g', 'file p/q/f']);
  assert.deepEqual(await names(tarOf({ name: 'L', type: 'L', body: `${'n'.repeat(200)}\0` }, { name: 'K', type: 'K', body: `${'t'.repeat(150)}\0` }, { name: 'x', type: '2', link: 't' })), [`symlink ${'n'.repeat(200)} > ${'t'.repeat(150)}`]);
  assert.deepEqual(await names(Buffer.alloc(0)), []);
  assert.deepEqual(await names(raw({ name: 'no end mark', body: 'x' })), ['file no end mark']);
  assert.deepEqual(await names(Buffer.concat([tarOf({ name: 'a' }), Buffer.from('trailing bytes')])), ['file a']);
  const [one] = await list(tarOf({ name: 'a', uid: '\x80\0\0\0\0\x2d\xc6\xc0', mtime: '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff', mode: 0o104755 }));
  assert.deepEqual([one!.uid, one!.mtime, one!.mode], [3_000_000, -1, 0o4755]);
  const list2 = await list(tarOf(pax({ mtime: '7', gid: '9', path: 'ignored' }, 'g'), { name: 'a' }, pax({ mtime: '-1.5', 'SCHILY.xattr.user.x': 'v=1', comment: 'x' }), { name: 'b' }, { name: 'c' }));
  assert.deepEqual(list2.map(({ path, mtime, gid, xattrs }) => [path, mtime, gid, xattrs?.['user.x']?.toString()]), [['a', 7, 9, undefined], ['b', -2, 9, 'v=1'], ['c', 7, 9, undefined]]);
});

test('later members replace earlier ones', async () => {
  assert.deepEqual(await names(tarOf({ name: 'd', type: '5' }, { name: 'd/x' }, { name: 'd', type: '5', mode: 0o700 })), ['dir d', 'file d/x']);
  assert.deepEqual(await names(tarOf({ name: 'd/x' }, { name: 'd' })), ['file d']);
  assert.deepEqual(await names(tarOf({ name: 'd' }, { name: 'd', type: '5' }, { name: 'd/y' })), ['dir d', 'file d/y']);
  // The other name keeps the file whose first name was taken.
  assert.deepEqual(await names(tarOf({ name: 'a', body: '1' }, { name: 'b', type: '1', link: 'a' }, { name: 'a', body: '22' })), ['file a', 'file b']);
  assert.deepEqual(await names(tarOf({ name: 'z', body: '1' }, { name: 'a', type: '1', link: 'z' })), ['file a', 'hardlink z > a']);
});

test('deletions speak of the layers below, wherever they stand', async () => {
  assert.deepEqual(await names(tarOf({ name: '.wh.a' }, { name: 'd/.wh.b' }, { name: 'd', type: '5' })), ['whiteout a', 'dir d', 'whiteout d/b']);
  assert.deepEqual(await names(tarOf({ name: 'd', type: '5' }, { name: 'd/new' }, { name: '.wh.d' })), ['dir! d', 'file d/new']);
  assert.deepEqual(await names(tarOf({ name: '.wh.f' }, { name: 'f' })), ['file f']);
  assert.deepEqual(await names(tarOf({ name: 'd/new' }, { name: 'd/.wh..wh..opq' })), ['dir! d', 'file d/new']);
  assert.deepEqual(await names(tarOf({ name: '.wh..wh.plnk/1.2' }, { name: '.wh..wh.aufs' })), []);
  assert.deepEqual(await names(tarOf({ name: 'c', type: '3' })), ['whiteout c']);
});

test('attributes of overlayfs never come from outside', async () => {
  const [one] = await list(tarOf(pax({ 'SCHILY.xattr.trusted.overlay.redirect': '/etc', 'SCHILY.xattr.user.overlay.opaque': 'y', 'SCHILY.xattr.user.mine': 'x' }), { name: 'd', type: '5' }));
  assert.deepEqual(Object.keys(one!.xattrs!), ['user.mine']);
});

test('nothing outside the target is touched, whatever the links', async () => {
  const base = mkdtempSync(join(tmpdir(), 'siru-hostile-'));
  try {
    mkdirSync(join(base, 'outside'));
    writeFileSync(join(base, 'outside/kept'), 'kept');
    const out = join(base, 'outside');
    const up = '../'.repeat(20);
    const tries: Raw[][] = [
      [{ name: 'l', type: '2', link: out }, { name: 'l/evil', body: 'x' }],
      [{ name: 'l', type: '2', link: `${up}${out.slice(1)}` }, { name: 'l/kept', body: 'x' }],
      [{ name: 'l', type: '2', link: out }, { name: 'h', type: '2', link: 'l' }, { name: 'h/evil', type: '5' }],
      [{ name: 's', type: '2', link: out }, { name: 'h', type: '1', link: 's' }, { name: 'h/evil', body: 'x' }],
      [{ name: 'd', type: '5' }, { name: 'd/l', type: '2', link: out }, { name: 'd/l/.wh.kept' }],
      [{ name: 'l', type: '2', link: join(out, 'kept') }, { name: 'l', body: 'x' }],
      [{ name: 'l', type: '2', link: out }, { name: 'l', type: '5' }, { name: 'l/evil', body: 'x' }],
      [{ name: 'a/b/c', body: '1' }, { name: 'a/b', type: '2', link: out }, { name: 'a/b/c', body: '2' }],
      [{ name: 'x', type: '2', link: '/' }, { name: `x/${out.slice(1)}/evil`, body: 'x' }],
      [{ name: 'x', type: '2', link: 'y/z' }, { name: 'y/z', type: '2', link: up }, { name: `x/${out.slice(1)}/evil`, body: 'x' }],
      [{ name: 'l', type: '2', link: out }, { name: 'l/evil/.wh..wh..opq' }],
    ];
    for (const [i, members] of tries.entries()) {
      const target = join(base, `target${i}`);
      const { toc } = await applyLayer([tarOf(...members)], target, { opaque: 'user', owners: false });
      assert.deepEqual(readdirSync(out), ['kept'], JSON.stringify(members));
      assert.equal(readFileSync(join(out, 'kept'), 'utf8'), 'kept');
      for (const { path, type } of openToc(toc)) {
        if (type !== 'whiteout') assert.ok(lstatSync(join(target, path)), path);
        // No entry of the table lies behind a link.
        for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) assert.ok(lstatSync(join(target, path.slice(0, at))).isDirectory());
      }
    }
    assert.equal(existsSync(join(base, 'evil')), false);
  } finally {
    rmSync(base, { recursive: true });
  }
});

test('a tar with any bytes changed gives a layer or an error of ours', async () => {
  const chunks: Buffer[] = [];
  const writer = createLayerWriter({ write: (bytes) => void chunks.push(Buffer.from(bytes)) });
  for (const one of fc.sample(entriesArbitrary({ table: false, types: ['file', 'dir', 'symlink', 'fifo', 'whiteout'] }), { numRuns: 1, seed: 7 })[0]!) {
    writer.add(one, one.type === 'file' ? { bytes: Buffer.alloc(one.size) } : undefined);
  }
  writer.finish();
  const tar = Buffer.concat(chunks);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.boolean(), async (changes, mend) => {
      const copy = Buffer.from(tar);
      for (const [at, byte] of changes) {
        copy[at] = byte;
        if (!mend) continue;
        const start = at - (at % 512);
        copy.fill(' ', start + 148, start + 156);
        const sum = copy.subarray(start, start + 512).reduce((total, one) => total + one, 0);
        copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, start + 148, 'latin1');
      }
      try {
        await readLayer([copy]);
      } catch (error) {
        assert.match(String((error as { code?: unknown }).code), /^(?:LAYER|UNSUPPORTED)$/, String((error as Error).stack));
      }
    }),
    { numRuns: 1000 },
  );
});

test('what GNU tar writes in each of its formats is read', { skip: spawnSync('tar', ['--version']).stdout?.includes('GNU tar') ? false : 'needs GNU tar' }, () => {
  const base = mkdtempSync(join(tmpdir(), 'siru-gnu-'));
  try {
    const deep = join('src', 'd'.repeat(110), 'e'.repeat(110));
    mkdirSync(join(base, deep), { recursive: true });
    writeFileSync(join(base, deep, 'file'), 'content');
    writeFileSync(join(base, 'src/ünï'), Buffer.alloc(3000, 'x'));
    for (const format of ['gnu', 'oldgnu', 'pax', 'posix']) {
      const tar = execFileSync('tar', ['-C', base, `--format=${format}`, '--mtime=1960-01-01 00:00:00Z', '-cf', '-', 'src'], { maxBuffer: 1 << 26 });
      const members: TarMember[] = [];
      let content = '';
      const reader = createTarReader({ member: (one) => void members.push(one), content: (bytes, one) => void (one.path.endsWith('/file') && (content += Buffer.from(bytes).toString())) });
      for (let at = 0; at < tar.length; at += 333) reader.push(tar.subarray(at, at + 333));
      reader.end();
      assert.deepEqual(members.map(({ path }) => path).sort(), ['src', join('src', 'd'.repeat(110)), deep, join(deep, 'file'), 'src/ünï'].sort(), format);
      assert.ok(members.every(({ mtime }) => mtime === -315619200), format);
      assert.equal(content, 'content');
    }
  } finally {
    rmSync(base, { recursive: true });
  }
});
