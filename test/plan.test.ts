/** siru plan says before a build what the build then does, and leaves the store as it was. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Forecast } from '../src/build/forecast/forecast.ts';
import type { Explanation } from '../src/build/history/explanation.ts';
import { serve } from '../src/remote/testing/serve.ts';
import { needs } from './support/missing.ts';
import { registryMissing, startRegistry } from './support/registry.ts';
import { changes, storyContext } from './support/story.ts';
import { createWorld, type World } from './support/world.ts';

/** Path and digest of every file of the store but SQLite's index of its log, which readers use as shared memory. */
function storeFiles({ store }: World): string[] {
  return readdirSync(store, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'siru.db-shm' && !(entry.name === 'siru.db-wal' && readFileSync(join(entry.parentPath, entry.name)).length === 0))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${file} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`)
    .toSorted();
}

async function plan(world: World, ...args: string[]): Promise<Forecast> {
  const before = storeFiles(world);
  const forecast = JSON.parse(await world.ok('plan', '--json', ...args)) as Forecast;
  assert.deepEqual(storeFiles(world), before, 'the store is as it was');
  return forecast;
}

const shown = ({ steps }: Forecast): string[] => steps.map(({ text, status, likely, same, why }) => `${text}: ${status}${likely ? ` ${likely}` : ''}${same ? ' same' : ''}${why === undefined ? '' : ` (${why})`}`);
const executed = ['executed', 'same'];

/** What came true, step by step. */
async function compare(world: World, forecast: Forecast): Promise<void> {
  const { steps } = JSON.parse(await world.ok('explain', '--json')) as Explanation;
  const all = `${shown(forecast).join('\n')}\n\n${steps.map(({ stage, text, status }) => `${stage} ${text}: ${status}`).join('\n')}`;
  const statusOf = new Map(steps.map(({ stage, index, status }) => [`${stage} ${index}`, status]));
  assert.equal(steps.length, forecast.steps.length, all);
  for (const { stage, index, text, status, same, base } of forecast.steps) {
    const was = statusOf.get(`${stage} ${index}`)!;
    if (base || status === 'unknown') continue;
    assert.ok(status === 'hit' ? was === 'cached' : executed.includes(was), `${text} was ${was}\n${all}`);
    if (same) assert.equal(was, 'same', `${text}\n${all}`);
  }
}

test('an application that is changed in many ways: what is told before is what happens', { skip: needs('run') }, async (t) => {
  await using world = await createWorld();
  await world.base('base:1');
  const context = storyContext(world);
  const first = await plan(world, context);
  assert.deepEqual(first.steps.filter(({ status, base }) => status === 'hit' && !base), []);
  assert.equal(first.time.untimed.length, 12);
  await world.ok('build', '-t', 'app', context);
  const second = await plan(world, context);
  assert.deepEqual([...new Set(second.steps.map(({ status }) => status))], ['hit']);
  assert.deepEqual(second.time, { took: 0, work: 0, untimed: [] });

  for (const { name, make, cause } of changes) {
    await t.test(name, async () => {
      const more = (await make(world, context)) ?? [];
      const forecast = await plan(world, ...more, context);
      const before = shown(forecast).join('\n');
      const missed = forecast.steps.filter(({ status, base }) => status !== 'hit' && !base);
      if (cause === undefined) assert.deepEqual(missed, []);
      else {
        assert.match(missed[0]!.text, cause.kind === 'base' ? /^RUN --mount=type=cache/ : cause.at, before);
        if (cause.kind !== 'base') assert.match(missed[0]!.why!, cause.text, before);
        assert.ok(forecast.time.took > 0 && forecast.time.work >= forecast.time.took, before);
      }
      await world.ok('build', '-t', 'app', ...more, context);
      await compare(world, forecast);
    });
  }
});

test('what only execution tells is unknown, and all else is told exactly', { skip: needs('run') }, async () => {
  await using world = await createWorld();
  await world.base('base');
  const dockerfile = (seed: string, kept = ''): string => `FROM base AS made
RUN echo ${seed} > /seed
COPY a /app/a
COPY --link b /app/b
COPY a /
RUN cat /seed
FROM base
COPY --from=made /seed /
COPY a ${kept}/a
RUN cat /a
`;
  const context = world.context({ Dockerfile: dockerfile('1'), a: 'a\n', b: 'b\n' });
  await world.ok('build', '-t', 'app', context);
  writeFileSync(join(context, 'Dockerfile'), dockerfile('2'));
  const forecast = await plan(world, context);
  assert.deepEqual(shown(forecast), [
    'FROM base: hit',
    'RUN echo 2 > /seed: miss (the instruction changed)',
    // Where it goes there may be anything by then.
    'COPY a /app/a: unknown hit (it depends on what #2 gives)',
    'COPY --link b /app/b: hit',
    // It asks nothing of what is below it.
    'COPY a /: hit',
    'RUN cat /seed: unknown miss (it depends on what #2 gives)',
    'FROM base: hit',
    'COPY --from=made /seed /: unknown miss (it depends on what #2 gives)',
    'COPY a /a: unknown hit (it depends on what #8 gives)',
    'RUN cat /a: unknown miss (it depends on what #8 gives)',
  ]);
  assert.deepEqual(forecast.steps.map(({ dependsOn }) => dependsOn), [undefined, undefined, 2, undefined, undefined, 2, undefined, 2, 8, 8]);
  await world.ok('build', '-t', 'app', context);
  await compare(world, forecast);

  // Written otherwise, and the same files in the same place: the layer is known to be the one that is there.
  writeFileSync(join(context, 'Dockerfile'), dockerfile('2', '/.'));
  const same = await plan(world, context);
  assert.deepEqual(shown(same).slice(-2), ['COPY a /./a: miss same (the instruction changed)', 'RUN cat /a: hit']);
  await world.ok('build', '-t', 'app', context);
  await compare(world, same);

  // A new file makes a layer that was never there, and so the key of all that stands on it.
  writeFileSync(join(context, 'a'), 'other\n');
  const changed = await plan(world, context);
  assert.deepEqual(shown(changed).filter((line) => !line.includes(': hit')), [
    'COPY a /app/a: miss (a changed)', 'COPY a /: miss (a changed)', 'RUN cat /seed: miss (it stands on #3, which would be executed)',
    'COPY --from=made /seed /: unknown miss (it depends on what #6 gives)', 'COPY a /./a: miss (a changed)', 'RUN cat /a: unknown miss (it depends on what #8 gives)',
  ]);
  await world.ok('build', '-t', 'app', context);
  await compare(world, changed);

  assert.match((await world.run(['plan', '--no-cache', context])).stdout, /0 of 8 steps in the cache, 8 would be executed/);
  writeFileSync(join(context, 'Dockerfile'), 'FROM base\nRUN true\nCOPY missing /\n');
  assert.match((await world.run(['plan', context])).stderr, /"missing" is not in the build context[^]*Dockerfile:3/);
});

test('a base that is not here is asked for, and what a push would send', { skip: needs('run') || registryMissing() }, async () => {
  await using registry = await startRegistry();
  await using world = await createWorld();
  const name = `${registry.host}/base:1`;
  await world.base('base');
  await world.ok('tag', 'base', name);
  await world.ok('push', name);
  const context = world.context({ Dockerfile: `FROM ${name}\nRUN echo 1 > /a\nCOPY f /f\n`, f: 'f\n' });
  await using other = await createWorld();
  await other.ok('images');
  const forecast = await plan(other, '--push-to', `${registry.host}/app:1`, context);
  assert.equal(forecast.pulls.length, 1);
  const [{ bytes, layers }] = forecast.pulls as [Forecast['pulls'][number]];
  assert.deepEqual(layers.map(({ here }) => here), [false]);
  assert.ok(bytes > layers[0]!.size, `${bytes}`);
  assert.deepEqual(shown(forecast), [`FROM ${name}: miss (${name} is not here)`, 'RUN echo 1 > /a: miss (never built before)', 'COPY f /f: miss (never built before)']);
  assert.deepEqual(forecast.push?.layers.map(({ state }) => state), ['send', 'unknown', 'unknown']);
  assert.match(await other.ok('plan', context), new RegExp(`^Pull: [\\d.]+[kM]B of ${name} for linux/\\w+ \\(all 1 layer\\)$`, 'm'));

  await other.ok('build', '-t', 'app', context);
  const second = await plan(other, '--push-to', `${registry.host}/app:1`, context);
  assert.deepEqual(second.pulls, []);
  assert.deepEqual(second.push?.layers.map(({ state }) => state), ['mount', 'send', 'send']);
  await other.ok('tag', 'app', `${registry.host}/app:1`);
  await other.ok('push', `${registry.host}/app:1`);
  const third = await plan(other, '--push-to', `${registry.host}/app:1`, context);
  assert.deepEqual(third.push?.layers.map(({ state }) => state), ['there', 'there', 'there']);
  assert.equal(third.push?.bytes, 0);
  assert.match(await other.ok('plan', '--push', '-t', `${registry.host}/app:1`, context), /3 of 3 layers there/);
});

test('a plan of a first build needs no store', async () => {
  await using world = await createWorld();
  const context = world.context({ Dockerfile: 'FROM scratch\nCOPY f /f\n', f: '' });
  assert.match(await world.ok('plan', context), /^0 of 1 step in the cache, 1 would be executed\nTime: #1, which was never timed$/m);
});

test('files behind URLs and repositories are asked for, not fetched', async () => {
  let changed = false;
  await using server = await serve((request, response) => {
    if (!changed && request.headers['if-none-match'] === '"1"') return void response.writeHead(304).end();
    response.writeHead(200, { etag: changed ? '"2"' : '"1"', 'content-length': '5' }).end('hello');
  });
  await using world = await createWorld();
  const context = world.context({ Dockerfile: `FROM scratch\nADD http://${server.host}/f /f\n` });
  await world.ok('images');
  const statuses = async (): Promise<string[]> => shown(await plan(world, context));
  const unknown = `ADD http://${server.host}/f /f: unknown miss (it depends on the download of http://${server.host}/f, which is not here)`;
  assert.deepEqual(await statuses(), [unknown]);
  await world.ok('build', context);
  assert.deepEqual(await statuses(), [`ADD http://${server.host}/f /f: hit`]);
  changed = true;
  assert.deepEqual(await statuses(), [unknown]);
  assert.match((await world.run(['plan', `http://${server.host}/context.tar`])).stderr, /the build context is not in the store, and a plan fetches nothing/);
});

test('results that a cache elsewhere has are hits, and nothing is fetched', { skip: needs('run') }, async () => {
  await using first = await createWorld();
  await first.base('base');
  const context = first.context({ Dockerfile: 'FROM base AS a\nRUN echo a > /a\nFROM base\nCOPY --from=a /a /b\nCOPY f /f\n', f: 'f\n' });
  const cache = join(first.folder, 'cache');
  await first.ok('build', '--cache-to', `type=local,dest=${cache},mode=max`, context);
  await using second = await createWorld();
  await second.base('base');
  const from = ['--cache-from', `type=local,src=${cache}`];
  const forecast = await plan(second, ...from, context);
  assert.deepEqual(forecast.steps.slice(1, 2).map(({ text, status, from: where }) => [text, status, where !== undefined]), [['RUN echo a > /a', 'hit', true]]);
  await second.ok('build', '-t', 'app', ...from, context);
  await compare(second, forecast);
});

test('a stage that is to be executed in any case, after builds in which nothing changed', async () => {
  await using world = await createWorld();
  const context = world.context({ Dockerfile: 'FROM scratch AS one\nCOPY src /a/\nFROM scratch\nCOPY --from=one /a /b\nCOPY src /c\n', 'src/a': '1' });
  // Files of a moment ago are not trusted yet.
  for (let i = 0; i < 3; i++) {
    await world.ok('build', '-q', context);
    await new Promise((resolve) => void setTimeout(resolve, 150));
  }
  for (const flags of [['--no-cache-filter', 'one'], ['--no-cache']]) {
    const { steps } = await plan(world, ...flags, context);
    assert.deepEqual(steps.map(({ status, same }) => [status, same]), [['miss', true], flags.length === 2 ? ['hit', undefined] : ['miss', true], flags.length === 2 ? ['hit', undefined] : ['miss', true]]);
    assert.match(await world.ok('build', '--progress', 'json', ...flags, context), /"status":"same"/);
  }
});
