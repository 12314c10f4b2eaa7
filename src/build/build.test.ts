/** Whole builds through the library, on a busybox base in a temporary store; RUN needs root or a user namespace. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync, chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isSiruError } from '../base/errors.ts';
import type { SiruError } from '../base/errors.ts';
import type { Event } from '../base/events.ts';
import { busyboxMissing, makeBusyboxImage } from '../images/testing/make-image.ts';
import { readImage } from '../images/read.ts';
import { temporaryStore } from '../images/testing/temporary-store.ts';
import type { Store } from '../store/store.ts';
import { build } from './build.ts';
import type { BuildOptions, BuildResult } from './options.ts';

const cannotRun = process.platform !== 'linux' ? 'RUN needs Linux' : process.getuid?.() === 0 ? busyboxMissing() : 'this test runs its steps as root';

interface World {
  store: Store;
  context: string;
  write: (files: Record<string, string>) => void;
  build: (dockerfile: string, options?: Partial<BuildOptions>) => Promise<BuildResult & { events: Event[]; lines: string[] }>;
}

async function world(t: TestContext): Promise<World> {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  const context = join(folder, 'context');
  mkdirSync(context);
  if (!busyboxMissing()) makeBusyboxImage(store, 'base:1');
  const write = (files: Record<string, string>): void => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(context, name)), { recursive: true });
      writeFileSync(join(context, name), text);
    }
  };
  return {
    store,
    context,
    write,
    async build(dockerfile, options = {}) {
      const events: Event[] = [];
      const result = await build({ store, context, dockerfileText: dockerfile, onEvent: (event) => events.push(event), ...options });
      return { ...result, events, lines: told(events) };
    },
  };
}

/** `RUN make: executed (src/a changed)` for each step, in the order in which they ended. */
function told(events: Event[]): string[] {
  return events.flatMap((event) =>
    event.type === 'step-done' && !event.step.text.startsWith('FROM') ? `${event.step.text}: ${event.status}${event.reason === undefined ? '' : ` (${event.reason})`}` : [],
  );
}

test('a build without RUN needs no base, no runtime and no privilege, and depends on its inputs alone', async (t) => {
  const { write, build, context } = await world(t);
  write({ 'a.txt': 'a', 'dir/b.txt': 'b' });
  for (const path of ['a.txt', 'dir/b.txt', 'dir']) utimesSync(join(context, path), 1_700_000_000, 1_700_000_000);
  const dockerfile = 'FROM scratch\nCOPY . /data/\nWORKDIR /work\nENV A=1\nCMD ["/x"]\n';
  const first = await build(dockerfile, { noCache: true });
  const { store } = await world(t);
  const second = await build(dockerfile, { store });
  assert.equal(second.digest, first.digest);
  const { config } = readImage(store, second.digest);
  assert.deepEqual(config.config?.Cmd, ['/x']);
  assert.equal(config.config?.WorkingDir, '/work');
  assert.equal(config.rootfs.diff_ids.length, 2);
  assert.equal(config.created, '2023-11-14T22:13:20Z');
});

test('what is almost the name of a context or of an image of the store is told', async (t) => {
  const { build } = await world(t);
  await build('FROM scratch\nENV A=1\n', { tags: ['localhost:1/team/app:1'] });
  const hint = async (dockerfile: string, options?: Parameters<typeof build>[1]): Promise<string | undefined> => build(dockerfile, options).then(() => undefined, (error: SiruError) => error.hint);
  assert.match((await hint('FROM localhost:1/team/ap:1\n'))!, /^Did you mean localhost:1\/team\/app:1, which is in the store\? Is the server running/);
  assert.match((await hint('FROM scratch\nCOPY --from=localhost:1/shred a /\n', { buildContexts: { 'localhost:1/shared': '.' } }))!, /^Did you mean the context localhost:1\/shared\?/);
});

test('a --chown with a name that nobody has is warned of', async (t) => {
  const { build, write } = await world(t);
  write({ a: 'a' });
  const { events } = await build('FROM scratch\nCOPY --chown=nobdy:grp a /\nCOPY --chown=7:8 a /b\n');
  assert.deepEqual(events.flatMap((event) => (event.type === 'warning' ? event.text : [])), [
    'COPY --chown=nobdy:grp a /: the image has no user "nobdy": it is root\'s', 'COPY --chown=nobdy:grp a /: the image has no group "grp": it counts for nothing',
  ]);
});

test('nothing changed: nothing is executed and the image is the same', { skip: cannotRun }, async (t) => {
  const { write, build } = await world(t);
  write({ 'src/a': '1' });
  const dockerfile = 'FROM base:1\nCOPY src /src\nRUN cat /src/a > /b\n';
  const first = await build(dockerfile);
  const second = await build(dockerfile);
  assert.deepEqual(first.steps, { cached: 0, executed: 2, same: 0, config: 0 });
  assert.deepEqual(second.steps, { cached: 2, executed: 0, same: 0, config: 0 });
  assert.equal(second.digest, first.digest);
});

test('a miss names its cause, and what follows names the step that it follows from', { skip: cannotRun }, async (t) => {
  const { write, build, context } = await world(t);
  write({ 'src/a': '1', 'src/b': '1' });
  const dockerfile = 'FROM base:1\nARG VERSION=1\nCOPY src /src\nRUN cat /src/a > /c; echo $VERSION > /v\n';
  await build(dockerfile);
  write({ 'src/a': '2' });
  assert.deepEqual((await build(dockerfile)).lines, [
    'COPY src /src: executed (src/a changed)',
    'RUN cat /src/a > /c; echo 1 > /v: executed (it stands on COPY src /src, which changed)',
  ]);
  assert.deepEqual((await build(dockerfile, { buildArgs: { VERSION: '2' } })).lines, [
    'COPY src /src: cached',
    'RUN cat /src/a > /c; echo 2 > /v: executed (build argument VERSION 1 -> 2)',
  ]);
  chmodSync(join(context, 'src/b'), 0o600);
  assert.match((await build(dockerfile, { buildArgs: { VERSION: '2' } })).lines[0]!, /mode of src\/b 0644 -> 0600/);
});

test('a step that is executed again with an equal result leaves all that stands on it cached', { skip: cannotRun }, async (t) => {
  const { write, build, store } = await world(t);
  write({ 'src/a': '1\nnoise 1\n' });
  const dockerfile = 'FROM base:1 AS one\nCOPY src /src\nRUN head -1 /src/a > /out\nFROM base:1\nCOPY --from=one /out /out\nRUN cat /out > /final\n';
  const first = await build(dockerfile);
  write({ 'src/a': '1\nnoise 2\n' });
  const second = await build(dockerfile);
  assert.deepEqual(second.lines.map((step) => step.replace(/ \(.*/, '')), [
    'COPY src /src: executed',
    'RUN head -1 /src/a > /out: executed',
    'COPY --from=one /out /out: cached',
    'RUN cat /out > /final: cached',
  ]);
  assert.equal(second.imageId, first.imageId);
  const touch = 'FROM base:1\nARG NOISE\nRUN echo same > /x\nRUN cat /x > /y\n';
  await build(touch, { buildArgs: { NOISE: '1' } });
  const again = await build(touch, { buildArgs: { NOISE: '2' } });
  assert.deepEqual(again.lines.map((step) => step.replace(/ \(.*/, '')), ['RUN echo same > /x: same', 'RUN cat /x > /y: same']);
  const quiet = 'FROM base:1\nRUN echo same > /x\nRUN cat /x > /y\n';
  const before = await build(quiet);
  const changed = await build(quiet.replace('echo same', 'echo  same'));
  assert.deepEqual(changed.lines.map((step) => step.replace(/ \(.*/, '')), ['RUN echo  same > /x: same', 'RUN cat /x > /y: cached']);
  assert.deepEqual(readImage(store, changed.digest).config.rootfs, readImage(store, before.digest).config.rootfs);
});

test('stages run side by side, unused ones not at all', { skip: cannotRun }, async (t) => {
  const { build } = await world(t);
  const stages = ['a', 'b', 'c', 'd'];
  // Each waits for all others, which come only when they run beside it.
  const meet = (name: string): string => `touch /meet/${name}; i=0; until [ "$(ls /meet | wc -l)" = 4 ]; do sleep 0.05; i=$((i+1)); [ $i -lt 1200 ] || exit 1; done`;
  const { lines } = await build(
    [
      'FROM base:1 AS unused',
      'RUN exit 1',
      ...stages.flatMap((name) => [`FROM base:1 AS ${name}`, `RUN --mount=type=cache,target=/meet ${meet(name)}; echo ${name} > /${name}`]),
      'FROM scratch',
      ...stages.map((name) => `COPY --from=${name} /${name} /`),
      '',
    ].join('\n'),
  );
  assert.equal(lines.length, 8);
});

test('a failure keeps what succeeded, names nothing, and tells line, code and output', { skip: cannotRun }, async (t) => {
  const { build, store } = await world(t);
  const events: Event[] = [];
  const failing = build('FROM base:1\nRUN echo fine > /a\nRUN echo about to fail; exit 7\n', { tags: ['app:1'], onEvent: (event) => events.push(event) });
  await assert.rejects(failing, (error: unknown) => {
    assert.ok(isSiruError(error));
    assert.equal(error.code, 'RUN_FAILED');
    assert.equal((error as { exitCode?: number }).exitCode, 7);
    assert.match(error.message, /Dockerfile:3/);
    return true;
  });
  assert.ok(events.some((event) => event.type === 'step-log' && event.text.includes('about to fail')));
  assert.equal(store.images.byName('docker.io/library/app:1'), undefined);
  const { lines } = await build('FROM base:1\nRUN echo fine > /a\nRUN echo repaired\n', { tags: ['app:1'] });
  assert.match(lines[0]!, /: cached$/);
});

test('a mistake in a late line is told before anything is executed', { skip: cannotRun }, async (t) => {
  const { build } = await world(t);
  const events: Event[] = [];
  await assert.rejects(build('FROM base:1\nRUN echo executed\nSTOPSIGNAL nonsense\n', { onEvent: (event) => events.push(event) }), /Dockerfile:3/);
  assert.deepEqual(told(events), []);
});

test('the signal ends a running step at once and leaves no snapshot', { skip: cannotRun }, async (t) => {
  const { build, store } = await world(t);
  const stop = new AbortController();
  const building = build('FROM base:1\nRUN echo started; sleep 60\n', {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'step-log') stop.abort();
    },
  });
  const started = Date.now();
  await assert.rejects(building, (error: unknown) => isSiruError(error) && error.code === 'CANCELLED');
  assert.ok(Date.now() - started < 20_000);
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), []);
});

test('missing things are told with their place', async (t) => {
  const { write, build, context } = await world(t);
  write({ 'server.js': '', '.dockerignore': '*.log\n', 'x.log': '' });
  await assert.rejects(build('FROM scratch\nCOPY sever.js /\n'), /Dockerfile:2/);
  await assert.rejects(build('FROM scratch\nCOPY x.log /\n'), /\.dockerignore/);
  await assert.rejects(build('FROM scratch\nCOPPY a b\n'), /did you mean COPY/i);
  await assert.rejects(build('FROM scratch AS one\n', { target: 'onne' }), (error: unknown) => isSiruError(error) && /one/.test(error.hint ?? ''));
  rmSync(context, { recursive: true });
  await assert.rejects(build('FROM scratch\nCOPY a /\n'), (error: unknown) => isSiruError(error) && error.code === 'CONTEXT');
});

test('SOURCE_DATE_EPOCH as a build argument sets every time, as the option does', async (t) => {
  const { write, build, context, store } = await world(t);
  write({ a: 'a' });
  utimesSync(join(context, 'a'), 1_700_000_000, 1_700_000_000);
  const dockerfile = 'FROM scratch\nCOPY a /\n';
  const { digest } = await build(dockerfile, { buildArgs: { SOURCE_DATE_EPOCH: '1000' } });
  assert.equal(readImage(store, digest).config.created, '1970-01-01T00:16:40Z');
  assert.equal((await build(dockerfile, { sourceDateEpoch: 1000 })).digest, digest);
  assert.notEqual((await build(dockerfile)).digest, digest);
  await assert.rejects(build(dockerfile, { buildArgs: { SOURCE_DATE_EPOCH: 'yesterday' } }), (error: unknown) => isSiruError(error) && error.code === 'USAGE');
});

test('# check=error=true makes findings an error that names them, before anything is built', async (t) => {
  const { build, write } = await world(t);
  write({ a: '1' });
  const events: Event[] = [];
  const head = '# check=error=true';
  const body = 'FROM scratch as x\nCOPY a /a\nMAINTAINER me\n';
  await assert.rejects(build(`${head}\n${body}`, { onEvent: (event) => events.push(event) }), (error) => {
    assert.ok(isSiruError(error) && error.code === 'DOCKERFILE');
    assert.match(error.message, /FromAsCasing, MaintainerDeprecated$/);
    return true;
  });
  assert.deepEqual(events.map(({ type }) => type), ['warning', 'warning']);
  await build(`# check=skip=FromAsCasing,MaintainerDeprecated;error=true\n${body}`);
  // What only the plan of a stage finds counts as well, and arguments of the command line do not.
  await assert.rejects(build(`${head}\nFROM scratch\nCOPY a /$NOTHING\n`), { code: 'DOCKERFILE', message: /UndefinedVar/ });
  await build(`# check=skip=UndefinedVar;error=true\nFROM scratch\nCOPY a /x$NOTHING\n`, { buildArgs: { LOOSE: '1' } });
});

test('a base that is here for another platform is named when its registry does not answer', async (t) => {
  const { build, store } = await world(t);
  const name = '127.0.0.1:1/group/app:1';
  const { digest } = await build('FROM scratch\nENV A=1\n', { platform: 'linux/s390x' });
  store.images.tag(name, store.images.byId(digest)[0]!.descriptor.digest);
  await assert.rejects(build(`FROM ${name}\n`, { platform: 'linux/arm64' }), (error) => {
    assert.ok(isSiruError(error) && error.code === 'NETWORK', String(error));
    assert.match(error.hint!, /is an image for linux\/s390x, not for linux\/arm64/);
    return true;
  });
});

test('a Dockerfile that is not there is said so in words', async (t) => {
  const { build, context } = await world(t);
  await assert.rejects(build('', { dockerfileText: undefined, dockerfile: join(context, 'nope') }), { code: 'CONTEXT', message: `there is no file ${join(context, 'nope')}` });
});

test('several platforms give an index, and what is built for the building platform is built once', async (t) => {
  const { store, build, write } = await world(t);
  write({ a: 'a' });
  const dockerfile = 'FROM --platform=$BUILDPLATFORM scratch AS made\nCOPY a /a\nFROM scratch\nARG TARGETARCH\nCOPY --from=made /a /$TARGETARCH\n';
  const built = await build(dockerfile, { platform: 'linux/amd64,linux/arm64', tags: ['many:1'] });
  const named = store.images.byName('docker.io/library/many:1')!;
  assert.equal(named.descriptor.digest, built.digest);
  assert.deepEqual(built.images.map(({ platform }) => platform), ['linux/amd64', 'linux/arm64']);
  assert.equal(built.images[0]!.imageId, built.imageId);
  for (const architecture of ['amd64', 'arm64']) assert.equal(readImage(store, named, { os: 'linux', architecture }).config.architecture, architecture);
  assert.equal(store.images.list().length, 1 + (busyboxMissing() ? 0 : 1));
  assert.deepEqual(built.lines.toSorted().map((line) => line.replace(/executed|cached/, '')), [
    'COPY --from=made /a /amd64: ', 'COPY --from=made /a /arm64: ', 'COPY a /a: ', 'COPY a /a: ',
  ]);
  assert.equal(built.lines.filter((line) => line.startsWith('COPY a') && line.endsWith('executed')).length, 1);
  const stages = new Set(built.events.flatMap((event) => (event.type === 'step-started' ? [event.step.stage] : [])));
  assert.deepEqual([...stages].toSorted(), ['linux/amd64 made', 'linux/amd64 stage-1', 'linux/arm64 made', 'linux/arm64 stage-1']);
});
