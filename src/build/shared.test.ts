/** What the steps and stages of a build share, and must not take from each other: layers, locks, failures. RUN needs root. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isSiruError } from '../base/errors.ts';
import type { Event } from '../base/events.ts';
import { busyboxMissing, makeBusyboxImage, makeImage, makeIndex } from '../images/testing/make-image.ts';
import { temporaryStore } from '../images/testing/temporary-store.ts';
import { readImage } from '../images/read.ts';
import type { Store } from '../store/store.ts';
import { build } from './build.ts';
import type { BuildOptions, BuildResult } from './options.ts';

const cannotRun = process.platform !== 'linux' ? 'RUN needs Linux' : process.getuid?.() === 0 ? busyboxMissing() : 'this test runs its steps as root';

type Build = (dockerfile: string, options?: Partial<BuildOptions>) => Promise<BuildResult & { log: string; statuses: string[] }>;

async function world(t: TestContext, files: Record<string, string> = {}): Promise<{ store: Store; context: string; build: Build }> {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  const context = join(folder, 'context');
  mkdirSync(context);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(context, name)), { recursive: true });
    writeFileSync(join(context, name), text);
  }
  makeBusyboxImage(store, 'base:1');
  return {
    store,
    context,
    async build(dockerfile, options = {}) {
      const events: Event[] = [];
      const result = await build({ store, context, dockerfileText: dockerfile, onEvent: (event) => events.push(event), ...options });
      const log = events.map((event) => (event.type === 'step-log' ? event.text : '')).join('');
      return { ...result, log, statuses: events.flatMap((event) => (event.type === 'step-done' && !event.step.text.startsWith('FROM') ? event.status : [])) };
    },
  };
}

const code = (wanted: string, message?: RegExp) => (error: unknown): boolean => {
  assert.ok(isSiruError(error), String(error));
  assert.equal(error.code, wanted, error.message);
  if (message) assert.match(error.message, message);
  return true;
};

test('different steps that come to one layer at the same time do not take it from each other', { skip: cannotRun }, async (t) => {
  const { build } = await world(t);
  const stages = Array.from({ length: 8 }, (_, i) => `FROM base:1 AS s${i}\nRUN : ${i}\nRUN ls / > /o${i}; sleep 0.3; cat /bin/busybox > /dev/null\n`);
  const last = ['FROM scratch', ...stages.map((_, i) => `COPY --from=s${i} /o${i} /`), ''].join('\n');
  for (let round = 0; round < 5; round++) await build(stages.join('') + last, { noCache: true });
});

test('a RUN whose mounts cannot be made ready lets go of the caches that it had locked', { skip: cannotRun }, async (t) => {
  const { build } = await world(t);
  const locked = '--mount=type=cache,target=/c,sharing=locked';
  await assert.rejects(build(`FROM base:1\nRUN ${locked} --mount=type=secret,id=absent,required=true true\n`), code('CONTEXT', /absent/));
  await build(`FROM base:1\nRUN ${locked} true\n`, { signal: AbortSignal.timeout(10_000) });
});

test('two RUNs that lock the same two caches in another order both end; one cache may be locked at two places', { skip: cannotRun }, async (t) => {
  const { build } = await world(t);
  const cache = (id: string, target = `/${id}`): string => `--mount=type=cache,id=${id},target=${target},sharing=locked`;
  const pairs = Array.from({ length: 4 }, (_, i) => `FROM base:1 AS s${i}\nRUN ${i % 2 === 0 ? `${cache('a')} ${cache('b')}` : `${cache('b')} ${cache('a')}`} sleep 0.1; echo ${i} > /o${i}\n`);
  const last = ['FROM scratch', ...pairs.map((_, i) => `COPY --from=s${i} /o${i} /`), ''].join('\n');
  await build(pairs.join('') + last, { signal: AbortSignal.timeout(20_000) });
  const { log } = await build(`FROM base:1\nRUN ${cache('a', '/one')} ${cache('a', '/two')} echo same > /one/x; cat /two/x\n`, { signal: AbortSignal.timeout(10_000) });
  assert.match(log, /same/);
});

test('one stage that fails ends the others at once, and its error is the one that is told', { skip: cannotRun }, async (t) => {
  const { build } = await world(t);
  const started = Date.now();
  const dockerfile = ['FROM base:1 AS bad', 'RUN exit 9', 'FROM base:1 AS slow', 'RUN sleep 30', 'FROM base:1', 'RUN sleep 31', 'COPY --from=slow /x /', 'COPY --from=bad /x /', ''].join('\n');
  await assert.rejects(build(dockerfile), code('RUN_FAILED', /code 9/));
  assert.ok(Date.now() - started < 15_000, 'the other stages went on');
});

test('one name may have two addresses, and one target two mounts', { skip: cannotRun }, async (t) => {
  const { build } = await world(t, { a: 'a', b: 'b' });
  const { log } = await build('FROM base:1\nRUN --mount=source=a,target=/m --mount=source=b,target=/m grep twice /etc/hosts; cat /m\n', {
    addHosts: [['twice', '127.0.0.9'], ['twice', '::9']],
  });
  assert.match(log, /127\.0\.0\.9/);
  assert.match(log, /::9/);
});

test('what a cache begins with counts: other content is another cache, and executes the step again', { skip: cannotRun }, async (t) => {
  const { build, context } = await world(t, { seed: 'one' });
  const dockerfile = 'FROM scratch AS seed\nCOPY seed /d/seed\nFROM base:1\nRUN --mount=type=cache,target=/c,from=seed,source=/d cat /c/seed > /out; cat /out\n';
  assert.match((await build(dockerfile)).log, /one/);
  assert.deepEqual((await build(dockerfile)).statuses, ['cached', 'cached']);
  writeFileSync(join(context, 'seed'), 'two');
  assert.match((await build(dockerfile)).log, /two/);
});

test('the source of a bind mount is a path, whatever its characters, and may be a link', { skip: cannotRun }, async (t) => {
  const { build, context } = await world(t, { 'app/[id]/page': 'page', 'app/i/page': 'wrong', 'real.txt': 'real' });
  symlinkSync('real.txt', join(context, 'link.txt'));
  assert.match((await build('FROM base:1\nRUN --mount=source=app/[id],target=/m cat /m/page\n')).log, /page/);
  assert.match((await build('FROM base:1\nRUN --mount=source=link.txt,target=/m cat /m\n')).log, /real/);
  await assert.rejects(build('FROM base:1\nRUN --mount=source=app/[i],target=/m cat /m/page\n'), code('CONTEXT', /app\/\[i\]/));
});

test('an image that files are taken from is the target\'s, not the platform\'s of the stage; what is made of scratch is the target\'s', async (t) => {
  const { build, store } = await world(t);
  const platforms = [{ os: 'linux', architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }];
  makeIndex(store, platforms.map((platform) => ({ platform, image: makeImage(store, { layers: [{ [platform.architecture]: '' }], platform }) })), 'many:1');
  const dockerfile = 'FROM --platform=linux/arm64 many:1 AS here\nCOPY --from=many:1 / /taken/\nFROM --platform=linux/arm64 scratch\nCOPY --from=here / /\n';
  const { digest } = await build(dockerfile, { platform: 'linux/amd64' });
  const { layers, config } = readImage(store, digest);
  const paths = [...store.layers.toc(layers[0]!.diffId)].map(({ path }) => path);
  assert.deepEqual(paths, ['arm64', 'taken', 'taken/amd64']);
  assert.equal(config.architecture, 'amd64');
});

test('files without content are copied from a stage like others', async (t) => {
  const { build, store } = await world(t, { empty: '' });
  const { digest } = await build('FROM scratch AS a\nCOPY empty /d/\nFROM scratch\nCOPY --from=a /d/empty /x\n');
  const [layer] = readImage(store, digest).layers;
  assert.deepEqual([...store.layers.toc(layer!.diffId)].map(({ path, size }) => [path, size]), [['x', 0]]);
});

test('a source of nothing but backslashes takes no time to be looked for', async (t) => {
  const { build } = await world(t);
  const started = Date.now();
  await assert.rejects(build(`FROM scratch\nCOPY ${'\\\\a'.repeat(60)} /\n`), code('CONTEXT'));
  assert.ok(Date.now() - started < 60_000, 'it grows with the power of what there is');
});

test('a layer may stand in a stack more than once: steps that change nothing make equal layers', { skip: cannotRun }, async (t) => {
  const { build } = await world(t, { a: 'one' });
  const steps = ['RUN true', 'COPY a /x', 'RUN : again', 'RUN rm /x', 'COPY a /x', 'RUN cat /x; rm /x', 'RUN ls /x || echo gone'];
  const { log } = await build(['FROM base:1', ...steps, ''].join('\n'));
  assert.match(log, /one/);
  assert.match(log, /gone/);
});

test('BUILDKIT_CACHE_MOUNT_NS keeps the caches of projects apart', { skip: cannotRun }, async (t) => {
  const { build } = await world(t);
  const dockerfile = 'FROM base:1\nRUN --mount=type=cache,target=/c ls /c; touch /c/here\n';
  const logOf = async (name?: string): Promise<string> => (await build(dockerfile, { noCache: true, ...(name && { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: name } }) })).log;
  assert.deepEqual([await logOf('one'), await logOf('one'), await logOf('two'), await logOf()], ['', 'here\n', '', '']);
});

test('a source that is a link to somewhere outside is told as such', async (t) => {
  const { build, context } = await world(t);
  symlinkSync('/etc/passwd', join(context, 'secrets'));
  await assert.rejects(build('FROM scratch\nCOPY secrets /x\n'), code('CONTEXT', /"secrets" is a symbolic link that leads out of the build context, to "\/etc\/passwd"/));
});
