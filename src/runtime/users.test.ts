import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookupGroupId, lookupUserId, resolveUser } from './users.ts';

const files: Record<string, string> = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n\napp:x:1000:1001::/home/app:/bin/sh\n  web:x:33:33:::\nbroken:x:abc:0::/:\n4242:x:7:8::/odd:\n',
  '/etc/group': 'root:x:0:\nadm:x:4:app,web\napp:x:1001:\nmail:x:8:app\nbroken:x:zzz:app\n',
};
const read = (path: string): Uint8Array | undefined => (path in files ? Buffer.from(files[path]!) : undefined);
const none = (): undefined => undefined;

for (const [text, expected] of [
  ['', { uid: 0, gid: 0, groups: [0], home: '/root', name: 'root' }],
  ['root', { uid: 0, gid: 0, groups: [0], home: '/root', name: 'root' }],
  ['app', { uid: 1000, gid: 1001, groups: [1001, 4, 8], home: '/home/app', name: 'app' }],
  ['1000', { uid: 1000, gid: 1001, groups: [1001, 4, 8], home: '/home/app', name: 'app' }],
  ['app:mail', { uid: 1000, gid: 8, groups: [8], home: '/home/app', name: 'app' }],
  ['app:', { uid: 1000, gid: 1001, groups: [1001, 4, 8], home: '/home/app', name: 'app' }],
  ['app:77', { uid: 1000, gid: 77, groups: [77], home: '/home/app', name: 'app' }],
  ['web', { uid: 33, gid: 33, groups: [33, 4], home: '/', name: 'web' }],
  ['5000', { uid: 5000, gid: 0, groups: [0], home: '/' }],
  ['5000:6000', { uid: 5000, gid: 6000, groups: [6000], home: '/' }],
  [':mail', { uid: 0, gid: 8, groups: [8], home: '/root', name: 'root' }],
  // Digits are never a name.
  ['4242', { uid: 4242, gid: 0, groups: [0], home: '/' }],
  ['app:8', { uid: 1000, gid: 8, groups: [8], home: '/home/app', name: 'app' }],
] as const) {
  test(`the user ${JSON.stringify(text)}`, () => assert.deepEqual(resolveUser(text, read), expected));
}

test('an image without the files knows numbers only', () => {
  assert.deepEqual(resolveUser('', none), { uid: 0, gid: 0, groups: [0], home: '/' });
  assert.deepEqual(resolveUser('12:34', none), { uid: 12, gid: 34, groups: [34], home: '/' });
  assert.throws(() => resolveUser('app', none), { code: 'NOT_FOUND' });
});

test('unknown names, damaged lines and impossible numbers are refused', () => {
  assert.throws(() => resolveUser('nobody', read), { code: 'NOT_FOUND', message: /no user "nobody"/ });
  assert.throws(() => resolveUser('app:nogroup', read), { code: 'NOT_FOUND', message: /no group "nogroup"/ });
  assert.throws(() => resolveUser('broken', read), { code: 'NOT_FOUND' });
  assert.throws(() => resolveUser('4294967295', read), { code: 'NOT_FOUND' });
  assert.throws(() => resolveUser('app', () => new Uint8Array(10 * 1024 * 1024 + 1)), { code: 'LAYER' });
});

test('names for --chown', () => {
  assert.deepEqual(lookupUserId('app', read), { uid: 1000, gid: 1001 });
  assert.equal(lookupUserId('1000', read), undefined);
  assert.equal(lookupGroupId('mail', read), 8);
  assert.equal(lookupGroupId('8', read), undefined);
});
