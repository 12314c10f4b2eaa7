/** Contexts from everywhere, against real servers on loopback: git through git's own http backend, files through http. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createNetServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isSiruError } from '../../base/errors.ts';
import { makeImage } from '../../images/testing/make-image.ts';
import { temporaryStore } from '../../images/testing/temporary-store.ts';
import { readImage } from '../../images/read.ts';
import type { Entry } from '../../layer/entry.ts';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/store.ts';
import { build } from '../build.ts';
import { openLayerStack } from '../layer-stack.ts';
import type { BuildOptions, BuildResult } from '../options.ts';
import { excessOf } from './git-program.ts';
import { makeRepository, serveRepositories, writeTree, type GitServer, type TreeFile } from './git-server.suite.ts';

const noGit = spawnSync('git', ['--version']).error === undefined ? false : 'git is not installed';

interface Place {
  folder: string;
  store: Store;
  /** Builds; gives what is in the image, path and `mode uid:gid mtime`, and texts of files. */
  build: (options: Partial<BuildOptions>) => Promise<BuildResult & { files: string[]; text: (path: string) => Promise<string | undefined>; entries: Map<string, Entry>; store: Store }>;
}

async function place(t: TestContext): Promise<Place> {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  return {
    folder,
    store,
    async build(options) {
      const result = await build({ store, context: folder, ...options });
      const image = readImage(store, result.digest);
      const stack = await openLayerStack(store, image.layers, { signal: new AbortController().signal, emit() {} });
      t.after(() => stack[Symbol.dispose]());
      const entries = new Map([...stack.view.below('')].map(({ entry }) => [entry.path, entry]));
      const files = [...entries.values()].map(({ path, type, mode, uid, gid, link }) => `${type === 'dir' ? `${path}/` : path} ${mode.toString(8)} ${uid}:${gid}${link === undefined ? '' : ` ${link}`}`);
      return { ...result, files, entries, store, text: async (path) => (await stack.readFile(path))?.toString() };
    },
  };
}

async function repositories(t: TestContext, folder: string, authorization?: string): Promise<{ server: GitServer; make: (name: string, files: Record<string, TreeFile>) => ReturnType<typeof makeRepository> }> {
  const root = join(folder, 'repositories');
  mkdirSync(root, { recursive: true });
  const server = await serveRepositories(root, authorization);
  t.after(() => server[Symbol.asyncDispose]());
  return { server, make: (name, files) => makeRepository(root, name, files) };
}

async function serve(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function tarOf(folder: string, files: Record<string, TreeFile>, ...options: string[]): Buffer {
  const from = join(folder, `tar-${readdirSync(folder).length}`);
  writeTree(from, files);
  return execFileSync('tar', [...options, '--owner=100', '--group=200', '--mtime=2020-01-01 00:00:00Z', '-C', from, '-cf', '-', '.']);
}

const fails = (code: string, message: RegExp, hint?: RegExp) => (error: unknown): boolean => {
  assert.ok(isSiruError(error), String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  if (hint) assert.match(error.hint ?? '', hint);
  return true;
};

const all = 'FROM scratch\nCOPY . /\n';
const files: Record<string, TreeFile> = {
  Dockerfile: all,
  '.dockerignore': 'a.txt\n',
  'a.txt': 'a',
  'run.sh': { text: '#!/bin/sh\n', mode: 0o700 },
  link: { link: 'a.txt' },
  'dir/b.txt': 'b',
  'dir/Dockerfile': 'FROM scratch\nCOPY b.txt /\n',
};

test('a repository is a context: modes of git, no owner, its .dockerignore counts for nothing, no .git', { skip: noGit }, async (t) => {
  const { folder, build } = await place(t);
  const { server, make } = await repositories(t, folder);
  make('app', files);
  const built = await build({ context: `${server.url}/app.git` });
  assert.deepEqual(built.files, ['.dockerignore 644 0:0', 'Dockerfile 644 0:0', 'a.txt 644 0:0', 'dir/ 755 0:0', 'dir/Dockerfile 644 0:0', 'dir/b.txt 644 0:0', 'link 777 0:0 a.txt', 'run.sh 755 0:0']);
  assert.equal(built.entries.get('a.txt')?.mtime, Date.parse('2021-03-04T05:06:07Z') / 1000, 'the time of the commit');
});

test('branch, tag, annotated tag, commit, directory; an unchanged one is asked for once and not fetched', { skip: noGit }, async (t) => {
  const { folder, build } = await place(t);
  const { server, make } = await repositories(t, folder);
  const app = make('app', files);
  const first = app.git('rev-parse', 'HEAD');
  app.git('tag', 'v1');
  app.git('tag', '-a', '-m', 'x', 'v2');
  const second = app.commit({ 'a.txt': 'changed' });
  app.git('branch', 'feature/x');
  const url = `${server.url}/app.git`;
  const textAt = async (suffix: string, path = 'a.txt'): Promise<string | undefined> => (await build({ context: url + suffix })).text(path);
  for (const suffix of ['#v1', '#v2', '?tag=v2', `#${first}`, `?ref=refs/tags/v1&checksum=${first.slice(0, 8)}`]) assert.equal(await textAt(suffix), 'a', suffix);
  for (const suffix of ['', '#main', '?branch=main', '#feature/x', `#${second}`, '#refs/heads/main']) assert.equal(await textAt(suffix), 'changed', suffix);
  for (const suffix of ['#:dir', '#v1:dir/', '?subdir=dir']) assert.deepEqual((await build({ context: url + suffix })).files, ['b.txt 644 0:0'], suffix);

  server.requests.length = 0;
  assert.equal((await build({ context: `${url}#main` })).steps.executed, 0);
  assert.ok(server.requests.every(({ path }) => !path.includes('HEAD')) && server.requests.length <= 2, JSON.stringify(server.requests));
  server.requests.length = 0;
  await build({ context: `${url}#${second}` });
  assert.deepEqual(server.requests, [], 'a commit that is known needs no question');
});

test('what a repository does not have is said', { skip: noGit }, async (t) => {
  const { folder, build } = await place(t);
  const { server, make } = await repositories(t, folder);
  const app = make('app', files);
  const commit = app.git('rev-parse', 'HEAD');
  const url = `${server.url}/app.git`;
  const table: [string, string, RegExp][] = [
    ['#nope', 'CONTEXT', /does not contain the ref "nope"/],
    [`#${commit.slice(0, 8)}`, 'CONTEXT', /does not contain the ref/],
    [`#${'0'.repeat(40)}`, 'CONTEXT', /does not give out the commit 0000/],
    ['#:none', 'CONTEXT', /has no directory "none"/],
    ['#:a.txt', 'CONTEXT', /has no directory "a.txt"/],
    ['?ref=main&checksum=abc', 'DIGEST', /expected checksum to match abc, got/],
    [`?ref=${commit}&checksum=abc`, 'DIGEST', /expected checksum to match abc/],
  ];
  for (const [suffix, code, message] of table) await assert.rejects(build({ context: url + suffix }), fails(code, message), suffix);
  await assert.rejects(build({ context: `${server.url}/none.git` }), fails('CONTEXT', /none\.git.*not found/));
  await assert.rejects(build({ context: 'http://127.0.0.1:1/x.git' }), fails('NETWORK', /127\.0\.0\.1:1/));
  await assert.rejects(build({ context: url, dockerfile: 'other' }), fails('CONTEXT', /there is no file other in the build context/));
  assert.equal((await build({ context: url, dockerfile: 'dir/Dockerfile' }).catch((error: unknown) => error) as Error).message.includes('"b.txt" is not in the build context'), true);
});

test('submodules come along unless they are switched off', { skip: noGit }, async (t) => {
  const { folder, build } = await place(t);
  const { server, make } = await repositories(t, folder);
  const library = make('library', { 'lib.txt': 'lib' });
  const app = make('app', { Dockerfile: all });
  app.git('update-index', '--add', '--cacheinfo', `160000,${library.git('rev-parse', 'HEAD')},mod`);
  writeFileSync(join(app.path, '.gitmodules'), '[submodule "mod"]\n\tpath = mod\n\turl = ../library.git\n');
  mkdirSync(join(app.path, 'mod'));
  app.git('add', '.gitmodules');
  app.git('commit', '-q', '-m', 'module');
  const url = `${server.url}/app.git`;
  assert.deepEqual((await build({ context: url })).files, ['.gitmodules 644 0:0', 'Dockerfile 644 0:0', 'mod/ 755 0:0', 'mod/lib.txt 644 0:0']);
  assert.deepEqual((await build({ context: `${url}?submodules=0` })).files, ['.gitmodules 644 0:0', 'Dockerfile 644 0:0', 'mod/ 755 0:0']);
});

test('a hostile submodule reaches neither files of this machine nor programs', { skip: noGit }, async (t) => {
  const { folder, build } = await place(t);
  const { server, make } = await repositories(t, folder);
  const victim = makeRepository(folder, 'victim', { secret: 'x' });
  for (const address of [victim.path, `file://${victim.path}`, `ext::sh -c "touch ${folder}/pwned"`, '--upload-pack=touch pwned']) {
    const app = make(`app${address.length}`, { Dockerfile: all });
    app.git('update-index', '--add', '--cacheinfo', `160000,${victim.git('rev-parse', 'HEAD')},mod`);
    writeFileSync(join(app.path, '.gitmodules'), `[submodule "mod"]\n\tpath = mod\n\turl = ${address}\n`);
    app.git('add', '.gitmodules');
    app.git('commit', '-q', '-m', 'module');
    await assert.rejects(build({ context: `${server.url}/app${address.length}.git` }), (error) => isSiruError(error), address);
  }
  assert.ok(!existsSync(join(folder, 'pwned')));
});

test('ADD takes repositories, and keeps .git when it is asked to', { skip: noGit }, async (t) => {
  const { folder, build } = await place(t);
  const { server, make } = await repositories(t, folder);
  const app = make('app', files);
  app.git('tag', 'v1');
  const commit = app.git('rev-parse', 'HEAD');
  const url = `${server.url}/app.git`;
  const { files: added } = await build({ dockerfileText: `FROM scratch\nADD ${url}#v1:dir /d\nADD --exclude=Dockerfile --chown=5:6 --chmod=600 ${url}?subdir=dir e/\n` });
  assert.deepEqual(added, ['d/ 755 0:0', 'd/Dockerfile 644 0:0', 'd/b.txt 644 0:0', 'e/ 600 5:6', 'e/b.txt 600 5:6']);
  const kept = await build({ dockerfileText: `FROM scratch\nADD --keep-git-dir --checksum=${commit} ${url}#v1 /k/\n` });
  assert.equal((await kept.text('k/.git/HEAD'))?.trim(), commit);
  assert.equal((await kept.text('k/.git/refs/tags/v1'))?.trim(), commit);
  assert.match((await kept.text('k/.git/config'))!, new RegExp(`url = ${url}`));
  const other = await place(t);
  assert.equal((await other.build({ dockerfileText: `FROM scratch\nADD --keep-git-dir --checksum=${commit} ${url}#v1 /k/\n` })).imageId, kept.imageId, 'another store makes the same');
  await assert.rejects(build({ dockerfileText: `FROM scratch\nADD --checksum=abc ${url}#v1 /k/\n` }), fails('DIGEST', /expected checksum to match abc/));
  await assert.rejects(build({ dockerfileText: `FROM scratch\nADD ${url}?nope=1 /k/\n` }), fails('DOCKERFILE', /unexpected query "nope"[\s\S]*>>>\s+2|unexpected query "nope"/));
  await assert.rejects(build({ dockerfileText: `FROM scratch\nADD --keep-git-dir=false ${url}?keep-git-dir=1 /k/\n` }), fails('DOCKERFILE', /inconsistent keep-git-dir/));
  await assert.rejects(build({ dockerfileText: `FROM scratch\nCOPY ${url} /k/\n` }), fails('DOCKERFILE', /source can't be a git ref for COPY/));
});

test('a token opens a private repository, and appears nowhere', { skip: noGit }, async (t) => {
  const { folder, build, store } = await place(t);
  const token = 'tok3n-of-the-test';
  const { server, make } = await repositories(t, folder, `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`);
  make('app', files);
  const context = `${server.url}/app.git`;
  const told: string[] = [];
  const onEvent = (event: object): void => void told.push(JSON.stringify(event));
  await assert.rejects(build({ context, onEvent }), fails('AUTH', /app\.git/, /GIT_AUTH_TOKEN/));
  await assert.rejects(build({ context, secrets: [{ id: 'GIT_AUTH_TOKEN', value: 'wrong' }], onEvent }), fails('AUTH', /app\.git/));
  await assert.rejects(build({ context, secrets: [{ id: 'GIT_AUTH_TOKEN.example.org', value: token }], onEvent }), fails('AUTH', /app\.git/), 'a token of another host is not sent');
  for (const secret of [{ id: 'GIT_AUTH_TOKEN', value: `${token}\n` }, { id: `GIT_AUTH_TOKEN.${server.host}`, value: token }, { id: 'GIT_AUTH_HEADER', value: `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}` }]) {
    await build({ context, secrets: [secret], onEvent, noCache: true });
  }
  await build({ context: context.replace('://', `://x-access-token:${token}@`), onEvent });
  assert.ok(!told.join('\n').includes(token));
  const found = spawnSync('grep', ['-rlaF', '-e', token, '-e', Buffer.from(`x-access-token:${token}`).toString('base64'), store.root], { encoding: 'utf8' }).stdout;
  assert.equal(found, '', 'the store holds it');
});

test('credentials are not sent to where a server redirects', { skip: noGit }, async (t) => {
  const { folder, build } = await place(t);
  const { server, make } = await repositories(t, folder);
  make('app', files);
  const moved = await serve(t, (request, response) => void response.writeHead(301, { location: server.url + request.url! }).end());
  await build({ context: `${moved}/app.git` });
  server.requests.length = 0;
  await assert.rejects(build({ context: `${moved}/app.git#HEAD`, secrets: [{ id: 'GIT_AUTH_TOKEN', value: 'secret' }] }), (error) => isSiruError(error));
  assert.deepEqual(server.requests.filter(({ authorization }) => authorization !== undefined), []);
});

test('an archive behind a URL keeps its owners, and is not sent again while it is the same', async (t) => {
  const { folder, build } = await place(t);
  const tar = tarOf(folder, { Dockerfile: all, 'hi.txt': 'hi', '.dockerignore': 'hi.txt' });
  let sent = 0;
  let body = gzipSync(tar);
  let etag = '"1"';
  const at = await serve(t, (request, response) => {
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end();
    sent++;
    response.writeHead(200, { etag }).end(body);
  });
  const expected = ['.dockerignore 644 100:200', 'Dockerfile 644 100:200', 'hi.txt 644 100:200'];
  assert.deepEqual((await build({ context: `${at}/context.tar.gz` })).files, expected);
  const again = await build({ context: `${at}/context.tar.gz` });
  assert.deepEqual(again.files, expected);
  assert.equal(again.steps.executed, 0);
  assert.equal(sent, 1);
  body = zstdCompressSync(tarOf(folder, { Dockerfile: all, 'hi.txt': 'other' }));
  etag = '"2"';
  assert.equal(await (await build({ context: `${at}/context.tar.gz` })).text('hi.txt'), 'other');
  assert.equal(sent, 2);
  assert.equal((await build({ context: `${at}/context.tar.gz`, dockerfile: 'Dockerfile' })).steps.executed, 0);
});

test('a Dockerfile behind a URL: as the context, and with another context', async (t) => {
  const { folder, build } = await place(t);
  const at = await serve(t, (request, response) => {
    if (request.url === '/loop') return void response.writeHead(302, { location: '/loop' }).end();
    if (request.url === '/binary') return void response.end(Buffer.from([1, 0, 2]));
    if (request.url === '/x') return void response.end('FROM scratch\nCOPY a /\n');
    response.writeHead(200, { 'last-modified': 'Thu, 04 Mar 2021 05:06:07 GMT' }).end(all);
  });
  const alone = await build({ context: `${at}/Dockerfile` });
  assert.deepEqual(alone.files, ['context 600 0:0']);
  assert.equal(alone.entries.get('context')?.mtime, Date.parse('2021-03-04T05:06:07Z') / 1000);
  mkdirSync(join(folder, 'c'));
  writeFileSync(join(folder, 'c', 'a'), 'a');
  assert.deepEqual((await build({ context: join(folder, 'c'), dockerfile: `${at}/x` })).files, ['a 644 0:0']);
  await assert.rejects(build({ context: `${at.replace('//', '//%zz:%@')}/binary` }), fails('CONTEXT', /neither a Dockerfile nor an archive/));
  await assert.rejects(build({ context: `${at}/loop` }), fails('REGISTRY', /redirects in a circle/));
  await assert.rejects(build({ context: `${at}/binary` }), fails('CONTEXT', /neither a Dockerfile nor an archive/));
});

test('http secrets are for their host alone', async (t) => {
  const { build } = await place(t);
  const seen: (string | undefined)[] = [];
  const other = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    response.end('x');
  });
  const at = await serve(t, (request, response) => {
    if (request.headers.authorization !== 'Bearer t0ken') return void response.writeHead(401).end();
    if (request.url === '/moved') return void response.writeHead(302, { location: `${other}/` }).end();
    response.end('x');
  });
  const dockerfileText = `FROM scratch\nADD ${at}/f /\n`;
  await assert.rejects(build({ dockerfileText }), fails('AUTH', /answered 401/, /HTTP_AUTH_TOKEN_/));
  const secrets = [{ id: `HTTP_AUTH_TOKEN_${new URL(at).host}`, value: 't0ken\n' }];
  assert.deepEqual((await build({ dockerfileText, secrets })).files, ['f 600 0:0']);
  await build({ dockerfileText: `FROM scratch\nADD ${at}/moved /\n`, secrets });
  assert.deepEqual(seen, [undefined]);
});

test('standard input is a tar or a Dockerfile', async (t) => {
  const { folder, build } = await place(t);
  const input = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
  };
  const tar = tarOf(folder, { Dockerfile: all, 'other/D': 'FROM scratch\nCOPY f /g\n', f: 'f' });
  const kinds: [string, Buffer][] = [['tar', tar], ['gzip', gzipSync(tar)], ['zstd', zstdCompressSync(tar)]];
  for (const program of ['bzip2', 'xz']) {
    const done = spawnSync(program, ['-c'], { input: tar });
    if (done.error === undefined) kinds.push([program, done.stdout]);
  }
  const first = (await build({ context: '-', contextStream: input(tar) })).imageId;
  for (const [kind, bytes] of kinds) assert.equal((await build({ context: '-', contextStream: input(bytes) })).imageId, first, kind);
  assert.deepEqual((await build({ context: '-', dockerfile: 'other/D', contextStream: input(tar) })).files, ['g 644 100:200']);
  assert.deepEqual((await build({ context: '-', contextStream: input(Buffer.from('FROM scratch\nCOPY <<E /x\nhello\nE\n')) })).files, ['x 644 0:0']);
  await assert.rejects(build({ context: '-', contextStream: input(Buffer.from('FROM scratch\nCOPY a /x\n')) }), fails('CONTEXT', /"a" is not in the build context/));
  await assert.rejects(build({ context: '-', contextStream: input(Buffer.alloc(0)) }), fails('CONTEXT', /standard input is empty/));
  await assert.rejects(build({ context: '-', contextStream: input(gzipSync(Buffer.from('no tar'))) }), fails('CONTEXT', /neither a Dockerfile nor an archive/));
  await assert.rejects(build({ context: '-', contextStream: input(tar.subarray(0, 3000)) }), fails('CONTEXT', /the archive standard input cannot be unpacked/));
  await assert.rejects(build({ context: '-' }), fails('USAGE', /no input/));
});

test('named contexts: a directory with its own ignore file, for COPY, FROM and in place of a stage', async (t) => {
  const { folder, build } = await place(t);
  writeTree(folder, { 'n/one': '1', 'n/two': '2', 'n/.dockerignore': 'two\n', 'c/x': 'x' });
  const buildContexts = { nm: join(folder, 'n') };
  const context = join(folder, 'c');
  assert.deepEqual((await build({ context, buildContexts, dockerfileText: 'FROM scratch\nCOPY --from=nm / /c/\n' })).files, ['c/ 755 0:0', 'c/.dockerignore 644 0:0', 'c/one 644 0:0']);
  const based = await build({ context, buildContexts, dockerfileText: 'FROM docker.io/library/nm:latest\nCOPY x /\n' });
  assert.deepEqual(based.files, ['.dockerignore 644 0:0', 'one 644 0:0', 'x 644 0:0']);
  const { config } = readImage(based.store, based.digest);
  assert.equal(config.config?.WorkingDir, '/');
  assert.equal(config.history?.filter(({ empty_layer }) => !empty_layer).length, 2);
  const replaced = await build({ context, buildContexts, dockerfileText: 'FROM scratch AS nm\nENV A=b\nCOPY nowhere /\nFROM nm\nENV C=d\n' });
  assert.deepEqual(replaced.files, ['.dockerignore 644 0:0', 'one 644 0:0']);
  assert.deepEqual(readImage(replaced.store, replaced.digest).config.config, { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'C=d'] });
  const earlier = await build({ context, buildContexts: { other: join(folder, 'n') }, dockerfileText: 'FROM scratch AS one\nCOPY x /first\nFROM one\n' });
  assert.deepEqual(earlier.files, ['first 644 0:0']);
  await assert.rejects(build({ context, buildContexts: { nm: join(folder, 'gone') }, dockerfileText: 'FROM scratch\nCOPY --from=nm / /\n' }), fails('CONTEXT', /the context nm: .*gone does not exist/));
  await assert.rejects(build({ context, buildContexts: { NM: folder }, dockerfileText: all }), fails('USAGE', /invalid context name "NM"/));
  await assert.rejects(build({ context, buildContexts: { nm: 'target:x' }, dockerfileText: 'FROM nm\n' }), fails('UNSUPPORTED', /needs other targets/));
});

test('named contexts: an image, per platform, and a layout with its configuration', async (t) => {
  const { folder, build, store } = await place(t);
  const real = { name: 'real:1', layers: [{ 'f.txt': 'f' }], config: { Env: ['FROM_IMAGE=1', 'PATH=/bin'] } };
  makeImage(store, real);
  const image = await build({ buildContexts: { alpine: 'docker-image://real:1' }, dockerfileText: 'FROM docker.io/library/alpine:latest\n' });
  assert.deepEqual(readImage(store, image.digest).config.config?.Env, ['FROM_IMAGE=1', 'PATH=/bin']);
  makeImage(store, { ...real, name: 'trigger:1', config: { ...real.config, OnBuild: ['ENV TRIGGERED=1'] } });
  const envOf = async (dockerfileText: string): Promise<string[] | null | undefined> => readImage(store, (await build({ buildContexts: { st: 'docker-image://trigger:1' }, dockerfileText })).digest).config.config?.Env;
  assert.deepEqual(await envOf('FROM scratch AS other\nFROM st\n'), ['FROM_IMAGE=1', 'PATH=/bin', 'TRIGGERED=1']);
  assert.deepEqual(await envOf('FROM scratch AS st\nRUN never\nFROM st\n'), ['FROM_IMAGE=1', 'PATH=/bin'], 'as in BuildKit, a stage that is replaced has no triggers');
  const only = await build({ buildContexts: { 'alpine::linux/s390x': 'docker-image://nowhere.invalid/x', alpine: 'docker-image://scratch' }, dockerfileText: 'FROM alpine\n' });
  assert.deepEqual(only.files, []);
  // A store is an OCI layout.
  const { store: from } = await place(t);
  const { manifest } = makeImage(from, real);
  const layout = from.root;
  for (const value of [`oci-layout://${layout}`, `oci-layout://${layout}:1`, `oci-layout://${layout}@${manifest}`]) {
    const other = await place(t);
    const built = await other.build({ buildContexts: { base: value }, dockerfileText: 'FROM base\nLABEL a=b\n' });
    assert.deepEqual(readImage(other.store, built.digest).config.config?.Env, ['FROM_IMAGE=1', 'PATH=/bin'], value);
    assert.deepEqual(other.store.images.list().length, 1, 'the layout itself is no image of the store');
  }
  await assert.rejects(build({ buildContexts: { base: `oci-layout://${layout}:nope` }, dockerfileText: 'FROM base\n' }), fails('NOT_FOUND', /has no image "nope"/, /1/));
  await assert.rejects(build({ buildContexts: { base: `oci-layout://${folder}` }, dockerfileText: 'FROM base\n' }), fails('NOT_FOUND', /no index\.json/));
});

test('a layout that skopeo wrote is a base, by its tag', async (t) => {
  const { folder, build } = await place(t);
  const { store: from } = await place(t);
  makeImage(from, { name: 'real:1', layers: [{ 'f.txt': 'f' }, { 'g.txt': 'g' }], config: { Env: ['PATH=/bin'] } });
  const layout = join(folder, 'layout');
  const copied = spawnSync('skopeo', ['--insecure-policy', 'copy', '-q', `oci:${from.root}:docker.io/library/real:1`, `oci:${layout}:v1`], { encoding: 'utf8' });
  if (copied.error !== undefined) return t.skip('skopeo is not installed');
  assert.equal(copied.status, 0, copied.stderr);
  const built = await build({ buildContexts: { base: `oci-layout://${layout}:v1` }, dockerfileText: 'FROM base\nCOPY --from=base /f.txt /h.txt\n' });
  assert.deepEqual(built.files, ['f.txt 644 0:0', 'g.txt 644 0:0', 'h.txt 644 0:0']);
});

test('neither an archive nor a link in it leads out of the context', async (t) => {
  const { folder, build } = await place(t);
  const input = async function* (...options: string[]): AsyncGenerator<Uint8Array> {
    yield tarOf(folder, { Dockerfile: all, 'a/b': 'b', up: { link: '../../../etc' } }, ...options);
  };
  const built = await build({ context: '-', contextStream: input(), dockerfileText: 'FROM scratch\nCOPY a up /\n' }).catch((error: unknown) => error);
  assert.ok(isSiruError(built) && built.code === 'CONTEXT', String(built));
  await assert.rejects(build({ context: '-', contextStream: input('--transform=s,^./a/b,../../b,', '-P') }), fails('CONTEXT', /would leave the root/));
  assert.ok(!existsSync(join(folder, '..', 'b')));
});

test('a kept repository that is damaged is fetched anew, also in a store whose path has odd characters', { skip: noGit }, async (t) => {
  const { folder } = await place(t);
  const { server, make } = await repositories(t, folder);
  const app = make('app', files);
  await using store = await openStore({ root: join(folder, 'a %41#b') });
  const text = async (): Promise<number> => (await build({ store, context: `${server.url}/app.git#main` })).steps.executed;
  await text();
  const [kept] = readdirSync(join(store.root, 'git')).map((name) => join(store.root, 'git', name)) as [string];
  for (const damage of ['objects', 'halves', 'refs']) {
    const commit = app.commit({ 'a.txt': damage });
    // As after a crash of the machine: names are there, and what they name is not.
    if (damage === 'refs') writeFileSync(join(kept, 'packed-refs'), `${'1'.repeat(40)} refs/siru/${'1'.repeat(40)}\n`);
    for (const file of readdirSync(join(kept, 'objects'), { recursive: true, encoding: 'utf8' }).map((name) => join(kept, 'objects', name))) {
      if (damage === 'refs' || !statSync(file).isFile()) continue;
      const bytes = readFileSync(file);
      rmSync(file);
      writeFileSync(file, damage === 'objects' ? '' : bytes.subarray(0, bytes.length / 2));
    }
    assert.equal(await text(), 1, commit);
  }
});

test('prune takes what contexts brought', { skip: noGit }, async (t) => {
  const { folder, build, store } = await place(t);
  const { server, make } = await repositories(t, folder);
  make('app', files);
  await build({ context: `${server.url}/app.git` });
  const kept = join(store.root, 'git');
  const [repository] = readdirSync(kept) as [string];
  assert.ok(existsSync(join(kept, repository, 'objects')));
  assert.deepEqual(readdirSync(join(store.root, 'tmp')).filter((name) => name.endsWith('.checkout')), []);
  const used = new Date(Date.now() - 2 * 3600_000);
  utimesSync(join(kept, repository), used, used);
  assert.ok(readdirSync(join(store.root, 'layers')).length > 0);
  for (const image of store.images.list()) store.images.remove(image.descriptor.digest);
  await store.close();
  await using fresh = await openStore({ root: store.root });
  await fresh.prune({ all: true }, { signal: new AbortController().signal, emit() {} });
  assert.deepEqual(readdirSync(kept), []);
  assert.deepEqual(readdirSync(join(store.root, 'layers')), []);
});

test('a server that never answers is left when the caller wants to stop, with all of its helpers', { skip: noGit }, async (t) => {
  const { build } = await place(t);
  let asked = 0;
  const at = await serve(t, () => void asked++);
  const stop = new AbortController();
  const building = build({ context: `${at}/x.git#main`, signal: stop.signal });
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  await assert.rejects(building, fails('CANCELLED', /cancelled/));
  const left = spawnSync('pgrep', ['-f', `${at}/x.git`], { encoding: 'utf8' });
  if (left.error === undefined) assert.equal(left.stdout, '');
});

test('what is too large is seen while it grows', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-excess-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeTree(folder, { 'a/b': '12345', c: '1', link: { link: '/' } });
  assert.equal(excessOf(folder), undefined);
  assert.equal(excessOf(folder, { bytes: 5, files: 100 }), '5 bytes');
  assert.equal(excessOf(folder, { bytes: 100, files: 3 }), '3 files');
  assert.equal(excessOf(join(folder, 'none')), undefined);
});

test("git's own protocol, and a server that only has files", { skip: noGit }, async (t) => {
  const { folder, build } = await place(t);
  const { make } = await repositories(t, folder);
  const app = make('app', files);
  const first = app.git('rev-parse', 'HEAD');
  app.commit({ 'a.txt': 'second' });
  app.git('update-server-info');
  const at = await serve(t, (request, response) => {
    const file = join(app.path, '.git', new URL(request.url!, 'http://x').pathname.replace('/app.git/', ''));
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  assert.equal(await (await build({ context: `${at}/app.git` })).text('a.txt'), 'second');
  assert.equal(await (await build({ context: `${at}/app.git#${first}` })).text('a.txt'), 'a');

  const port = await freePort();
  const daemon = spawn('git', ['daemon', '--reuseaddr', '--export-all', `--base-path=${join(folder, 'repositories')}`, '--listen=127.0.0.1', `--port=${port}`], { stdio: 'ignore', detached: true });
  t.after(() => process.kill(-daemon.pid!, 'SIGKILL'));
  await untilOpen(port);
  assert.equal(await (await build({ context: `git://127.0.0.1:${port}/app` })).text('a.txt'), 'second');
});

test('ssh uses no key of the user unless an agent is given', { skip: noGit }, async (t) => {
  const { build } = await place(t);
  if (spawnSync('ssh', ['-V']).error !== undefined) return t.skip('ssh is not installed');
  await assert.rejects(build({ context: 'ssh://git@127.0.0.1:1/x.git' }), fails('NETWORK', /127\.0\.0\.1:1\/x\.git: git: .*refused/i));
});

async function freePort(): Promise<number> {
  const server = createNetServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilOpen(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
