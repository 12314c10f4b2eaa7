/** The system calls of this room, on the real kernel. */
import assert from 'node:assert/strict';
import { closeSync, constants, fstatSync, lstatSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openInside, resolveInside } from './inside-root.ts';
import { tryLock, unlock } from './lock.ts';
import { bindMount, mount, overlayData, unmount } from './mount.ts';
import { deviceNumber, deviceParts, makeNode } from './node.ts';
import { dieWithParent } from './process.ts';
import { exchange, renameNoReplace } from './rename.ts';
import { setFileTime, setTime } from './times.ts';
import { getXattr, listXattrs, readXattrs, removeXattr, setXattr } from './xattr.ts';

const root = process.getuid?.() === 0;
const linux = process.platform === 'linux' ? false : 'needs Linux';
const asRoot = linux || (root ? false : 'needs root');

function folder(t: { after(done: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'siru-sys-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a failed call gives an error like those of node:fs', { skip: linux }, () => {
  assert.throws(() => setXattr('/nowhere/at/all', 'user.a', Buffer.from('x')), {
    code: 'ENOENT', syscall: 'lsetxattr', path: '/nowhere/at/all', errno: -2,
    message: "ENOENT: no such file or directory, lsetxattr '/nowhere/at/all'",
  });
  assert.throws(() => listXattrs('a\0b'), { code: 'EINVAL' });
  assert.throws(() => listXattrs(Buffer.from('a\0b')), { code: 'EINVAL' });
});

test('attributes keep any bytes, on files with any name', { skip: asRoot }, (t) => {
  const dir = folder(t);
  const name = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x66, 0xff])]);
  writeFileSync(name, '');
  assert.equal(readXattrs(name), undefined);
  const value = Buffer.from([0, 1, 255, 0]);
  setXattr(name, 'trusted.a', value);
  setXattr(name, 'trusted.empty', Buffer.alloc(0));
  setXattr(name, 'trusted.long', Buffer.alloc(3000, 7));
  assert.deepEqual(listXattrs(name).sort(), ['trusted.a', 'trusted.empty', 'trusted.long']);
  assert.deepEqual(getXattr(name, 'trusted.a'), value);
  assert.deepEqual(getXattr(name, 'trusted.long'), Buffer.alloc(3000, 7));
  assert.deepEqual(readXattrs(name, (key) => key !== 'trusted.long'), { 'trusted.a': value, 'trusted.empty': Buffer.alloc(0) });
  removeXattr(name, 'trusted.a');
  removeXattr(name, 'trusted.a');
  assert.equal(getXattr(name, 'trusted.a'), undefined);
});

test('a long list of attributes is read whole', { skip: asRoot }, (t) => {
  const file = join(folder(t), 'f');
  writeFileSync(file, '');
  for (let i = 0; i < 30; i++) setXattr(file, `trusted.${'n'.repeat(60)}${i}`, Buffer.from('v'));
  assert.equal(listXattrs(file).length, 30);
});

test('times may lie before 1970 and links are not followed', (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, 'f'), '');
  symlinkSync('f', join(dir, 'l'));
  const before = lstatSync(join(dir, 'f')).mtimeMs;
  setTime(join(dir, 'l'), -315619200);
  assert.equal(lstatSync(join(dir, 'f')).mtimeMs, before);
  assert.equal(lstatSync(join(dir, 'l'), { bigint: true }).mtimeNs, -315619200000000000n);
  const fd = openSync(join(dir, 'f'), 'r+');
  setFileTime(fd, -1);
  assert.equal(fstatSync(fd, { bigint: true }).mtimeNs, -1000000000n);
  closeSync(fd);
});

test('device numbers survive packing', () => {
  for (const [major, minor] of [[0, 0], [1, 3], [8, 300], [4095, 255], [259, 1048575]] as const) {
    assert.deepEqual(deviceParts(Number(deviceNumber(major, minor))), { major, minor });
  }
});

test('special files are made', { skip: asRoot }, (t) => {
  const dir = folder(t);
  makeNode(join(dir, 'null'), 'char', 0o600, 1, 3);
  const stat = lstatSync(join(dir, 'null'));
  assert.ok(stat.isCharacterDevice());
  assert.deepEqual(deviceParts(stat.rdev), { major: 1, minor: 3 });
  makeNode(join(dir, 'pipe'), 'fifo', 0o600);
  assert.ok(lstatSync(join(dir, 'pipe')).isFIFO());
  makeNode(join(dir, 'gone'), 'char', 0, 0, 0);
  assert.equal(lstatSync(join(dir, 'gone')).rdev, 0);
});

test('a lock excludes a second descriptor until it is released', { skip: process.platform === 'win32' && 'no flock on Windows' }, (t) => {
  const file = join(folder(t), 'lock');
  const [a, b] = [openSync(file, 'a'), openSync(file, 'a')];
  assert.equal(tryLock(a), true);
  assert.equal(tryLock(b), false);
  assert.equal(tryLock(b, 'shared'), false);
  unlock(a);
  assert.equal(tryLock(b, 'shared'), true);
  assert.equal(tryLock(a, 'shared'), true);
  closeSync(a);
  assert.equal(tryLock(b), true);
  closeSync(b);
});

test('overlay, bind and tmpfs mounts come and go', { skip: asRoot }, (t) => {
  const dir = folder(t);
  const at = (name: string): string => join(dir, name);
  mkdirSync(at('t'));
  mount(at('t'), { type: 'tmpfs', source: 'tmpfs', data: 'size=4m,mode=755' });
  try {
    useMounts(at);
  } finally {
    unmount(at('t'), { detach: true });
  }
});

function useMounts(at: (name: string) => string): void {
  for (const name of ['t/lo,w:1', 't/low2', 't/up', 't/work', 't/merged', 't/bind']) mkdirSync(at(name));
  writeFileSync(at('t/lo,w:1/a'), 'bottom');
  writeFileSync(at('t/low2/a'), 'top');
  mount(at('t/merged'), { type: 'overlay', source: 'overlay', data: overlayData({ lowers: [at('t/lo,w:1'), at('t/low2')], upper: at('t/up'), work: at('t/work') }) });
  assert.equal(readFileSync(at('t/merged/a'), 'utf8'), 'top');
  writeFileSync(at('t/merged/b'), 'new');
  assert.deepEqual(readdirSync(at('t/up')), ['b']);
  bindMount(at('t/merged'), at('t/bind'), { readonly: true });
  assert.throws(() => writeFileSync(at('t/bind/c'), ''), { code: 'EROFS' });
  unmount(at('t/bind'));
  unmount(at('t/merged'));
  assert.throws(() => unmount(at('t/merged')), { code: 'EINVAL', syscall: 'umount2' });
  assert.throws(() => mount(at('t/merged'), { type: 'overlay', data: 'x'.repeat(5000) }), { code: 'E2BIG' });
}

test('paths are resolved inside the root, by the kernel and without it', { skip: linux }, (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, 'root/etc/deep'), { recursive: true });
  writeFileSync(join(dir, 'root/etc/passwd'), 'inside');
  writeFileSync(join(dir, 'secret'), 'outside');
  symlinkSync('/etc', join(dir, 'root/abs'));
  symlinkSync('../../../../etc/passwd', join(dir, 'root/etc/deep/up'));
  symlinkSync('loop', join(dir, 'root/loop'));
  const at = join(dir, 'root');
  for (const path of ['abs/passwd', '/abs/passwd', 'etc/deep/up', '../../abs/../etc/passwd']) {
    assert.equal(resolveInside(at, path), 'etc/passwd', path);
    const fd = openInside(at, path);
    assert.equal(readFileSync(fd, 'utf8'), 'inside');
    closeSync(fd);
  }
  assert.throws(() => openInside(at, '../secret'), { code: 'ENOENT' });
  assert.equal(resolveInside(at, '../secret'), 'secret');
  assert.equal(resolveInside(at, 'abs', { last: false }), 'abs');
  assert.equal(resolveInside(at, 'abs/', { last: false }), 'abs');
  assert.throws(() => openInside(at, 'loop'), { code: 'ELOOP' });
  assert.throws(() => resolveInside(at, 'loop'), { code: 'ELOOP' });
  closeSync(openInside(at, 'abs/new', constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL, 0o600));
  assert.ok(lstatSync(join(at, 'etc/new')).isFile());
});

test('renames that replace nothing, or exchange', { skip: linux }, (t) => {
  const dir = folder(t);
  const [a, b] = [join(dir, 'a'), join(dir, 'b')];
  mkdirSync(a);
  writeFileSync(b, '');
  assert.throws(() => renameNoReplace(a, b), { code: 'EEXIST', path: a, dest: b });
  exchange(a, b);
  assert.ok(lstatSync(b).isDirectory());
  renameNoReplace(a, join(dir, 'c'));
  assert.deepEqual(readdirSync(dir).sort(), ['b', 'c']);
});

test('a helper may ask to die with its parent', { skip: linux }, () => {
  dieWithParent(process.ppid, 0); // signal 0 takes the wish back, so the test run is left as it was
});
