/** The examples are executed, each as a program of its own, and checked against the types of the library. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findProgram } from '../src/runtime/runtimes.ts';
import { registryMissing, startRegistry } from '../test/support/registry.ts';

const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), 'siru-examples-'));
after(() => {
  // An ordinary user's store holds files of subordinate ids, which only siru can remove.
  if (process.geteuid?.() !== 0) spawnSync(process.execPath, [join(here, '../bin/siru.mjs'), '--root', join(folder, 'store'), 'prune', '-a', '-f']);
  rmSync(folder, { recursive: true, force: true });
});

const busybox = findProgram('busybox');
const noBusybox = busybox === undefined ? 'there is no busybox here (Debian: busybox-static)' : false;

function execute(args: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, BUSYBOX: busybox, EXAMPLE_STORE: join(folder, 'store'), TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  return new Promise((resolve, reject) => child.on('error', reject).on('close', (code) => resolve({ code, output, errors })));
}

const example = (name: string, ...args: string[]): ReturnType<typeof execute> => execute(['--import', join(here, 'sources.mjs'), join(here, name), ...args]);

test('build.ts builds three times and tells why the last one differs', async () => {
  const { code, output, errors } = await example('build.ts');
  assert.equal(code, 0, errors);
  assert.equal(output, `executed: COPY greeting.txt /greeting.txt
cached: COPY greeting.txt /greeting.txt
the same image: true
executed: COPY greeting.txt /greeting.txt (greeting.txt changed)
another image: true
greeting:1 is the new one: true
`);
});

test('run.ts runs an image with its own environment and with another', { skip: noBusybox }, async (t) => {
  const { code, output, errors } = await example('run.ts');
  if (code === 77) return t.skip(errors);
  assert.equal(code, 0, errors);
  assert.equal(output, 'Good morning, world\nGood morning, Seoul\nexit code 3\n');
});

test('cancel.ts ends a build that would take long', { skip: noBusybox }, async (t) => {
  const { code, output, errors } = await example('cancel.ts');
  if (code === 77) return t.skip(output + errors);
  assert.equal(code, 0, errors);
  assert.equal(output, 'it says: working\nCANCELLED: cancelled\n');
});

test('registry.ts pushes to a registry and pulls the same image', { skip: registryMissing() }, async () => {
  await using registry = await startRegistry();
  const { code, output, errors } = await example('registry.ts', registry.host);
  assert.equal(code, 0, errors);
  assert.match(output, /^(?:pulled [0-9a-f]{12}\n)+the same image: true\n$/);
});

test('all examples have a test and the types of the library', async () => {
  const tested = ['build.ts', 'cancel.ts', 'registry.ts', 'run.ts'];
  assert.deepEqual(readdirSync(here).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).sort(), tested);
  const { code, output } = await execute([join(here, '../node_modules/typescript/bin/tsc'), '-p', here]);
  assert.equal(code, 0, output);
});
