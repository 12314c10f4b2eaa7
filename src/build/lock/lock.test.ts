/** Locked and offline builds against real servers on loopback: a registry, files behind URLs, a git host. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { contextOf } from '../../base/context.ts';
import { isSiruError } from '../../base/errors.ts';
import type { Event } from '../../base/events.ts';
import { pushImage } from '../../images/push.ts';
import { readImage } from '../../images/read.ts';
import { makeImage, makeIndex } from '../../images/testing/make-image.ts';
import { temporaryStore } from '../../images/testing/temporary-store.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform, hostPlatform, parsePlatform } from '../../oci/platform.ts';
import { parseReferenceWithTag } from '../../oci/reference.ts';
import { createRemote } from '../../remote/client.ts';
import { countRequests, type CountedServer } from '../../remote/testing/count-requests.ts';
import { serve } from '../../remote/testing/serve.ts';
import { registryMissing, startRegistry } from '../../remote/testing/start-registry.ts';
import type { Store } from '../../store/store.ts';
import { build } from '../build.ts';
import { makeRepository, serveRepositories } from '../contexts/git-server.suite.ts';
import { forecastBuild } from '../forecast/forecast-build.ts';
import { openLayerStack } from '../layer-stack.ts';
import type { BuildOptions, BuildResult } from '../options.ts';
import { verifyBuild } from '../verify/verify.ts';
import { lockBuild, type LockOptions, type LockReport } from './lock.ts';

const noGit = spawnSync('git', ['--version']).error === undefined ? false : 'git is not installed';
const quiet = contextOf();
const host = formatPlatform(hostPlatform());
const other = host === 'linux/arm64' ? 'linux/amd64' : 'linux/arm64';

interface World {
  store: Store;
  /** Of the context. */
  folder: string;
  file: (name: string, text: string) => void;
  /** Text of the lock file, without its first two lines. */
  lines: () => string[];
  build: (options?: Partial<BuildOptions>) => Promise<BuildResult & { text: (path: string) => Promise<string | undefined>; warnings: string[] }>;
  lock: (options?: Partial<LockOptions>) => Promise<LockReport>;
  /** A store and context of their own with the same files. */
  elsewhere: () => Promise<World>;
}

async function world(t: TestContext, files: Record<string, string>): Promise<World> {
  const { store, folder: place, [Symbol.asyncDispose]: dispose } = await temporaryStore();
  t.after(dispose);
  const folder = join(place, 'context');
  mkdirSync(folder);
  const file = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
    utimesSync(join(folder, name), 1_700_000_000, 1_700_000_000);
  };
  for (const [name, text] of Object.entries(files)) file(name, text);
  return {
    store,
    folder,
    file,
    lines: () => readFileSync(join(folder, 'Dockerfile.lock'), 'utf8').trimEnd().split('\n').slice(2),
    async build(options = {}) {
      const events: Event[] = [];
      const result = await build({ store, context: folder, ...options, onEvent: (event) => events.push(event) });
      const stack = await openLayerStack(store, readImage(store, result.digest).layers, quiet);
      t.after(() => stack[Symbol.dispose]());
      return {
        ...result,
        warnings: events.flatMap((event) => (event.type === 'warning' ? [event.text] : [])),
        text: async (path) => {
          const bytes = await stack.readFile(path);
          return bytes && Buffer.from(bytes).toString();
        },
      };
    },
    lock: (options = {}) => lockBuild({ store, context: folder, ...options }),
    elsewhere: () => world(t, Object.fromEntries(['Dockerfile', 'Dockerfile.lock'].filter((name) => existsSync(join(folder, name))).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))),
  };
}

/** A registry behind a server that counts, and images in it: `text` is the content of /motd. */
async function registry(t: TestContext): Promise<{ counted: CountedServer; push: (name: string, text: string, platforms?: string[], onBuild?: string[]) => Promise<Digest> }> {
  const real = await startRegistry();
  t.after(() => real.stop());
  const counted = await countRequests(real.host);
  t.after(() => counted[Symbol.asyncDispose]());
  const push = async (name: string, text: string, platforms = [host], onBuild?: string[]): Promise<Digest> => {
    await using from = await temporaryStore();
    await using remote = createRemote({ environment: { HOME: '/nonexistent' } });
    const images = platforms.map((platform) => makeImage(from.store, { layers: [{ motd: `${text} ${platform}\n` }], platform: parsePlatform(platform), config: { Env: [`FROM_BASE=${text}`], ...(onBuild && { OnBuild: onBuild }) } }));
    const image = platforms.length === 1 ? images[0]! : makeIndex(from.store, images.map((one, i) => ({ image: one, platform: parsePlatform(platforms[i]!) })));
    const { digest } = await pushImage({ store: from.store, remote, image, reference: parseReferenceWithTag(`${real.host}/${name}`) }, quiet);
    return digest;
  };
  return { counted, push };
}

const fails = (code: string, ...texts: (string | RegExp)[]) => (error: unknown): boolean => {
  assert.ok(isSiruError(error), String(error));
  assert.equal(error.code, code, error.message);
  const all = `${error.message}\n${error.hint}`;
  for (const text of texts) assert.ok(typeof text === 'string' ? all.includes(text) : text.test(all), `${String(text)} is not in\n${all}`);
  return true;
};

const skip = registryMissing();

test('a tag moves, and a locked build stands on what it was; no registry is asked for the tag', { skip }, async (t) => {
  const { counted, push } = await registry(t);
  await push('app:1', 'old');
  const here = await world(t, { Dockerfile: `FROM ${counted.host}/app:1\nCOPY Dockerfile /\n` });
  const report = await here.lock();
  assert.equal(report.written, true);
  assert.deepEqual(here.lines(), [`image ${counted.host}/app:1 ${host} ${(report.entries[0] as { digest: string }).digest}`]);
  await push('app:1', 'new');
  counted.taken();
  const locked = await here.build();
  assert.equal(await locked.text('motd'), `old ${host}\n`);
  assert.deepEqual(counted.taken().filter((request) => request.includes('/manifests/1')), []);
  // As it is called in the Dockerfile, not by its digest.
  assert.deepEqual(here.store.builds.list()[0]!.steps[0]!.base, { name: `${counted.host}/app:1`, digest: (report.entries[0] as { digest: Digest }).digest });
  const again = await here.build();
  assert.deepEqual([counted.taken(), again.steps.executed], [[], 0]);

  const there = await here.elsewhere();
  assert.equal((await there.build({ tags: ['a'] })).digest, locked.digest);
  assert.equal(await (await there.build({ locked: false })).text('motd'), `new ${host}\n`);

  const renewed = await here.lock({ update: ['app'].map((name) => `${counted.host}/${name}`) });
  assert.deepEqual([renewed.changed.length, renewed.added.length, renewed.removed.length], [1, 0, 0]);
  assert.equal(await (await here.build()).text('motd'), `new ${host}\n`);
});

test('every place that takes an image is locked, for each platform', { skip }, async (t) => {
  const { counted, push } = await registry(t);
  const at = (name: string): string => `${counted.host}/${name}:1`;
  for (const name of ['base', 'copied', 'mounted', 'named', 'fired', 'unused']) await push(`${name}:1`, name, [host, other], name === 'base' ? [`COPY --from=${at('fired')} /motd /fired`] : undefined);
  const here = await world(t, {
    Dockerfile: `FROM ${at('unused')} AS unused\nFROM --platform=$BUILDPLATFORM ${at('base')} AS tool\nRUN --mount=from=${at('mounted')},target=/x true\nFROM ${at('base')}\nCOPY --from=${at('copied')} /motd /a\nCOPY --from=ctx /motd /b\nCOPY --from=tool /motd /c\nCOPY --from=${at('base')}@sha256:${'0'.repeat(64)} /motd /d\n`,
  });
  const buildContexts = { ctx: `docker-image://${at('named')}` };
  // What the Dockerfile names by a digest need not be locked, but has to be there when it is stood on.
  const dockerfile = readFileSync(join(here.folder, 'Dockerfile'), 'utf8');
  here.file('Dockerfile', dockerfile.replace(/\nCOPY [^\n]*@sha256[^\n]*/, ''));
  const first = await here.lock({ buildContexts, platform: [other] });
  const names = (report: LockReport): string[] => report.entries.map((entry) => (entry.kind === 'image' ? `${entry.name.split('/')[1]} ${entry.platform}` : entry.name));
  assert.deepEqual(names(first).toSorted(), [`base:1 ${host}`, `base:1 ${other}`, `copied:1 ${other}`, `fired:1 ${other}`, `mounted:1 ${other}`, `named:1 ${other}`].toSorted());
  assert.deepEqual(first.platforms, [other]);

  const check = await here.lock({ buildContexts, check: true, platform: [host] });
  assert.deepEqual([check.written, check.missing.map((key) => key.split('/')[1])], [false, ['copied:1 linux', 'fired:1 linux', 'mounted:1 linux', 'named:1 linux']]);
  // Without a platform those of the file.
  assert.deepEqual((await here.lock({ buildContexts, check: true })).missing, []);
  const both = await here.lock({ buildContexts, platform: [host, other] });
  assert.deepEqual([both.added.length, both.changed, both.removed], [4, [], []]);

  counted.taken();
  const kept = await here.lock({ buildContexts });
  assert.equal(kept.written, false);
  assert.deepEqual(counted.taken().filter((request) => request.endsWith('/manifests/1')), []);
  const less = await here.lock({ platform: [host], target: 'unused' });
  assert.deepEqual([names(less), less.removed.length], [[`unused:1 ${host}`], 10]);
});

test('a file behind a URL that changed is an error with both digests; what was locked is fetched once', async (t) => {
  let content = 'one';
  const server = await serve((_, response) => void response.end(content));
  t.after(() => server[Symbol.asyncDispose]());
  const address = `http://user:password@${server.host}/tool.txt?version=1`;
  const here = await world(t, { Dockerfile: `FROM scratch\nADD ${address} /tool\nADD --checksum=sha256:${'0'.repeat(64)} http://${server.host}/checked /\n` });
  here.file('Dockerfile', `FROM scratch\nADD ${address} /tool\n`);
  const first = await here.lock();
  assert.deepEqual(here.lines(), [`url http://${server.host}/tool.txt?version=1 sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed`]);
  assert.equal(server.seen.length, 1);
  assert.equal(await (await here.build()).text('tool'), 'one');
  assert.equal(server.seen.length, 1, 'the build takes what the lock fetched');

  content = 'two';
  const there = await here.elsewhere();
  await assert.rejects(there.build(), fails('DIGEST', `http://${server.host}/tool.txt has the digest sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3, and Dockerfile.lock says ${(first.entries[0] as { digest: string }).digest}`, 'siru lock --update'));
  // Here it was fetched when it was as it is locked.
  assert.equal(await (await here.build({ noCache: true })).text('tool'), 'one');
  const renewed = await here.lock({ update: [address] });
  assert.equal(renewed.changed.length, 1);
  assert.equal(await (await here.build()).text('tool'), 'two');
});

test('a kept download that was damaged is fetched again', async (t) => {
  const server = await serve((_, response) => void response.end('one'));
  t.after(() => server[Symbol.asyncDispose]());
  const here = await world(t, { Dockerfile: `FROM scratch\nADD http://${server.host}/tool /\n` });
  const { entries: [entry] } = await here.lock();
  writeFileSync(here.store.blobs.path((entry as { digest: Digest }).digest), 'eno');
  assert.equal(await (await here.build()).text('tool'), 'one');
});

test('a branch moves, and a locked build takes the commit that it was', { skip: noGit }, async (t) => {
  const here = await world(t, {});
  const root = join(here.folder, '..', 'repositories');
  mkdirSync(root);
  const server = await serveRepositories(root);
  t.after(() => server[Symbol.asyncDispose]());
  const repository = makeRepository(root, 'app', { a: 'one' });
  const before = repository.git('rev-parse', 'HEAD');
  repository.git('tag', '-a', '-m', 'x', 'v1');
  here.file('Dockerfile', `FROM scratch\nADD ${server.url}/app.git#main /src\nADD --keep-git-dir ${server.url}/app.git#v1 /tag\nADD ${server.url}/app.git /head\nCOPY --from=named a /named\nADD ${server.url}/app.git#${before} /commit\n`);
  const buildContexts = { named: `${server.url}/app.git#main:` };
  await here.lock({ buildContexts });
  const tag = repository.git('rev-parse', 'v1');
  assert.deepEqual(here.lines(), [
    `git ${server.url}/app.git ${before} refs/heads/main`,
    `git ${server.url}/app.git#main ${before} refs/heads/main`,
    `git ${server.url}/app.git#v1 ${before} refs/tags/v1 ${tag}`,
  ]);
  const unlocked = await here.build({ buildContexts, locked: false });
  repository.commit({ a: 'two' });
  const requests = server.requests.length;
  const locked = await here.build({ buildContexts });
  // The same bytes as the unlocked build had, .git of the tag included.
  assert.equal(locked.digest, unlocked.digest);
  assert.equal(server.requests.length, requests);
  const there = await here.elsewhere();
  const elsewhere = await there.build({ buildContexts });
  assert.deepEqual([await elsewhere.text('src/a'), await elsewhere.text('head/a'), await elsewhere.text('named'), await elsewhere.text('commit/a')], ['one', 'one', 'one', 'one']);
  assert.equal((await here.lock({ buildContexts, update: [`${server.url}/app.git#main`] })).changed.length, 1);
  assert.equal(await (await here.build({ buildContexts })).text('src/a'), 'two');
  assert.equal((await here.lock({ buildContexts, update: [`${server.url}/app.git`] })).changed.length, 1);
});

test('a build fails before any step when the lock lacks something, and names all of it', { skip }, async (t) => {
  const { counted, push } = await registry(t);
  await push('app:1', 'old');
  const at = `${counted.host}/app:1`;
  const here = await world(t, { Dockerfile: `FROM ${at}\n` });
  await here.lock();
  await here.build();
  here.file('Dockerfile', `FROM ${at}\nARG FILE=tool\nRUN exit 1\nFROM ${at}\nADD http://127.0.0.1:9/$FROM_BASE/tool /\nADD http://127.0.0.1:9/app.git#main /src\nCOPY --from=other:1 /a /\nRUN exit 1\n`);
  await assert.rejects(here.build(), fails('LOCK', 'Dockerfile.lock does not have all', `image other:1 for ${host} (line 7)`, 'file http://127.0.0.1:9/old/tool (line 5)', 'repository http://127.0.0.1:9/app.git#main (line 6)', 'siru lock'));
  await assert.rejects(forecastBuild({ store: here.store, context: here.folder }), fails('LOCK', 'image other:1'));
  here.file('Dockerfile', `FROM ${at}\n`);
  await assert.rejects(here.build({ platform: other }), fails('LOCK', `image ${at} for ${other}`, `siru lock --platform ${[host, other].join(',')}`));
  const plan = await forecastBuild({ store: here.store, context: here.folder });
  assert.equal(plan.steps[0]!.status, 'hit');
});

test('--locked without a file is an error, and a lock file elsewhere is used when it is named', { skip: noGit }, async (t) => {
  const here = await world(t, { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  await assert.rejects(here.build({ locked: true }), fails('LOCK', 'there is no lock file', 'siru lock'));
  const root = join(here.folder, '..', 'repositories');
  mkdirSync(root);
  const server = await serveRepositories(root);
  t.after(() => server[Symbol.asyncDispose]());
  const repository = makeRepository(root, 'app', { Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'one' });
  const context = `${server.url}/app.git#main`;
  await assert.rejects(here.lock({ context }), fails('USAGE', '--lock-file'));
  const lockFile = join(here.folder, 'my.lock');
  assert.equal((await here.lock({ context, lockFile })).entries.length, 1);
  repository.commit({ a: 'two' });
  assert.equal(await (await here.build({ context, lockFile })).text('a'), 'one');
  assert.equal(await (await here.build({ context })).text('a'), 'two');
  // A lock in the repository counts for what its Dockerfile takes.
  repository.commit({ Dockerfile: 'FROM nothing:1\n', 'Dockerfile.lock': `siru-lock 1\nplatforms ${host}\n` });
  await assert.rejects(here.build({ context }), fails('LOCK', `image nothing:1 for ${host}`));
});

test('offline: what is missing is named together, before any step', { skip: skip || noGit }, async (t) => {
  const { counted, push } = await registry(t);
  await push('app:1', 'old');
  const dockerfile = `FROM ${counted.host}/app:1 AS a\nRUN exit 1\nFROM ${counted.host}/app:2\nADD http://127.0.0.1:9/tool /\nADD http://127.0.0.1:9/app.git#main /src\nCOPY --from=a /x /\n`;
  const here = await world(t, { Dockerfile: dockerfile });
  counted.taken();
  const offline = { offline: true, cacheFrom: [{ type: 'registry' as const, at: `${counted.host}/app:cache` }] };
  await assert.rejects(here.build(offline), fails('OFFLINE',
    `cache ${counted.host}/app:cache`, `image ${counted.host}/app:1 for ${host} (line 1)`, `image ${counted.host}/app:2 for ${host} (line 3)`,
    'file http://127.0.0.1:9/tool (line 4)', 'repository http://127.0.0.1:9/app.git#main (line 5)',
    `siru pull --platform ${host} ${counted.host}/app:1`, 'leave out --cache-from'));
  await assert.rejects(forecastBuild({ store: here.store, context: here.folder, offline: true }), fails('OFFLINE', 'app:2'));
  assert.deepEqual(counted.taken(), []);
  await assert.rejects(here.build({ offline: true, outputs: [{ type: 'image', names: ['x'], push: true }] }), fails('USAGE', 'siru push'));
});

test('offline: a build of what is here asks nobody, with a lock and without', { skip: skip || noGit }, async (t) => {
  const { counted, push } = await registry(t);
  await push('app:1', 'old', [host, other]);
  const files = await serve((_, response) => void response.end('tool'));
  t.after(() => files[Symbol.asyncDispose]());
  const here = await world(t, {});
  const root = join(here.folder, '..', 'repositories');
  mkdirSync(root);
  const server = await serveRepositories(root);
  t.after(() => server[Symbol.asyncDispose]());
  const repository = makeRepository(root, 'app', { a: 'one' });
  here.file('Dockerfile', `FROM ${counted.host}/app:1\nADD http://${files.host}/tool /\nADD ${server.url}/app.git#main /src\nCOPY --from=${counted.host}/app:1 motd /again\n`);
  const buildContexts = { unused: `docker-image://${counted.host}/unused:1` };
  const first = await here.build({ buildContexts });
  await push('app:1', 'new');
  repository.commit({ a: 'two' });
  counted.taken();
  const asked = [files.seen.length, server.requests.length];
  const nobody = (): void => assert.deepEqual([counted.taken(), files.seen.length, server.requests.length], [[], ...asked]);
  const offline = await here.build({ buildContexts, offline: true });
  assert.deepEqual([offline.digest, offline.steps.executed], [first.digest, 0]);
  nobody();
  assert.deepEqual((await forecastBuild({ store: here.store, context: here.folder, offline: true })).pulls, []);
  nobody();
  // The lock of what is here.
  const locked = await here.lock({ offline: true });
  assert.equal(locked.entries.length, 3);
  nobody();
  assert.equal((await here.build({ buildContexts, offline: true })).digest, first.digest);
  nobody();
  // Executed again, the files come from the store: a repository is kept there. A file is from the time of a lock.
  await assert.rejects(here.build({ offline: true, noCache: true }), fails('OFFLINE', `${files.host}/tool`));
  await here.lock({ update: true });
  await here.build();
  counted.taken();
  asked.splice(0, 2, files.seen.length, server.requests.length);
  const again = await here.build({ offline: true, noCache: true });
  assert.deepEqual([await again.text('motd'), await again.text('src/a'), await again.text('tool')], [`new ${host}\n`, 'two', 'tool']);
  nobody();
});

test('base images are asked for by HEAD alone, and at most once in the interval', { skip }, async (t) => {
  const { counted, push } = await registry(t);
  await push('app:1', 'old', [host, other]);
  const here = await world(t, { Dockerfile: `FROM ${counted.host}/app:1 AS a\nFROM ${counted.host}/app:1\nCOPY --from=a motd /b\n` });
  await here.build({ platform: [host, other] });
  counted.taken();
  await here.build();
  assert.deepEqual(counted.taken(), [], 'what is here is taken');
  await here.build({ revalidate: 3_600_000 });
  assert.deepEqual(counted.taken(), [], 'it was pulled just now');
  const manifest = /^HEAD \/v2\/app\/manifests\/1$/;
  const heads = (): string[] => counted.taken().filter((request) => !request.endsWith(' /v2/'));
  for (const options of [{ revalidate: 0 }, { pull: true }, { pull: true, platform: [host, other] }]) {
    const result = await here.build(options);
    const [head, ...more] = heads();
    assert.match(head!, manifest);
    assert.deepEqual([more, result.steps.executed], [[], 0]);
  }
  await here.build({ revalidate: 3_600_000 });
  assert.deepEqual(heads(), []);
  assert.equal((await forecastBuild({ store: here.store, context: here.folder, revalidate: 0 })).pulls.length, 0);
  assert.equal(heads().length, 1);

  const digest = await push('app:1', 'new', [host, other]);
  await here.build({ revalidate: 3_600_000 });
  assert.deepEqual(heads(), []);
  const moved = await here.build({ revalidate: 0 });
  assert.equal(await moved.text('b'), `new ${host}\n`);
  assert.equal(heads().filter((request) => manifest.test(request)).length, 1);
  assert.equal(here.store.images.byName(`${counted.host}/app:1`)!.descriptor.digest, digest);
});

test('a registry that cannot be asked is a warning when there is an interval, and an error of --pull', { skip }, async (t) => {
  const { counted, push } = await registry(t);
  await push('app:1', 'old');
  const here = await world(t, { Dockerfile: `FROM ${counted.host}/app:1\n` });
  await here.build();
  await counted[Symbol.asyncDispose]();
  const result = await here.build({ revalidate: 0 });
  assert.match(result.warnings.join('\n'), /whether .*app:1 is what it was could not be asked/);
  await assert.rejects(here.build({ pull: true }), fails('NETWORK'));
  // A lock says what the image is: nobody is asked.
  await here.lock({ offline: true });
  const locked = await here.build({ pull: true });
  assert.match(locked.warnings.join('\n'), /no registry is asked .* Dockerfile.lock says it/);
});

test('an image that only the store has is locked with a warning', async (t) => {
  const here = await world(t, { Dockerfile: 'FROM 127.0.0.1:9/mine:1\n' });
  const image = makeImage(here.store, { name: '127.0.0.1:9/mine:1', layers: [{ a: 'a' }] });
  const events: Event[] = [];
  const { entries } = await here.lock({ onEvent: (event) => events.push(event) });
  assert.equal((entries[0] as { digest: string }).digest, image.descriptor.digest);
  assert.match(events.flatMap((event) => (event.type === 'warning' ? [event.text] : [])).join('\n'), /mine:1 is locked as it is in this store/);
  makeImage(here.store, { name: '127.0.0.1:9/mine:1', layers: [{ a: 'b' }] });
  assert.equal(await (await here.build()).text('a'), 'a');
});

test('a lock file that leads nowhere is an error, and no reason to build without it', async (t) => {
  const { build: run, folder } = await world(t, { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  symlinkSync('not-checked-out/app.lock', join(folder, 'Dockerfile.lock'));
  await assert.rejects(run(), { code: 'LOCK', message: /^cannot read .*Dockerfile\.lock: ENOENT/ });
  await run({ locked: false });
  rmSync(join(folder, 'Dockerfile.lock'));
  await run();
});

test('a name that is not there is not updated, and no file is written', async (t) => {
  const here = await world(t, { Dockerfile: 'FROM 127.0.0.1:9/mine:1\n' });
  makeImage(here.store, { name: '127.0.0.1:9/mine:1', layers: [{ a: 'a' }] });
  await assert.rejects(here.lock({ update: ['127.0.0.1:9/mini:1'], offline: true }), fails('NOT_FOUND', 'Did you mean 127.0.0.1:9/mine:1?'));
  assert.equal(existsSync(join(here.folder, 'Dockerfile.lock')), false);
});

test('no secret is written into the file: neither a login nor the value of an argument that sounds like one', async (t) => {
  const server = await serve((_, response) => void response.end('x'));
  t.after(() => server[Symbol.asyncDispose]());
  const here = await world(t, { Dockerfile: `FROM scratch\nARG API_TOKEN\nADD http://me:hidden-login@${server.host}/f?token=$API_TOKEN /f\n` });
  const buildArgs = { API_TOKEN: 'hidden-token-value' };
  await here.lock({ buildArgs });
  assert.match(here.lines().join('\n'), /^url http:\/\/127\.0\.0\.1:\d+\/f\?token=\*\*\* sha256:[0-9a-f]{64}$/);
  await here.build({ buildArgs, locked: true });
});

test('verify builds an image again with the lock that it had, or without', async (t) => {
  const here = await world(t, { Dockerfile: 'FROM 127.0.0.1:9/mine:1\nCOPY Dockerfile /\n' });
  const name = '127.0.0.1:9/mine:1';
  makeImage(here.store, { name, layers: [{ a: 'a' }] });
  await here.lock({ offline: true });
  await here.build({ tags: ['locked'] });
  makeImage(here.store, { name, layers: [{ a: 'b' }] });
  await here.build({ tags: ['free'], locked: false });
  for (const image of ['locked', 'free']) assert.equal((await verifyBuild({ store: here.store, image })).reproducible, true, image);
});

test('contexts behind URLs are locked and taken offline: a named one, and the main one when the lock lies outside', async (t) => {
  const here = await world(t, { Dockerfile: 'FROM scratch\nCOPY --from=files context /named\nCOPY a /main\n', a: 'one' });
  const tar = (text: string): Buffer => {
    here.file('a', text);
    return execFileSync('tar', ['--mtime=2020-01-01 00:00:00Z', '-C', here.folder, '-cf', '-', 'Dockerfile', 'a']);
  };
  let archive = tar('one');
  const server = await serve((_, response) => void response.end(archive));
  t.after(() => server[Symbol.asyncDispose]());
  const options = { context: `http://${server.host}/app.tar`, lockFile: join(here.folder, 'my.lock'), buildContexts: { files: `http://${server.host}/files.tar` } };
  const { entries } = await here.lock(options);
  assert.deepEqual(entries.map(({ kind, name }) => `${kind} ${name}`), [`url http://${server.host}/app.tar`, `url http://${server.host}/files.tar`]);
  archive = tar('two');
  const asked = server.seen.length;
  for (const offline of [false, true]) {
    const result = await here.build({ ...options, offline });
    assert.equal(await result.text('main'), 'one');
    // Of a named one the file itself, which is an archive here.
    assert.match((await result.text('named'))!, /\0one\0/);
  }
  assert.equal(server.seen.length, asked);
  const there = await here.elsewhere();
  await assert.rejects(there.build(options), fails('DIGEST', 'app.tar has the digest', 'my.lock says'));
  await assert.rejects(there.build({ ...options, offline: true }), fails('OFFLINE', 'app.tar is not here'));
  await assert.rejects(there.build({ context: there.folder, buildContexts: options.buildContexts, offline: true }), fails('OFFLINE', `file http://${server.host}/files.tar, the context files (line 2)`));
});
