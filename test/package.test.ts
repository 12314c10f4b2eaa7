/** What `npm pack` gives installs and runs, as a program and as a library with types. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { test } from 'node:test';

const project = resolve(import.meta.dirname, '..');
// The program is to be run by the Node that runs this test, whatever `node` is on the PATH.
const environment = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };

function run(cwd: string, command: string, ...args: string[]): string {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', env: environment });
  assert.equal(result.status, 0, `${command} ${args.join(' ')}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

test('the package installs and runs', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-package-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const copy = join(folder, 'project');
  const left = new Set(['node_modules', 'dist', '.git', '.node'].map((name) => join(project, name)));
  cpSync(project, copy, { recursive: true, filter: (path) => !left.has(path) });
  for (const name of ['node_modules', '.node']) symlinkSync(join(project, name), join(copy, name));
  run(copy, 'npm', 'pack', '--loglevel=error');
  const user = join(folder, 'user');
  mkdirSync(join(user, 'context'), { recursive: true });
  writeFileSync(join(user, 'package.json'), '{"private":true,"type":"module"}');
  run(user, 'npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', join(copy, 'siru-0.1.0.tgz'));

  assert.match(run(user, 'node_modules/.bin/siru', '--version'), /^siru version 0\.1\.0/);
  writeFileSync(join(user, 'context/a'), 'a');
  writeFileSync(
    join(user, 'main.ts'),
    `import { build, openStore, type BuildResult, type Event } from 'siru';
await using store = await openStore({ root: 'store' });
const events: Event[] = [];
const result: BuildResult = await build({ store, context: 'context', dockerfileText: 'FROM scratch\\nCOPY a /\\n', tags: ['a:1'], onEvent: (event) => events.push(event) });
console.log(result.steps.executed, events.at(-1)?.type);
`,
  );
  assert.equal(run(user, process.execPath, 'main.ts'), '1 build-done\n');
  assert.match(run(user, 'node_modules/.bin/siru', '--root', 'store', 'images'), /^a +1 /m);
  run(user, process.execPath, join(project, 'node_modules/typescript/bin/tsc'), '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024,esnext.disposable', '--strict', '--types', 'node', '--typeRoots', join(project, 'node_modules/@types'), 'main.ts');
});
