import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseChmod } from './chmod.ts';

test('octal modes replace all bits, set-id and sticky too', () => {
  assert.equal(parseChmod('755')(0o600, false), 0o755);
  assert.equal(parseChmod('0')(0o777, true), 0);
  assert.equal(parseChmod('07777')(0, false), 0o7777);
});

test('what is no mode is refused', () => {
  for (const text of ['', '8', '10000', '0o755', 'u', 'x', 'u=rwz', 'u+x,', '-1', 'u=ro']) {
    assert.throws(() => parseChmod(text), { code: 'CONTEXT' }, text);
  }
});

test('symbolic modes do what chmod(1) does', (t) => {
  if (process.platform !== 'linux' || spawnSync('chmod', ['--version']).status !== 0) return t.skip('needs chmod of GNU coreutils');
  const folder = mkdtempSync(join(tmpdir(), 'siru-chmod-'));
  try {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const modes = ['u=rwX,go=rX', 'g=u', 'a+x', 'u-w', 'o=', 'go-rwx', 'u+s', 'g+s', 'a+t', '+t', 'u=g,g=o', 'ug=rw,o=r', 'u=rwxs', 'a=rX', 'o+w-r', 'g=rwx,o-x+r', 'u=rw-x+X', 'a-s'];
    for (const [path, isDirectory] of [[file, false], [folder, true]] as const) {
      for (const before of [0o644, 0o755, 0o600, 0o4755, 0o2711, 0o1777, 0o7777, 0o700]) {
        for (const text of modes) {
          chmodSync(path, before);
          // The umask counts where nobody is named; a builder has none.
          execFileSync('sh', ['-c', 'umask 0; chmod "$1" "$2"', 'sh', text, path]);
          assert.equal(parseChmod(text)(before, isDirectory).toString(8), (statSync(path).mode & 0o7777).toString(8), `${text} of ${before.toString(8)} ${isDirectory ? 'directory' : 'file'}`);
        }
      }
    }
  } finally {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  }
});
