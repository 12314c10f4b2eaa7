/** The history through the program: siru builds, siru logs, --fail-on-miss, and what explain says of modes and installations. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Explanation } from '../src/build/history/explanation.ts';
import type { BuildEntry } from '../src/store/store.ts';
import { needs } from './support/missing.ts';
import { createWorld, type World } from './support/world.ts';

const skip = needs('run');
const explain = async (world: World, ...words: string[]): Promise<Explanation> => JSON.parse(await world.ok('explain', '--json', ...words)) as Explanation;
const inspect = async (world: World, ...words: string[]): Promise<BuildEntry> => JSON.parse(await world.ok('builds', 'inspect', '--json', ...words)) as BuildEntry;

test('the log of a step is kept whole, also of one that fails, and is shown by default', { skip }, async () => {
  await using world = await createWorld();
  await world.base();
  const context = world.context({ Dockerfile: 'FROM base\nRUN i=0; while [ $i -lt 20000 ]; do echo "line $i of a long log"; i=$((i+1)); done; echo the end >&2\nRUN echo out; echo err >&2; false\n' });
  const failed = await world.run(['build', context]);
  assert.equal(failed.code, 1);
  const log = await world.ok('logs', context, 'RUN i=0');
  assert.equal(log.split('\n').length, 20_002);
  assert.match(log, /^line 0 of a long log\n[^]*\nline 19999 of a long log\n/);
  assert.match(log, /the end\n/);
  // Without a directory of its own, the last build; without a step, the one that failed.
  assert.deepEqual((await world.ok('logs')).trimEnd().split('\n').toSorted(), ['err', 'out']);
  const { outcome, error, steps, logBytes } = await inspect(world);
  assert.deepEqual([outcome, error?.code, steps.map(({ status }) => status)], ['failed', 'RUN_FAILED', ['cached', 'executed', 'failed']]);
  assert.equal(logBytes, log.length + 8);
  const { history } = JSON.parse(await world.ok('du', '--format', 'json').then((text) => `{"history":${text.split('\n').find((line) => line.includes('History'))}}`)) as { history: { TotalCount: string; Size: string } };
  assert.equal(history.TotalCount, '1');
  await world.ok('builds', 'rm', await world.ok('builds', '-q').then((text) => text.trim()));
  assert.deepEqual(readdirSync(join(world.store, 'logs')), []);
  assert.equal((await world.run(['logs'])).code, 1);
});

test('builds are listed, filtered, looked at, compared, traced and removed', { skip }, async () => {
  await using world = await createWorld();
  await world.base();
  const context = world.context({ Dockerfile: 'FROM base\nARG V\nCOPY a /\nRUN cat a\n', a: '1' });
  await world.ok('build', '-t', 'app:1', context);
  writeFileSync(join(context, 'a'), '2');
  await world.ok('build', '-t', 'app:2', '--build-arg', 'V=secret', context);
  const other = world.context({ Dockerfile: 'FROM base\nRUN false\n' });
  await world.run(['build', other]);
  const ids = (await world.ok('builds', '-q', '--no-trunc')).trimEnd().split('\n');
  assert.equal(ids.length, 3);
  const list = async (...words: string[]): Promise<string[]> => (await world.ok('builds', '-q', '--no-trunc', ...words)).split('\n').filter((line) => line !== '');
  assert.deepEqual(await list('-f', 'outcome=failed'), [ids[0]]);
  assert.deepEqual(await list('-f', 'name=app:*'), [ids[1], ids[2]]);
  assert.deepEqual(await list('-f', `directory=${other}`), [ids[0]]);
  assert.deepEqual(await list('-f', `before=${ids[1]!.slice(0, 8)}`), [ids[2]]);
  assert.deepEqual(await list('-n', '1'), [ids[0]]);
  assert.match(await world.ok('builds'), /^BUILD +NAME +OUTCOME +STEPS +CACHED +TOOK +CREATED\n[0-9a-f]{8} +\/.* failed +1 +0 /);
  assert.equal(await world.ok('builds', '--format', '{{.Outcome}} {{.Name}}', '-f', 'name=app:1'), 'done app:1\n');

  const build = await inspect(world, 'app:2');
  assert.deepEqual([build.id, build.directory, build.dockerfile, build.arguments], [ids[1], context, 'Dockerfile', ['V']]);
  assert.match(await world.ok('builds', 'inspect', context), /Cache: +0 of 2 steps cached, 2 executed\n/);
  const comparison = JSON.parse(await world.ok('builds', 'compare', '--json', 'app:1', 'app:2')) as { steps: { text: string; equal: boolean }[] };
  assert.deepEqual(comparison.steps.map(({ text, equal }) => [text, equal]), [['FROM base', true], ['COPY a /', false], ['RUN cat a', true]]);
  assert.match(await world.ok('builds', 'compare', 'app:1', 'app:2'), /^\* +\[stage-0\] COPY a \//m);

  const file = join(world.folder, 'trace.json');
  await world.ok('builds', 'trace', 'app:2', '-o', file);
  const chrome = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: { ph: string; name: string; ts: number; dur: number; tid: number }[] };
  const spans = chrome.traceEvents.filter(({ ph, tid }) => ph === 'X' && tid > 0);
  assert.deepEqual(spans.map(({ name }) => name).slice(0, 3), ['FROM base', 'COPY a /', 'RUN cat a']);
  assert.ok(spans.every(({ ts, dur }) => Number.isInteger(ts) && dur >= 0 && ts >= build.started * 1000));
  const otlp = JSON.parse(await world.ok('builds', 'trace', 'app:2', '--format', 'otlp')) as { resourceSpans: { scopeSpans: { spans: { traceId: string; spanId: string; parentSpanId: string; startTimeUnixNano: string; endTimeUnixNano: string }[] }[] }[] };
  const [root, ...children] = otlp.resourceSpans[0]!.scopeSpans[0]!.spans;
  assert.ok(children.length >= 3 && children.every(({ traceId, spanId, parentSpanId }) => traceId === root!.traceId && parentSpanId === root!.spanId && /^[0-9a-f]{16}$/.test(spanId)));
  assert.ok(children.every(({ startTimeUnixNano, endTimeUnixNano }) => BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano)));

  const refused = await world.run(['builds', 'inspect', 'nothing']);
  assert.deepEqual([refused.code, /no build nothing in the history/.test(refused.stderr)], [1, true]);
  assert.match((await world.run(['builds', 'frobnicate'])).stderr, /no such command/);
  assert.equal(await world.ok('builds', 'rm', '--all'), 'Removed 3 builds\n');
  assert.match((await world.run(['explain'])).stderr, /there is no build in the history/);
});

test('--fail-on-miss fails before the step is executed, and tells what changed', { skip }, async () => {
  await using world = await createWorld();
  await world.base();
  const context = world.context({ Dockerfile: 'FROM base\nCOPY a /\nRUN touch /mark\nRUN echo last\n', a: '1' });
  const build = (...flags: string[]): ReturnType<World['run']> => world.run(['build', ...flags, context]);
  assert.equal((await build('--fail-on-miss', 'all')).code, 1, 'nothing was built before');
  assert.equal((await build()).code, 0);
  assert.equal((await build('--fail-on-miss', 'all')).code, 0);
  writeFileSync(join(context, 'a'), '2');
  for (const step of ['RUN touch', ':3', 'stage-0/3']) {
    const { code, stderr } = await build('--fail-on-miss', step);
    assert.equal(code, 1, step);
    assert.match(stderr, /^siru: RUN touch \/mark is not in the cache: a changed, in COPY a \/ of line 2$/m);
  }
  const { causes, steps } = await explain(world, context);
  assert.deepEqual(causes.map(({ text }) => text), ['a changed']);
  assert.deepEqual(steps.map(({ text, status }) => [text, status]), [['FROM base', 'cached'], ['COPY a /', 'cached'], ['RUN touch /mark', 'failed']]);
  for (const step of ['RUN frobnicate', '3', 'stage-0/9']) {
    const { code, stderr } = await build('-t', 'unguarded', '--fail-on-miss', step);
    assert.equal(code, 1, step);
    assert.match(stderr, new RegExp(`^siru: no step of the build is ${step}, which is to fail when it misses$`, 'm'));
  }
  assert.equal(await world.ok('images', '-q', 'unguarded'), '', 'what was not guarded gets no name');
  assert.equal((await build('--fail-on-miss', 'all', '--fail-on-miss', ':3')).code, 0);
});

test('another umask is told from other changes of modes', { skip }, async () => {
  await using world = await createWorld();
  await world.base();
  const context = world.context({ Dockerfile: 'FROM base\nCOPY src src\n', 'src/a': '1', 'src/b': { text: '2', mode: 0o755 } });
  await world.ok('build', context);
  for (const [path, mode] of [['src/a', 0o664], ['src/b', 0o775]] as const) chmodSync(join(context, path), mode);
  await world.ok('build', context);
  const { causes } = await explain(world, context);
  assert.equal(causes.length, 1);
  assert.match(causes[0]!.note!, /^modes differ as umask 0022 and umask 0002 make them/);
  assert.match(await world.ok('explain', context), /^mode of src\/a 0644 -> 0664, and 1 more$/m);
});

test('what would have prevented an installation is said, measured, and only when no manifest changed', { skip }, async () => {
  await using world = await createWorld();
  await world.base();
  const npm = { text: '#!/bin/sh\nsleep 0.2\ncp package.json installed\n', mode: 0o755 };
  const context = world.context({ Dockerfile: 'FROM base\nCOPY --from=tools npm /bin/\nARG ID\nWORKDIR /app\nCOPY . .\nRUN npm ci\n', 'package.json': '{}', 'server.js': '1' });
  const tools = world.context({ npm });
  const build = (...flags: string[]): Promise<string> => world.ok('build', '--build-context', `tools=${tools}`, ...flags, context);
  await build();
  for (let i = 0; i < 3; i++) {
    appendFileSync(join(context, 'server.js'), `${i}`);
    await build();
  }
  const { causes, steps } = await explain(world, context);
  const [advice] = causes[0]!.advice;
  assert.equal(advice!.text, 'Copy what npm reads first: COPY package*.json ./ before RUN npm ci, and COPY . . of line 5 below RUN npm ci');
  assert.equal(advice!.builds, 4);
  const last = steps.find(({ text }) => text === 'RUN npm ci')!.ran!;
  assert.ok(advice!.saves >= last + 2 * 150, 'it is the sum of the three builds in which it was executed for that');
  writeFileSync(join(context, 'package.json'), '{"name":"app"}');
  await build();
  assert.deepEqual((await explain(world, context)).causes.map((cause) => cause.advice), [[]]);
  await build('--build-arg', 'ID=1');
  await build('--build-arg', 'ID=2');
  const [argument] = (await explain(world, context)).causes;
  assert.match(argument!.advice[0]!.text, /^Declare ARG ID below RUN npm ci/);
});
