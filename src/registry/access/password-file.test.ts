import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { listUsers, removeUser, setPassword } from './edit-passwords.ts';
import { parsePasswords, withPassword } from './password-file.ts';

const hash = `$2y$05$${'a'.repeat(53)}`;

test('names and hashes are read, comments and empty lines overlooked', () => {
  assert.deepEqual([...parsePasswords(`# users\n\nann:${hash}\r\n bob:${hash} \n`)], [['ann', hash], ['bob', hash]]);
});

test('what is no bcrypt is refused with its line, and without what stands there', () => {
  const wrong: [text: string, message: RegExp][] = [
    ['ann:plainsecret', /^line 1: the hash is not bcrypt/], [`ok:${hash}\nann:{SHA}abc`, /^line 2: the hash is not bcrypt/], ['ann', /^line 1: it is not of the form/],
    [`:${hash}`, /not of the form/], [`a b:${hash}`, /not of the form/], [`ann:$2y$31$${'a'.repeat(53)}`, /cost of the hash is 31/], [`ann:${hash}x`, /not bcrypt/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => parsePasswords(text), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, message);
      return !error.message.includes('secret');
    }, text);
  }
});

test('setting a password changes that line only; removing takes it', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z][\w.@-]{0,8}$/), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(names, fc.nat(), (users, pick) => {
    const text = `# head\n${users.map((name) => `${name}:${hash}\n`).join('')}`;
    const name = users[pick % users.length]!;
    const other = hash.replaceAll('a', 'b');
    const changed = parsePasswords(withPassword(text, name, other));
    assert.equal(changed.get(name), other);
    assert.equal([...changed.values()].filter((one) => one === hash).length, users.length - 1);
    const gone = withPassword(text, name, undefined);
    assert.ok(gone.startsWith('# head\n'));
    assert.deepEqual([...parsePasswords(gone).keys()], users.filter((one) => one !== name));
    assert.equal(withPassword(text, `${name}x!`, other), `${text}${name}x!:${other}\n`);
  }));
});

test('users are added, changed and removed in the file, which is readable for its owner only', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-users-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'users');
  assert.equal(await setPassword(path, 'ann', 'apple'), false);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(await setPassword(path, 'bob', 'berry'), false);
  const before = readFileSync(path, 'utf8');
  assert.equal(await setPassword(path, 'ann', 'other'), true);
  assert.notEqual(readFileSync(path, 'utf8'), before);
  assert.ok(!/apple|berry|other/.test(readFileSync(path, 'utf8')));
  assert.deepEqual(listUsers(path), ['ann', 'bob']);
  assert.equal(removeUser(path, 'ann'), true);
  assert.equal(removeUser(path, 'ann'), false);
  assert.deepEqual(listUsers(path), ['bob']);
  await assert.rejects(setPassword(path, 'a:b', 'x'), /is no user name/);
  await assert.rejects(setPassword(path, 'ann', 'x'.repeat(73)), /1 to 72 bytes/);
  writeFileSync(path, 'ann:plain\n');
  await assert.rejects(setPassword(path, 'bob', 'x'), /line 1: the hash is not bcrypt/);
  assert.equal(readFileSync(path, 'utf8'), 'ann:plain\n');
});
