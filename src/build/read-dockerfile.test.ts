import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { maxDockerfileBytes } from '../dockerfile/parse.ts';
import { readDockerfile } from './read-dockerfile.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'siru-dockerfile-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
const code = (expected: string, message: RegExp) => (error: Error & { code?: string }): boolean => error.code === expected && message.test(error.message);

test('Dockerfile comes before dockerfile, and a named file is taken from where the user is', (t) => {
  const context = folder(t);
  assert.throws(() => readDockerfile({ context }), code('CONTEXT', /there is no Dockerfile/));
  writeFileSync(join(context, 'dockerfile'), 'lower');
  assert.equal(Buffer.from(readDockerfile({ context }).text as Uint8Array).toString(), 'lower');
  writeFileSync(join(context, 'Dockerfile'), 'upper');
  assert.equal(Buffer.from(readDockerfile({ context }).text as Uint8Array).toString(), 'upper');
  const other = join(context, 'other');
  writeFileSync(other, 'other');
  assert.equal(readDockerfile({ context: '/nowhere', dockerfile: other }).name, 'other');
  assert.throws(() => readDockerfile({ context, dockerfile: join(context, 'missing') }), code('CONTEXT', /no file .*missing/));
});

test('a context that is not there is told from one without a Dockerfile, and a directory from a file', (t) => {
  const context = folder(t);
  assert.throws(() => readDockerfile({ context: join(context, 'nope') }), code('CONTEXT', /there is no directory .*nope to build from/));
  writeFileSync(join(context, 'file'), '');
  assert.throws(() => readDockerfile({ context: join(context, 'file') }), code('CONTEXT', /the build context .*file is not a directory/));
  assert.throws(() => readDockerfile({ context, dockerfile: context }), (error: Error & { hint?: string }) => /is a directory, not a Dockerfile/.test(error.message) && error.hint === `Name the file in it: -f ${join(context, 'Dockerfile')}`);
});

test('a file without end is refused at the limit', { skip: process.platform === 'win32' && 'needs /dev/zero' }, (t) => {
  const context = folder(t);
  assert.throws(() => readDockerfile({ context, dockerfile: '/dev/zero' }), code('CONTEXT', new RegExp(` ${maxDockerfileBytes} `)));
  symlinkSync('/dev/zero', join(context, 'Dockerfile'));
  assert.throws(() => readDockerfile({ context }), code('CONTEXT', /is no file/));
});

test('a pipe in a context is not waited for', { skip: process.platform === 'win32' && 'needs mkfifo' }, (t) => {
  const context = folder(t);
  assert.equal(spawnSync('mkfifo', [join(context, 'Dockerfile')]).status, 0);
  assert.throws(() => readDockerfile({ context }), code('CONTEXT', /is no file/));
});
