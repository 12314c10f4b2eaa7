import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { writeUsers } from '../testing/start-with-access.ts';
import { openPasswords } from './passwords.ts';

async function usersFile(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-users-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'users');
  await writeUsers(path, { ann: 'apple' });
  return path;
}

test('a password is right for its user only, and is remembered by its hash', async (t) => {
  const passwords = openPasswords(await usersFile(t), assert.ifError);
  assert.equal(passwords.isRemembered('ann', 'apple'), false);
  assert.deepEqual(await Promise.all([passwords.check('ann', 'apple'), passwords.check('ann', 'pear'), passwords.check('bob', 'apple'), passwords.check('ann', 'x'.repeat(2000))]), [true, false, false, false]);
  assert.equal(passwords.isRemembered('ann', 'apple'), true);
  assert.equal(passwords.isRemembered('ann', 'apple '), false);
  assert.equal(await passwords.check('ann', 'apple'), true);
});

test('checks run beside the first thread: while one that takes long runs, timers come', async (t) => {
  const path = await usersFile(t);
  const { hash } = await import('bcryptjs');
  writeFileSync(path, `ann:${await hash('apple', 11)}\n`);
  const passwords = openPasswords(path, assert.ifError);
  let turns = 0;
  const count = setInterval(() => turns++, 1);
  assert.equal(await passwords.check('ann', 'apple'), true);
  clearInterval(count);
  assert.ok(turns > 10, `${turns} turns of the event loop`);
});

test('too many checks at once are refused, and those after them are not', async (t) => {
  const passwords = openPasswords(await usersFile(t), assert.ifError);
  const answers = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => passwords.check('ann', `guess ${i}`)));
  const refused = answers.filter((answer) => answer.status === 'rejected');
  assert.equal(refused.length, 68);
  for (const { reason } of refused as PromiseRejectedResult[]) assert.equal((reason as { reason: string }).reason, 'UNAVAILABLE');
  assert.equal(await passwords.check('ann', 'apple'), true);
});

test('a file that is not there or has no bcrypt is told when it is opened', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-users-'));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.throws(() => openPasswords(join(folder, 'absent'), assert.ifError), { code: 'CONFIG' });
  writeFileSync(join(folder, 'users'), 'ann:{SHA}x\n');
  assert.throws(() => openPasswords(join(folder, 'users'), assert.ifError), /line 1: the hash is not bcrypt/);
});
