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
  for (const text of ['', '8', '10000', '0o755', 'u', 'x', 'u=rwz', 'u+x,', ',u+x', '-1', '755,u+x', 'u:x']) {
    assert.throws(() => parseChmod(text), { code: 'CONTEXT' }, text);
  }
});

test('symbolic modes do to files what chmod(1) does', (t) => {
  if (process.platform !== 'linux' || spawnSync('chmod', ['--version']).status !== 0) return t.skip('needs chmod of GNU coreutils');
  const folder = mkdtempSync(join(tmpdir(), 'siru-chmod-'));
  try {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const modes = ['u=rwX,go=rX', 'a+x', 'u-w', 'go-rwx', 'u+s', 'g+s', 'a+t', '+t', 'ug=rw', 'u=rwxs', 'o+w-r', 'g=rwx,o-x+r', 'a-s'];
    for (const before of [0o644, 0o755, 0o600, 0o4755, 0o2711, 0o6777, 0o700]) {
      for (const text of modes) {
        chmodSync(file, before);
        // The umask counts where nobody is named; a builder has none.
        execFileSync('sh', ['-c', 'umask 0; chmod "$1" "$2"', 'sh', text, file]);
        assert.equal(parseChmod(text)(before, false).toString(8), (statSync(file).mode & 0o7777).toString(8), `${text} of ${before.toString(8)}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('= is for directories what it is for files, leaves the sticky bit alone, and a copy leaves set-id bits alone', () => {
  const modes: [string, number, number][] = [
    ['u=rwX,go=rX', 0o3777, 0o1755], ['o=', 0o3777, 0o3770], ['g=u', 0o2740, 0o2770], ['u=g', 0o4750, 0o4550], ['=rw', 0o7777, 0o1666], ['=t', 0o600, 0o1600], ['+tx', 0o600, 0o1600],
    ['g=u+w', 0o400, 0o460], ['u=go', 0o045, 0o545], ['o+s', 0o644, 0o644], ['a=', 0o7777, 0o1000],
  ];
  for (const [text, before, after] of modes) assert.equal(parseChmod(text)(before, true).toString(8), after.toString(8), text);
});
