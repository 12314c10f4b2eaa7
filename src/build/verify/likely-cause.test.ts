import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { causeOfName, likelyCause, type Cause } from './likely-cause.ts';

const now = Date.UTC(2026, 10, 14, 12, 0, 0);
const kind = (before: string | Buffer, after: string | Buffer, path = 'app/file'): Cause['kind'] =>
  likelyCause({ path, before: Buffer.from(before), after: Buffer.from(after), from: 0, times: [now, now + 5000] }).kind;

test('times in texts are recognised in the forms that programs write', () => {
  for (const [before, after] of [
    ['built 2026-11-14T12:00:00Z', 'built 2026-11-14T12:00:05Z'],
    ['Sat Nov 14 12:00:00 UTC 2026\n', 'Sat Nov 14 12:00:05 UTC 2026\n'],
    ['Fri, 13 Nov 2026 23:59:59 GMT', 'Sat, 14 Nov 2026 00:00:01 GMT'],
    ['{"at":1794657600,"ms":1794657600123}', '{"at":1794657605,"ms":1794657605999}'],
    ['version 20261114120000', 'version 20261114120005'],
    ['14/11/2026 12:00', '15/11/2026 12:01'],
    ['took at 12:00:00.123', 'took at 12:00:05.4'],
  ] as const) assert.equal(kind(before, after), 'time', before);
});

test('other causes in texts', () => {
  assert.equal(kind('b\na\nc\n', 'a\nb\nc\n'), 'order');
  assert.equal(kind("{'x', 'y', 'z'}", "{'y', 'z', 'x'}"), 'order');
  assert.equal(kind('id=6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'id=0e37df36-f698-11e6-8dd4-cb9ced3df976'), 'random');
  assert.equal(kind('in /tmp/build-x81j2/src', 'in /tmp/build-aa02k/src'), 'directory');
  assert.equal(kind('1.234,5 MB', '1,234.5 MB'), 'locale');
  assert.equal(kind('done in 12 ms', 'done in 347 ms'), 'number');
  assert.equal(kind('seed=Zk81hqPwT7xLmB2vAq==', 'seed=0aHq7Pz1Lw9vTt3kXy=='), 'random');
  assert.equal(kind('one', 'another thing'), 'unknown');
});

test('formats and numbers in binary files', () => {
  const one = gzipSync('text');
  const two = Buffer.from(one);
  one.writeUInt32LE(now / 1000, 4);
  two.writeUInt32LE(now / 1000 + 5, 4);
  assert.equal(kind(one, two), 'archive');
  assert.equal(kind('PK\x03\x04\0\0one', 'PK\x03\x04\0\0two'), 'archive');
  assert.equal(kind('!<arch>\nx\0a', '!<arch>\nx\0b'), 'archive');
  const stamp = (seconds: number): Buffer => {
    const bytes = Buffer.alloc(64, 7);
    bytes[0] = 0;
    bytes.writeUInt32BE(seconds, 32);
    return bytes;
  };
  assert.equal(kind(stamp(now / 1000), stamp(now / 1000 + 5)), 'time');
  assert.equal(kind(stamp(77), stamp(78)), 'unknown');
  assert.equal(kind('\0\0Nov 14 2026\0 12:00:00\0rest', '\0\0Nov 14 2026\0 12:00:05\0rest'), 'time');
  assert.equal(kind('\x00abc', '\x00abd', 'app/__pycache__/a.cpython-312.pyc'), 'python');
});

test('files that are known to differ', () => {
  for (const [path, wanted] of [
    ['var/cache/ldconfig/aux-cache', 'machine'], ['var/log/dpkg.log', 'time'], ['etc/machine-id', 'random'], ['etc/ssh/ssh_host_rsa_key', 'random'], ['var/lib/apt/lists/x_InRelease', 'package list'], ['src/.git/index', 'machine'],
  ] as const) assert.equal(kind('a', 'b', path), wanted, path);
});

test('names that only one of the builds has', () => {
  assert.equal(causeOfName('tmp/tmp.Xk81jq', ['tmp/tmp.0aLm2Z'])?.kind, 'random');
  assert.equal(causeOfName('var/log/build-2026-11-14.log', ['var/log/build-2026-11-15.log'])?.kind, 'time');
  assert.equal(causeOfName('new', ['old']), undefined);
});
