/** `siru build --check` and `--call` as people run them: output, exit code, and nothing built. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'siru-check-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function siru(dockerfile: string, ...words: string[]): { code: number | null; out: string; told: string } {
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
  const program = join(import.meta.dirname, '../../../bin/siru');
  const { status, stdout, stderr } = spawnSync(program, ['--root', join(folder, 'store'), ...words, folder], { encoding: 'utf8', env: { ...process.env, SIRU_SOURCE: '1' } });
  return { code: status, out: stdout, told: stderr };
}

test('a clean file passes, one with a warning does not, a broken one says why', () => {
  assert.deepEqual(siru('FROM scratch\nENV a=b', 'build', '--check'), { code: 0, out: 'Check complete, no warnings found.\n', told: '' });
  const warned = siru('FROM scratch\nENV a b', 'build', '--check');
  assert.equal(warned.code, 1);
  assert.match(warned.out, /^Check complete, 1 warning has been found!\n\nWARNING: LegacyKeyValueFormat - docs\/checks\/LegacyKeyValueFormat\.md\n/);
  assert.equal(warned.told, '');
  assert.equal(siru('FROM scratch\nENV a b', 'build', '--call', 'check,ignorestatus=true').code, 0);
  const broken = siru('FROM scratch\nENVV a b', 'build', '--check');
  assert.deepEqual([broken.code, broken.out], [1, '']);
  assert.match(broken.told, /^siru: dockerfile parse error on line 2: unknown instruction: ENVV \(did you mean ENV\?\)/);
});

test('documents are on standard output alone, also for a file that cannot be built', () => {
  const json = siru('FROM scratch\nENVV a b', 'build', '--check', '--format=json');
  assert.equal(json.code, 1);
  assert.match((JSON.parse(json.out) as { buildError: { message: string } }).buildError.message, /unknown instruction: ENVV/);
  const sarif = siru('FROM not-here\nENV a b', 'build', '--check', '--format', 'sarif');
  assert.equal(sarif.code, 1);
  assert.equal((JSON.parse(sarif.out) as { runs: { results: object[] }[] }).runs[0]!.results.length, 1);
  assert.match(sarif.told, /^note: not-here is not in the store/);
});

test('outline and targets print tables, and nothing was built', () => {
  const file = '# all is the whole\nFROM scratch AS all\n# v version\nARG v=1\nRUN true\n';
  assert.equal(siru(file, 'build', '--call=outline').out, 'TARGET:      all\nDESCRIPTION: is the whole\n\nBUILD ARG   VALUE   DESCRIPTION\nv           1       version\n\n');
  assert.equal(siru(file, 'build', '--call=targets').out, 'TARGET        DESCRIPTION\nall (default) is the whole\n');
  assert.equal(siru(file, 'build', '--call', 'outlien').code, 1);
  const images = spawnSync(join(import.meta.dirname, '../../../bin/siru'), ['--root', join(folder, 'store'), 'images', '-q'], { encoding: 'utf8', env: { ...process.env, SIRU_SOURCE: '1' } });
  assert.equal(images.stdout, '');
});
