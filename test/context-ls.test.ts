/** siru context ls: what people read, and what a program reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld, type World } from './support/world.ts';

const files = {
  Dockerfile: 'FROM scratch\nCOPY package*.json ./\nCOPY src /src\nCOPY *.map dist /x/\n',
  '.dockerignore': 'node_modules\n*.swp\ndist\n', 'package.json': '12345', 'src/a.js': '123', 'node_modules/m/i.js': '1234567890', 'dist/a': '1', 'notes/a.txt': '1234', 'notes/b.txt': '12',
};

async function show(world: World, ...args: string[]): Promise<string> {
  return (await world.ok('context', 'ls', ...args)).replaceAll(world.folder, '');
}

test('all of a context as people read it', async () => {
  await using world = await createWorld();
  const context = world.context(files);
  assert.equal(await show(world, context), `Context: /context-0
             FILES     FOLDERS   SIZE
There        8         5         118B
Left out     2         3         11B
In context   6         2         107B
Taken        4         1         101B
Not taken    2         1         6B

What instructions take:
LINE      STAGE     FILES     SIZE      INSTRUCTION
2         stage-0   1         5B        COPY package*.json ./
3         stage-0   1         3B        COPY src /src
4         stage-0   0         0B        COPY *.map dist /x/
Line 4: *.map matches nothing
Line 4 fails: "dist" is not in the build context: hidden by line 3 of .dockerignore: dist
  Change that line, or add the exception !dist

What .dockerignore leaves out:
LINE      FILES     SIZE      RULE
1         1         10B       node_modules
2         0         0B        *.swp   (matches nothing)
3         1         1B        dist

Largest:
69B       Dockerfile
24B       .dockerignore
5B        package.json
4B        notes/a.txt
3B        src/a.js
2B        notes/b.txt

Taken by no instruction:
6B        notes/   (2 files)
`);
  assert.equal(await show(world, '--why', 'dist/a', '--why', 'src', '--why', 'notes/C.txt', context), `dist/a is left out (1B)
  by line 3 of .dockerignore, dist, which matches dist

src/ is in the context (1 file, 3B)
  no line of an ignore file matches it
  taken by line 3: COPY src /src

"notes/C.txt" is not in the build context: there is no "C.txt" in "notes"
  Did you mean notes/a.txt?
`);
  assert.equal(await show(world, '--files', context), `  SIZE  LINES       PATH
   24B              .dockerignore
   69B              Dockerfile
     -  -           dist/  (left out by line 3 of .dockerignore)
    1B  -           dist/a  (left out by line 3 of .dockerignore)
     -  -           node_modules/  (left out by line 1 of .dockerignore)
     -  -           node_modules/m/  (left out by line 1 of .dockerignore)
   10B  -           node_modules/m/i.js  (left out by line 1 of .dockerignore)
     -              notes/
    4B              notes/a.txt
    2B              notes/b.txt
    5B  2           package.json
     -              src/
    3B  3           src/a.js
`);
});

test('the folder where one is, as JSON, with the flags of a build', async () => {
  await using world = await createWorld();
  const cwd = world.context(files);
  const { stdout, code } = await world.run(['context', 'ls', '--json', '--top', '1', '-t', 'app', '--progress', 'plain'], { cwd });
  assert.equal(code, 0);
  const { contexts, takes } = JSON.parse(stdout) as { contexts: { largest: unknown[]; candidates: unknown[] }[]; takes: { line: number }[] };
  assert.deepEqual([contexts[0]!.largest.length, contexts[0]!.candidates.length, takes.map(({ line }) => line)], [1, 1, [2, 3, 4]]);
  const lines = (await world.ok('context', 'ls', '--files', '--json', cwd)).trimEnd().split('\n').map((line) => JSON.parse(line) as object);
  assert.deepEqual(lines.at(-1), { path: 'src/a.js', type: 'file', size: 3, takenBy: [3] });
});

test('an archive on standard input is shown as it came', async () => {
  await using world = await createWorld();
  const { execFileSync } = await import('node:child_process');
  const input = execFileSync('tar', ['-C', world.context({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: '1', b: '12', '.dockerignore': 'a\n' }), '-c', '.']);
  const { stdout } = await world.run(['context', 'ls', '-'], { input });
  assert.match(stdout, /^Context: standard input\n {13}FILES +FOLDERS +SIZE\nIn context +4 +0 +/);
  assert.match(stdout, /^2 +stage-0 +1 +1B +COPY a \/$/m);
});
