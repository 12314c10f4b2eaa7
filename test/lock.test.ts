/** siru lock, build --locked, --offline and --revalidate, as people call them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { countRequests } from '../src/remote/testing/count-requests.ts';
import { registryMissing, startRegistry } from './support/registry.ts';
import { createWorld } from './support/world.ts';

test('a base is locked, moves, is checked, left out and renewed', { skip: registryMissing() }, async () => {
  await using registry = await startRegistry();
  await using counted = await countRequests(registry.host);
  await using publisher = await createWorld();
  const publish = async (text: string): Promise<void> => {
    await publisher.ok('build', '-t', `${registry.host}/base:1`, '--push', publisher.context({ Dockerfile: 'FROM scratch\nCOPY motd /\n', motd: text }));
  };
  await publish('one');
  await using world = await createWorld();
  const name = `${counted.host}/base:1`;
  const context = world.context({ Dockerfile: `FROM ${name}\nCOPY app /\n`, app: 'app' });
  const file = join(context, 'Dockerfile.lock');
  const base = async (...flags: string[]): Promise<string> => {
    await world.ok('build', '-t', 'app', ...flags, context);
    return (await world.inspect('app')).RootFS.Layers[0]!;
  };

  const none = await world.run(['build', '--locked', context]);
  assert.match(none.stderr, /LOCK|there is no lock file/);
  assert.equal(none.code, 1);
  const missing = await world.run(['lock', '--check', context]);
  assert.deepEqual([missing.code, existsSync(file)], [1, false]);
  assert.match(missing.stderr, /does not have all that the build takes from outside:\n {2}image 127\.0\.0\.1:\d+\/base:1 linux\//);

  assert.match(await world.ok('lock', context), /^\+ image .*base:1 linux\/\w+ sha256:[0-9a-f]{64}\n.*Dockerfile\.lock: 1 new, for linux\/\w+\n$/);
  assert.match(await world.ok('lock', context), /^.*Dockerfile\.lock: 1 as before, for linux\/\w+; nothing to write\n$/);
  assert.match(await world.ok('lock', '--check', context), /has all that the build takes/);
  const one = await base();
  await publish('two');
  assert.equal(await base(), one);
  assert.equal(await base('--locked'), one);
  assert.equal(await base('--locked', '--offline'), one);
  const two = await base('--no-lock', '--pull');
  assert.notEqual(two, one);
  assert.equal(await base('--locked=false'), two);
  assert.equal(await base(), one);
  assert.match(await world.ok('plan', '--offline', context), /FROM .*here/);

  const renewed = await world.run(['lock', '--update', name], { cwd: context });
  assert.match(renewed.stdout, /^~ image .*\n {4}sha256:[0-9a-f]{64} -> sha256:[0-9a-f]{64}\n.*1 changed/);
  assert.equal(await base(), two);

  // Without a lock what is here is taken, unless an interval says otherwise.
  unlinkSync(file);
  await publish('three');
  counted.taken();
  assert.equal(await base(), two);
  await world.run(['build', '-t', 'app', context], { env: { SIRU_REVALIDATE: '24h' } });
  assert.deepEqual(counted.taken(), []);
  assert.notEqual(await base('--revalidate', '0s'), two);
  assert.deepEqual((await world.run(['build', context], { env: { SIRU_REVALIDATE: 'often' } })).code, 1);
  const configuration = join(world.folder, 'config.json');
  for (const [text, code] of [['{"build":{"revalidate":"24h"}}', 0], ['{"build":{"revalidate":24}}', 1], ['{"build":{"reval":"24h"}}', 1]] as const) {
    writeFileSync(configuration, text);
    const outcome = await world.run(['build', context], { env: { SIRU_CONFIG: configuration } });
    assert.equal(outcome.code, code, outcome.stderr);
  }
});

test('an offline build of what is not here says all of it, and what to do', async () => {
  await using world = await createWorld();
  const context = world.context({ Dockerfile: 'FROM nothing:1 AS a\nRUN true\nFROM scratch\nADD http://127.0.0.1:9/tool /\nCOPY --from=a /x /\nCOPY --from=other:2 /x /\n' });
  const { stderr, code } = await world.run(['build', '--offline', context]);
  assert.equal(code, 1);
  assert.match(stderr, /the build may fetch nothing, and these are not here:\n(?: {2}.*\n){3}/);
  for (const what of ['image nothing:1 for linux/', 'image other:2 for linux/', 'file http://127.0.0.1:9/tool (line 4)', 'siru pull --platform linux/']) assert.ok(stderr.includes(what), stderr);
});

test('a lock file that is no lock file stops the build and is not written over', async () => {
  await using world = await createWorld();
  const context = world.context({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n', 'Dockerfile.lock': '{}\n' });
  for (const args of [['build', context], ['plan', context], ['lock', context], ['lock', '--update', context]]) {
    const { stderr, code } = await world.run(args);
    assert.equal(code, 1, args.join(' '));
    assert.match(stderr, /Dockerfile\.lock:1: no lock file/);
  }
  assert.equal(readFileSync(join(context, 'Dockerfile.lock'), 'utf8'), '{}\n');
  await world.ok('build', '--no-lock', context);
  for (const args of [['lock', '--check', '--update', context], ['build', '--locked', '--no-lock', context], ['lock', context, 'name']]) assert.equal((await world.run(args)).code, 1, args.join(' '));
});

test('a build without a lock file loads nothing that reads one', async () => {
  await using world = await createWorld();
  const context = world.context({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const hook = join(world.folder, 'hook.mjs');
  writeFileSync(hook, "import { registerHooks } from 'node:module';\nregisterHooks({ load(url, context, next) { if (/\\/build\\/(?:lock\\/|find-lock)/.test(url)) process.stderr.write(`LOADED ${url}\\n`); return next(url, context); } });\n");
  const loaded = async (): Promise<string[]> => [...(await world.run(['build', context], { env: { NODE_OPTIONS: `--import=${hook}`, SIRU_SOURCE: '1' } })).stderr.matchAll(/^LOADED .*\/(\S+)$/gm)].map(([, name]) => name!);
  assert.deepEqual(await loaded(), ['find-lock.ts']);
  await world.ok('lock', context);
  assert.ok((await loaded()).includes('lock-file.ts'));
});
