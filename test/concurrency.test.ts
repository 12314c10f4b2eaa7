/** Many processes in one store at once. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from './support/missing.ts';
import { registryMissing, startRegistry } from './support/registry.ts';
import { blobNames, temporaryFiles, verifyBlobs } from './support/store-state.ts';
import { createWorld } from './support/world.ts';
import type { World } from './support/world.ts';

for (const count of [2, 8]) {
  test(`${count} builds of one Dockerfile at once: equal steps are executed once`, { skip: needs('run') }, async () => {
    await using world = await createWorld();
    await world.base();
    const run = (name: string): string => `RUN --mount=type=cache,target=/count,id=count echo ${name} >> /count/${name}; sleep 0.3; date +%N > /${name}`;
    const context = world.context({
      Dockerfile: ['FROM base AS one', run('a'), 'FROM base', run('b'), 'COPY file /file', run('c'), 'COPY --from=one /a /a', ''].join('\n'), file: 'text',
    });
    const outcomes = await Promise.all(Array.from({ length: count }, (_, index) => world.run(['build', '-q', '-t', `same:${index}`, context])));
    for (const outcome of outcomes) assert.equal(outcome.code, 0, outcome.stderr);
    assert.equal(new Set(outcomes.map(({ stdout }) => stdout)).size, 1, outcomes.map(({ stdout }) => stdout).join(''));
    assert.deepEqual(counts(world), { a: 1, b: 1, c: 1 });
    assert.deepEqual(temporaryFiles(world.store), []);
    verifyBlobs(world.store);
  });
}

test('builds of different Dockerfiles, lists, prunes and removals at once', { skip: needs('run') }, async () => {
  await using world = await createWorld();
  await world.base();
  const contexts = Array.from({ length: 4 }, (_, index) => world.context({
    Dockerfile: `FROM base\nRUN echo shared > /s\nCOPY f /f\nRUN cat /f > /g${index}\n`, f: `file ${index}`,
  }));
  const work = [
    ...contexts.map((context, index) => ['build', '-t', `image:${index}`, context]),
    ['images'], ['prune', '-f'], ['build', '-t', 'going', contexts[0]!], ['prune', '-f'], ['du'], ['images', '-a'],
  ];
  const outcomes = await Promise.all(work.map((args) => world.run(args)));
  for (const [index, outcome] of outcomes.entries()) assert.equal(outcome.code, 0, `${work[index]!.join(' ')}: ${outcome.stderr}`);
  for (const index of contexts.keys()) assert.equal(await world.ok('run', '--rm', `image:${index}`, 'cat', `/g${index}`), `file ${index}`);
  verifyBlobs(world.store);
});

test('one step that waits for another process is let go when that process is killed', { skip: needs('run') }, async () => {
  await using world = await createWorld();
  await world.base();
  const context = world.context({ Dockerfile: 'FROM base\nRUN sleep 2; echo done > /d\n' });
  const first = world.start(['build', '-q', context]);
  await new Promise((resolve) => setTimeout(resolve, 900));
  const second = world.start(['build', '-q', '-t', 'second', context]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  first.child.kill('SIGKILL');
  const [killed, outcome] = await Promise.all([first.ended, second.ended]);
  assert.equal(killed.signal, 'SIGKILL');
  assert.equal(outcome.code, 0, outcome.stderr);
});

test('eight pulls of one image at once', { skip: registryMissing() || needs('busybox') }, async () => {
  await using registry = await startRegistry();
  await using from = await createWorld();
  const name = `${registry.host}/group/base:1`;
  await from.base(name);
  await from.ok('push', name);
  await using world = await createWorld();
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => world.run(['pull', '-q', name])));
  for (const outcome of outcomes) assert.equal(outcome.code, 0, outcome.stderr);
  assert.equal((await world.inspect(name)).Id, (await from.inspect(name)).Id);
  assert.equal(blobNames(world.store).length, 3);
});

/** How often each step ran, by what it left in the cache mount. */
function counts(world: World): Record<string, number> {
  const folder = join(world.store, 'cache-mounts');
  return Object.fromEntries(readdirSync(folder).flatMap((mount) => readdirSync(join(folder, mount)).map((name) => [name, readFileSync(join(folder, mount, name), 'utf8').trim().split('\n').length] as const)));
}
