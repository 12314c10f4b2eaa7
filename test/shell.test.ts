/** Steps of the history as they saw the world, also those that failed: docs/debugging.md. As root and as an ordinary user. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from './support/missing.ts';
import { command, ownProgram } from './support/siru.ts';
import { createUser, userMissing } from './support/user.ts';
import { createWorld, type World } from './support/world.ts';

const secret = 'ghp_Zx81kQ0vR7planted';
const dockerfile = `FROM base:1
ENV COLOR=blue API_TOKEN=${secret}a
ARG VERSION=1.2
RUN mkdir -p /etc /work; echo app:x:70:70::/work:/bin/sh >> /etc/passwd; chown 70:70 /work
WORKDIR /work
USER app
RUN echo built > made
RUN --mount=type=cache,target=/cache,uid=70 --mount=type=secret,id=token,uid=70 --mount=type=bind,target=/ctx --mount=type=tmpfs,target=/fast \\
    echo cached > /cache/c; rm made; echo half > half; chmod 600 half; touch /fast/x; cat /run/secrets/token; exit 3
RUN never
`;

async function story(world: World): Promise<void> {
  const context = world.context({ Dockerfile: dockerfile, 'a/file': 'of the context\n' });
  writeFileSync(join(world.folder, 'token'), secret, { mode: 0o644 });
  const give = ['--secret', `id=token,src=${join(world.folder, 'token')}`];
  const build = ['build', '--progress', 'plain', '--add-host', 'box:10.1.2.3', '--build-arg', 'VERSION=9', '-t', 'app', ...give, context];
  const failed = await world.run(build);
  assert.equal(failed.code, 1, failed.stderr);
  const hint = /^hint: Look into it as the step left it: siru shell ([\da-f]{8})$/m.exec(failed.stderr);
  assert.ok(hint, failed.stderr);

  const see = 'pwd; id -u; echo $COLOR $VERSION [$API_TOKEN]; ls; cat half /cache/c /ctx/a/file; grep -c 10.1.2.3 /etc/hosts; ls /fast; ls /run/secrets 2>/dev/null';
  const seen = await world.run(['shell', hint[1]!], { input: see });
  assert.equal(seen.stdout, '/work\n70\nblue 9 []\nhalf\nhalf\ncached\nof the context\n1\n');
  assert.match(seen.stderr, /^warning: not here: the variable API_TOKEN, the secret token at \/run\/secrets\/token; /);

  // Several at once, each with files of its own; nothing of them stays.
  const several = await Promise.all(['one', 'two'].map((name) => world.run(['shell', context, '--', 'sh', '-c', `ls; touch ${name}; sleep 0.2; ls`])));
  assert.deepEqual(several.map(({ stdout }) => stdout), ['half\nhalf\none\n', 'half\nhalf\ntwo\n']);
  assert.equal(await world.ok('shell', ...give, '-e', 'API_TOKEN=given', context, ':8', '--', 'sh', '-c', 'cat /run/secrets/token; echo $API_TOKEN; ls'), `${secret}given\nhalf\n`);
  assert.equal((await world.run(['shell', context, '--', 'sh', '-c', 'exit 7'])).code, 7);
  assert.equal((await world.run(['shell', context, '--', 'absent'])).code, 127);

  // Other steps: as they ended, or began.
  assert.equal(await world.ok('shell', '--before', context, '--', 'cat', 'made'), 'built\n');
  assert.equal(await world.ok('shell', context, 'RUN echo built', '--', 'ls'), 'made\n');
  assert.equal(await world.ok('shell', '--before', context, 'RUN echo built', '--', 'ls'), '');
  assert.equal(await world.ok('shell', '-u', '0', context, 'WORKDIR', '--', 'sh', '-c', 'id -u; pwd'), '0\n/work\n');
  const never = await world.run(['shell', context, 'FROM base:1']);
  assert.equal(never.code, 125);
  assert.match(never.stderr, /no shell in FROM base:1/);

  // What was secret is not in what is kept.
  const found = spawnSync('grep', ['-rla', '--exclude-dir=tmp', secret, world.store], { encoding: 'utf8' });
  assert.deepEqual(found.stdout.split('\n').filter((path) => path.includes('/failed/')), []);

  // Counted, and swept.
  assert.match(await world.ok('du'), /^Failed Steps +1 /m);
  assert.equal(readdirSync(join(world.store, 'failed')).length, 1);
  const { stdout } = await world.run(['prune', '-f']);
  assert.match(stdout, /1 failed step\b/);
  assert.deepEqual(readdirSync(join(world.store, 'failed')), []);
  const late = await world.run(['shell', context, '--', 'ls']);
  // Then it is opened as it began, which is said.
  assert.equal(late.stdout, 'made\n');
  assert.match(late.stderr, /nothing that the step left is kept: these are the files from before it/);
}

test('a shell in the steps of a build, as root', { skip: needs('root', 'run') }, async () => {
  await using world = await createWorld();
  await world.base('base:1');
  await story(world);
});

test('the same for an ordinary user', { skip: needs('root', 'run') || userMissing() }, async () => {
  await using user = await createUser();
  await using world = await createWorld({ as: user.as, env: user.env, program: user.program, store: join(user.home, 'store') });
  const archive = join(world.folder, 'base.tar');
  {
    await using from = await createWorld();
    await from.base('base:1');
    await from.ok('save', '-o', archive, 'base:1');
  }
  await command(['chmod', '-R', 'a+rX', world.folder]);
  await world.ok('load', '-i', archive);
  await story(world);
});

test('a prune does not take what a shell has open; a terminal is one', { skip: needs('root', 'run', 'script') }, async () => {
  await using world = await createWorld();
  await world.base('base:1');
  const context = world.context({ Dockerfile: 'FROM base:1\nSHELL ["/bin/sh", "-ec"]\nRUN --mount=type=cache,target=/c echo left > /left; false\n' });
  assert.equal((await world.run(['build', context])).code, 1);
  const [cache] = readdirSync(join(world.store, 'cache-mounts'));
  const inCache = (name: string): string => join(world.store, 'cache-mounts', cache!, name);
  const open = world.start(['shell', context, '--', 'sh', '-c', 'touch /c/open; until [ -e /c/go ]; do sleep 0.05; done; cat /left; ls /bin/busybox']);
  while (!existsSync(inCache('open'))) await new Promise((resolve) => setTimeout(resolve, 20));
  await world.ok('prune', '-af');
  assert.equal(readdirSync(join(world.store, 'failed')).length, 1);
  writeFileSync(inCache('go'), '');
  assert.equal((await open.ended).stdout, 'left\n/bin/busybox\n');

  const program = `${ownProgram.join(' ')} shell ${context}`;
  const { stdout } = spawnSync('script', ['-qec', program, '/dev/null'], { input: 'test -t 0 && echo term""inal; exit 4\n', encoding: 'utf8', env: { ...process.env, SIRU_ROOT: world.store, TERM: 'xterm' } });
  assert.match(stdout, /#2 RUN --mount=type=cache,target=\/c echo left > \/left; false \(failed, build [\da-f]{8}\); what you write is lost at the end/);
  assert.match(stdout, /^terminal\r$/m);
});

test('--resume builds again with the flags of the build that failed; secrets are given again', { skip: needs('run') }, async () => {
  await using world = await createWorld();
  await world.base('base:1');
  const context = world.context({ 'docker/File': 'FROM base:1 AS one\nARG V\nARG API_TOKEN\nRUN --mount=type=secret,id=token test "$(cat /run/secrets/token) $V $API_TOKEN" = "let-me 7 in-please" \nCOPY ready /ready\nFROM scratch\n' });
  const options = { cwd: context, env: { LET: 'let-me' } };
  const secret = ['--secret', 'id=token,env=LET', '--build-arg', 'API_TOKEN=in-please'];
  assert.equal((await world.run(['build', '-t', 'app:7', '-f', 'docker/File', '--target', 'one', '--build-arg', 'V=7', ...secret, '.'], options)).code, 1);
  writeFileSync(join(context, 'ready'), 'now');
  const bare = await world.run(['build', '--resume'], options);
  assert.equal(bare.code, 1);
  assert.match(bare.stderr, /not remembered, and so to be given again: --secret id=token, --build-arg API_TOKEN$/m);
  const again = await world.run(['build', '--resume', '--progress', 'plain', ...secret], options);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /RUN --mount.*\n#2 CACHED/);
  assert.equal((await world.inspect('app:7')).RepoTags[0], 'app:7');
  assert.ok(!(await world.ok('builds', 'inspect', '--json', 'app:7')).includes('in-please'));
  const elsewhere = await world.run(['build', '--resume', context]);
  assert.match(elsewhere.stderr, /that build was called in /);
});
