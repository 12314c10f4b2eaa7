/** A helper that cannot come up says so at once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findProgram } from './runtimes.ts';

const skip = process.getuid?.() !== 0 ? 'needs root' : findProgram('unshare') === undefined ? 'needs unshare' : false;

test('where the kernel allows no user namespace, in a chroot, the failure is told and no process stays', { skip }, () => {
  const root = mkdtempSync(join(tmpdir(), 'siru-chroot-'));
  try {
    const module = fileURLToPath(new URL('./start-helper.ts', import.meta.url));
    const program = `const { startHelper } = await import(${JSON.stringify(module)}); await startHelper(true).catch((error) => console.log(error.constructor.name, error.message));`;
    const ran = spawnSync('unshare', ['--mount', 'sh', '-c', 'mount --rbind / "$1" && exec chroot "$1" "$2" --input-type=module -e "$3"', 'sh', root, process.execPath, program], {
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    assert.match(ran.stdout, /^HelperFailure unshare: unshare failed: Operation not permitted/, ran.stderr);
    assert.equal(ran.status, 0);
  } finally {
    rmdirSync(root);
  }
});
