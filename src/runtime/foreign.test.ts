import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import { isSiruError } from '../base/errors.ts';
import { hostPlatform, parsePlatform } from '../oci/platform.ts';
import { checkRunnable, parseRegistration } from './foreign.ts';
import { tinyProgram } from './tiny-program.ts';

test('the tiny program of this machine ends with 0', { skip: process.platform !== 'linux' && 'only Linux executes ELF' }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-tiny-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = tinyProgram(hostPlatform().architecture);
  assert.ok(program);
  writeFileSync(join(folder, 'tiny'), program, { mode: 0o755 });
  assert.equal(spawnSync(join(folder, 'tiny')).status, 0);
});

test('what runs here is tried with a program, and what does not is refused with what to do', { skip: process.platform !== 'linux' && 'only Linux runs containers' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-foreign-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const check = (platform: string): Promise<string | undefined> => checkRunnable(parsePlatform(platform), join(folder, 'try'), contextOf());
  assert.equal(await check(`linux/${hostPlatform().architecture}`), undefined);
  const refused = (text: RegExp) => (error: unknown): boolean => isSiruError(error) && error.code === 'RUNTIME' && text.test(`${error.message} ${error.hint}`);
  await assert.rejects(check('linux/mips64'), refused(/programs for linux\/mips64 cannot be executed.*\$BUILDPLATFORM/));
  await assert.rejects(check('windows/amd64'), refused(/Only Linux containers/));
  assert.deepEqual(readdirSync(folder), []);
});

test('a registration of the kernel is read', () => {
  const arm64 = 'enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: POCF\noffset 0\nmagic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n';
  const found = parseRegistration(arm64);
  assert.deepEqual([found?.interpreter, found?.flags, found?.enabled, found?.offset, found?.magic.length], ['/usr/libexec/qemu-binfmt/aarch64-binfmt-P', 'POCF', true, 0, 20]);
  assert.equal(parseRegistration('enabled\ninterpreter /usr/bin/python\nflags: \nextension .py\n'), undefined);
  assert.equal(parseRegistration('enabled'), undefined);
});
