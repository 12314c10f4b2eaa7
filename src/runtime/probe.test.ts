import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cannotRun } from './busybox-layer.suite.ts';
import { explainMissing } from './explain-missing.ts';
import { parseIsolation } from './isolation.ts';
import { probe } from './probe.ts';
import type { SelfStatus } from './self-status.ts';

function folder(t: { after(done: () => void): void }): string {
  const root = mkdtempSync(join(tmpdir(), 'siru-probe-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'tmp'));
  return join(root, 'tmp');
}

test('the machine is described by what was tried', { skip: cannotRun }, async (t) => {
  const found = await probe({ folder: folder(t) });
  assert.equal(found.rung, process.getuid?.() === 0 ? 'R0' : 'R1');
  assert.ok(found.runtime && found.ids > 1);
  assert.equal(found.snapshotter, 'overlay');
});

test('without a way to RUN it says what would make one', async (t) => {
  const found = await probe({ folder: folder(t), isolation: 'none' });
  assert.equal(found.rung, 'R5');
  assert.ok(found.problem && found.missing.length > 0);
});

test('an unknown isolation is refused', () => {
  assert.equal(parseIsolation(undefined), 'auto');
  assert.throws(() => parseIsolation('docker'), { code: 'USAGE' });
});

const status: SelfStatus = { capEff: '0', capBnd: '0', noNewPrivs: false, seccomp: '0', initialUserNamespace: true };
for (const [name, why, more, expected] of [
  ['no new privileges', 'write to uid_map failed: Operation not permitted', { noNewPrivs: true }, /allowPrivilegeEscalation/],
  ['root behind a profile', 'unshare failed: Operation not permitted', {}, /seccomp=unconfined/],
  ['root on an overlay', 'EINVAL: invalid argument, mount', {}, /--root/],
] as const) {
  test(`a sentence for: ${name}`, { skip: process.platform === 'linux' ? false : 'needs Linux' }, () => {
    const what = name.startsWith('root') ? 'root' : 'userns';
    assert.match(explainMissing([{ what, why }], { ...status, ...more }).join('\n'), expected);
  });
}
