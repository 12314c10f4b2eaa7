/** `siru layers`, `files`, `diff` and the limits of a build, as people use them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { siru, siruOk } from './support/siru.ts';

const folder = mkdtempSync(join(tmpdir(), 'siru-x-ray-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const options = { store: join(folder, 'store'), cwd: folder };
const context = join(folder, 'context');
mkdirSync(join(context, 'app'), { recursive: true });
writeFileSync(join(context, 'app/main.js'), 'm'.repeat(60_000));
writeFileSync(join(context, 'app/data'), 'd'.repeat(9_000));
// A name that would clear the screen of a terminal.
writeFileSync(join(context, 'app/\u001b[2J\nx'), 'x');

async function build(tag: string, dockerfile: string, ...flags: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  return siru(['build', '-q', '-t', tag, ...flags, context], options);
}

const dockerfile = '# a comment\nFROM scratch\nCOPY app /app\n\nCOPY --chown=7:7 app/main.js /app/\nENV A=1\n';

test('layers: steps with their lines, waste, and JSON with the same numbers', async () => {
  assert.equal((await build('app:1', dockerfile)).code, 0);
  const text = await siruOk(['layers', 'app:1'], options);
  assert.match(text, /^LAYER +LINE +SIZE +ADDED +CHANGED +DELETED +WASTE +STEP\n0 +3 +\S+ +3 +0 +0 +60kB +COPY app \/app\n1 +5 +\S+ +0 +1 +0 +0B +COPY --chown=7:7 app\/main\.js \/app\/\n\nSize: \S+, wasted: 60kB, efficiency: \d\d\.\d%\n\n60kB: 1 file of layer 0 \(line 3\), stored again by layer 1 \(line 5\) because owner or mode changed\n {2}\/app\/main\.js \(60kB\)\n {2}Give owner/);
  const json = JSON.parse(await siruOk(['layers', '--json', 'app:1'], options)) as { waste: number; size: number; layers: { line: number; size: number }[]; findings: { kind: string; layer: number; by: number }[] };
  assert.equal(json.waste, 60_000);
  assert.equal(json.size, json.layers.reduce((sum, { size }) => sum + size, 0));
  assert.deepEqual(json.layers.map(({ line }) => line), [3, 5]);
  assert.deepEqual(json.findings.map(({ kind, layer, by }) => [kind, layer, by]), [['attributes', 0, 1]]);
  assert.equal(await siruOk(['image', 'layers', '--format', '{{.Layer}} {{.Waste}}', 'app:1'], options), '0 60kB\n1 0B\n');
});

test('files: who wrote what, one file with all that happened to it, JSON for programs', async () => {
  await build('app:1', dockerfile);
  const lines = (await siruOk(['files', 'app:1'], options)).split('\n');
  assert.equal(lines.length, 6, 'a heading and a line for each of 4 paths');
  assert.match(lines[1]!, /^drwxr-xr-x +0:0 +- +0 +3 +COPY app \/app +\/app\/$/);
  assert.match(lines[2]!, /\/app\/\?\[2J x$/);
  assert.match(lines[4]!, /^-rw-r--r-- +7:7 +60kB +1 +5 +COPY --chown=7:7 app\/main\.js … +\/app\/main\.js$/);
  assert.match(await siruOk(['files', 'app:1', 'app/main.js'], options), /\n\nlayer 0 \(line 3\): added: COPY app \/app\nlayer 1 \(line 5\): changed: owner: COPY --chown/);
  const rows = (await siruOk(['files', '--json', 'app:1', '/app'], options)).trimEnd().split('\n').map((line) => JSON.parse(line) as { path: string; layer: number; line: number; uid: number });
  assert.deepEqual(rows.map(({ path, layer, line, uid }) => [path, layer, line, uid]), [['/app', 0, 3, 0], ['/app/\u001b[2J\nx', 0, 3, 0], ['/app/data', 0, 3, 0], ['/app/main.js', 1, 5, 7]]);
  assert.match(await siruOk(['files', '--layer', '1', 'app:1'], options), /main\.js {2}\(changed: owner\)\n$/);
  const wrong = await siru(['files', 'app:1', '/app/mian.js'], options);
  assert.deepEqual([wrong.code, wrong.stderr], [1, 'siru: there is no "/app/mian.js" in the image\nhint: did you mean "/app/main.js"?\n']);
  assert.equal((await siru(['files', '--depth', 'x', 'app:1'], options)).code, 1);
});

test('diff: exit codes and text of diff, layers, JSON', async () => {
  await build('app:1', dockerfile);
  await build('app:2', `${dockerfile}COPY app/data /app/data2\nLABEL x=1\n`);
  const same = await siru(['diff', 'app:1', 'app:1'], options);
  assert.deepEqual([same.code, same.stdout], [0, '']);
  const differs = await siru(['diff', 'app:1', 'app:2'], options);
  assert.deepEqual([differs.code, differs.stdout.split('\n')], [1, [
    '+ /app/data2 (9kB)', '+ config Labels x: 1', '+ history: COPY app/data /app/data2 # buildkit', '+ history: LABEL x=1', '',
  ]]);
  assert.deepEqual([(await siru(['diff', '-q', 'app:1', 'app:2'], options)).stdout, (await siru(['diff', '-q', 'app:1', 'app:2'], options)).code], ['', 1]);
  const json = await siru(['diff', '--json', 'app:2@0', 'app:2@1'], options);
  const { files, config, history } = JSON.parse(json.stdout) as { files: { path: string; change: string; aspects?: string[]; before?: { mode: string }; after?: { uid: number } }[]; config: unknown[]; history: unknown[] };
  assert.deepEqual(files.map(({ path, change, aspects }) => [path, change, aspects]), [['/app/\u001b[2J\nx', 'removed', undefined], ['/app/data', 'removed', undefined], ['/app/main.js', 'changed', ['owner']]]);
  assert.equal(files[2]!.after!.uid, 7);
  assert.deepEqual([config, history], [[], []]);
  assert.equal((await siru(['diff', '--json', 'app:1', 'app:1'], options)).stdout, '{"files":[],\n"config":[],\n"history":[]}\n');
  const trouble = await siru(['diff', 'app:1', 'app:3'], options);
  assert.equal(trouble.code, 2);
  assert.match(trouble.stderr, /^siru: no image app:3 here/);
  assert.equal((await siru(['diff', 'app:1@7', 'app:1'], options)).code, 2);
});

test('build: limits fail it and leave names where they were', async () => {
  await build('app:1', dockerfile);
  const before = await siruOk(['images', '-q', '--no-trunc', 'app:1'], options);
  const { code, stderr } = await build('app:1', `${dockerfile}COPY app /more\n`, '--max-size', '0.1MB');
  assert.equal(code, 1);
  assert.match(stderr, /^siru: the image has [\d.]+kB, [\d.]+kB more than the 100kB that it may have\n/);
  assert.match((await build('app:1', dockerfile, '--max-waste', '10%')).stderr, /^siru: the image wastes 60kB /);
  assert.equal((await build('app:1', dockerfile, '--max-waste', '60kB', '--max-size', '1MB')).code, 0);
  assert.equal(await siruOk(['images', '-q', '--no-trunc', 'app:1'], options), before);
  for (const [flag, value] of [['--max-size', '5%'], ['--max-size', 'x'], ['--max-waste', ''], ['--warn-growth', '5%,y']] as const) {
    const wrong = await build('app:1', dockerfile, flag, value);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, new RegExp(`^siru: ${flag} `));
  }
});
