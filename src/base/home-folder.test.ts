import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { homeFolder } from './home-folder.ts';

test('HOME comes first, and an empty one is none', { skip: process.platform === 'win32' && 'needs HOME' }, () => {
  assert.equal(homeFolder({ HOME: '/somewhere' }), '/somewhere');
  const before = process.env['HOME'];
  try {
    process.env['HOME'] = '';
    assert.equal(homeFolder(), userInfo().homedir);
    delete process.env['HOME'];
    assert.equal(homeFolder(), userInfo().homedir);
  } finally {
    if (before === undefined) delete process.env['HOME'];
    else process.env['HOME'] = before;
  }
});

test('a user who is in no list has the root', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  const url = pathToFileURL(join(import.meta.dirname, 'home-folder.ts')).href;
  const text = `const { homeFolder } = await import(${JSON.stringify(url)}); process.setuid(1234567); console.log(homeFolder({}));`;
  const environment = { ...process.env };
  delete environment['HOME'];
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8', env: environment });
  assert.equal(stdout, '/\n', stderr);
});
