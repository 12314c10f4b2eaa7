import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isSiruError } from './base/errors.ts';
import { busyboxMissing, makeBusyboxImage } from './images/testing/make-image.ts';
import { temporaryStore } from './images/testing/temporary-store.ts';
import { shell } from './shell.ts';
import { build } from './build/build.ts';

const cannotRun = process.platform !== 'linux' ? 'RUN needs Linux' : process.getuid?.() === 0 ? busyboxMissing() : 'this test runs its steps as root';

test('a step across stages and with a script, through the library', { skip: cannotRun }, async (t) => {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  const context = join(folder, 'context');
  mkdirSync(context);
  makeBusyboxImage(store, 'base:1');
  const dockerfileText = [
    'FROM base:1 AS one', 'ENV A=1', 'RUN echo one > /one',
    'FROM one AS two', 'SHELL ["/bin/sh", "-ec"]', 'RUN echo two > /two',
    'FROM two', 'RUN --mount=from=one,source=/one,target=/mnt <<EOF', '#!/bin/sh', 'exit 5', 'EOF', '',
  ].join('\n');
  await assert.rejects(build({ store, context, dockerfileText, platform: 'linux/amd64' }), (error) => isSiruError(error) && error.code === 'RUN_FAILED');
  const see = async (step: string | undefined, script: string): Promise<string> => {
    let out = '';
    const { exitCode } = await shell({ store, build: context, ...(step && { step }), args: ['sh', '-c', script], onOutput: (_stream, bytes) => (out += bytes.toString()) });
    return `${out}${exitCode}`;
  };
  assert.equal(await see(undefined, 'cat /one /two /mnt; echo $A; grep exit /dev/pipes/*'), 'one\ntwo\none\n1\nexit 5\n0');
  assert.equal(await see('RUN echo two', 'cat /one /two; exit 3'), 'one\ntwo\n3');
  assert.equal(await see('RUN echo one', 'cat /one; ls /two 2>/dev/null'), 'one\n1');
  const stop = new AbortController();
  const stopped = shell({ store, build: context, args: ['sh', '-c', 'echo on; sleep 100'], signal: stop.signal, onOutput: () => stop.abort() });
  await assert.rejects(stopped, (error) => isSiruError(error) && error.code === 'CANCELLED');
});
