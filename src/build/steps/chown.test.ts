import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveChown } from './chown.ts';

const files: Record<string, string> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n',
  'etc/group': 'root:x:0:\nstaff:x:50:app\n',
};
const readFile = async (path: string): Promise<Uint8Array | undefined> => (files[path] === undefined ? undefined : Buffer.from(files[path]));
const nothing = async (): Promise<undefined> => undefined;

test('numbers stand for themselves, alone for the group too', async () => {
  assert.deepEqual(await resolveChown('1000', nothing), { uid: 1000, gid: 1000, parts: [] });
  assert.deepEqual(await resolveChown('1000:5', nothing), { uid: 1000, gid: 5, parts: [] });
  assert.deepEqual(await resolveChown('4294967295', nothing), { uid: 0, gid: 0, parts: [{ name: 'user 4294967295', value: 'unknown' }], unknown: ['no user "4294967295": it is root\'s'] });
});

test('names are looked up, and the look-up is a part of the key', async () => {
  assert.deepEqual(await resolveChown('app', readFile), { uid: 1000, gid: 1001, parts: [{ name: 'user app', value: '1000:1001' }] });
  assert.deepEqual(await resolveChown('app:staff', readFile), { uid: 1000, gid: 50, parts: [{ name: 'user app', value: '1000:1001' }, { name: 'group staff', value: '50' }] });
  assert.deepEqual(await resolveChown('7:staff', readFile), { uid: 7, gid: 50, parts: [{ name: 'group staff', value: '50' }] });
});

test('a colon with nothing behind it means group 0', async () => {
  assert.deepEqual(await resolveChown('8:', nothing), { uid: 8, gid: 0, parts: [] });
  assert.deepEqual(await resolveChown('app:', readFile), { uid: 1000, gid: 0, parts: [{ name: 'user app', value: '1000:1001' }] });
});

test('a name that the files lack counts as root, and so it does without files; where there can be none it is refused', async () => {
  assert.deepEqual(await resolveChown('ghost:ghosts', readFile), { uid: 0, gid: 0, parts: [{ name: 'user ghost', value: 'unknown' }, { name: 'group ghosts', value: 'unknown' }], unknown: ['no user "ghost": it is root\'s', 'no group "ghosts": it counts for nothing'] });
  assert.deepEqual(await resolveChown('app', nothing), { uid: 0, gid: 0, parts: [{ name: 'user app', value: 'unknown' }], unknown: ['no user "app": it is root\'s'] });
  await assert.rejects(resolveChown('app', undefined), { code: 'CONTEXT', message: /--chown=app: "app" cannot be looked up/ });
});
