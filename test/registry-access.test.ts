/** A registry with users as a process: `siru registry user`, and clients that people use, logged in and not. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { basic } from '../src/registry/testing/start-with-access.ts';
import { needs } from './support/missing.ts';
import { startOwnRegistry } from './support/own-registry.ts';
import type { OwnRegistry } from './support/own-registry.ts';
import { command, siru } from './support/siru.ts';
import type { Outcome } from './support/siru.ts';

const password = 'correct-horse-7';

const configuration = `
access:
  users: users
  anonymous: pull
  rules:
    - {repositories: "public/**", users: ann, allow: [push, delete]}
    - {repositories: "public/**", allow: pull}
    - {repositories: "home/\${user}/**", users: "*", allow: [push, delete]}
  immutable:
    - {repositories: "**", tags: "v*"}
audit:
  file: audit.log
`;

/** With the user ann, and bob, whose password is the same with an x. */
async function startWithUsers(t: TestContext): Promise<{ folder: string; file: string; registry: OwnRegistry }> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-users-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'registry.yaml');
  writeFileSync(file, configuration);
  assert.equal((await user(file, ['add', 'ann'], `${password}\n`)).stdout, `ann is added to ${join(folder, 'users')}\n`);
  await user(file, ['add', 'bob'], `${password}x`);
  return { folder, file, registry: await startOwnRegistry(join(folder, 'content'), ['--config', file, '--log', 'json']) };
}

function user(file: string, words: readonly string[], input = ''): Promise<Outcome> {
  return siru(['registry', 'user', ...words, '--config', file, ...(words[0] === 'add' ? ['--password-stdin'] : [])], { store: '/nonexistent', input });
}

test('a registry that others reach and that has no users says what that means', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-users-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const said = async (listen: string): Promise<string> => (await (await startOwnRegistry(folder, ['--listen', listen])).stop()).stderr;
  assert.match(await said(':0'), /warning: whoever reaches this address may push and delete; access in the configuration/);
  assert.doesNotMatch(await said('127.0.0.1:0'), /warning/);
});

test('users are added, changed, listed and removed, while the registry runs', async (t) => {
  const { file, registry } = await startWithUsers(t);
  await using _registry = registry;
  const status = async (name: string, secret: string): Promise<number> => (await fetch(`${registry.url}/v2/`, { headers: basic(name, secret) })).status;
  const until = async (name: string, secret: string, wanted: number): Promise<void> => {
    while (await status(name, secret) !== wanted) await new Promise((resolve) => setTimeout(resolve, 500));
  };
  assert.equal((await user(file, ['ls'])).stdout, 'ann\nbob\n');
  assert.equal(await status('ann', password), 200);
  assert.match((await user(file, ['add', 'ann'], 'another')).stdout, /^ann has a new password in /);
  await until('ann', 'another', 200);
  assert.equal(await status('ann', password), 401);
  assert.match((await user(file, ['rm', 'bob'])).stdout, /^bob is removed from /);
  await until('bob', `${password}x`, 401);
  assert.match((await siru(['registry', 'check', '--config', file], { store: '/nonexistent' })).stdout, / is good\n$/);
  const wrong: [words: string[], message: RegExp][] = [
    [['rm', 'bob'], /has no user bob/], [['add'], /user add needs a name/], [['grow'], /user grow: no such command/], [['ls', 'x'], /takes no name/], [['add', 'a:b'], /is no user name/],
  ];
  for (const [words, message] of wrong) assert.match((await user(file, words, 'x')).stderr, message);
  assert.match((await siru(['registry', 'user', 'ls'], { store: '/nonexistent' })).stderr, /needs a password file/);
  writeFileSync(join(file, '../users'), 'ann:plain\n');
  assert.match((await siru(['registry', 'check', '--config', file], { store: '/nonexistent' })).stderr, /users: line 1: the hash is not bcrypt/);
  rmSync(join(file, '../users'));
  assert.match((await siru(['registry', 'check', '--config', file], { store: '/nonexistent' })).stderr, /there is no password file .*users\n.*siru registry user add/);
});

test('skopeo logs in, copies where the rules allow it, and pulls without login what is public; logs have no secret', { skip: needs('skopeo') || needs('umoci') }, async (t) => {
  const { folder, registry } = await startWithUsers(t);
  const layout = join(folder, 'layout');
  await command(['umoci', 'init', '--layout', layout]);
  await command(['umoci', 'new', '--image', `${layout}:one`]);
  const authentication = join(folder, 'auth.json');
  const skopeo = (...words: string[]): Promise<string> => command(['env', `REGISTRY_AUTH_FILE=${authentication}`, 'skopeo', ...words]);
  const to = (name: string): string => `docker://${registry.host}/${name}`;
  const copy = (name: string): Promise<string> => skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:one`, to(name));
  await assert.rejects(copy('public/app:v1'));
  await assert.rejects(skopeo('login', '--tls-verify=false', '-u', 'ann', '-p', `${password}y`, registry.host));
  await skopeo('login', '--tls-verify=false', '-u', 'ann', '-p', password, registry.host);
  await copy('public/app:v1');
  await copy('public/app:v1');
  await copy('home/ann/app:latest');
  await assert.rejects(copy('home/bob/app:latest'));
  await assert.rejects(copy('other:latest'));
  await assert.rejects(skopeo('delete', '--tls-verify=false', to('public/app:v1')), 'the tag is immutable');
  await skopeo('delete', '--tls-verify=false', to('home/ann/app:latest'));
  rmSync(authentication);
  await skopeo('inspect', '--tls-verify=false', to('public/app:v1'));
  await assert.rejects(skopeo('inspect', '--tls-verify=false', to('home/ann/app:latest')));
  const { stdout, stderr } = await registry.stop();
  const audit = readFileSync(join(folder, 'audit.log'), 'utf8');
  assert.match(audit, /"user":"ann","action":"push","kind":"manifest","repository":"public\/app","tags":\["v1"\]/);
  for (const text of [stdout, stderr, audit]) for (const secret of [password, Buffer.from(`ann:${password}`).toString('base64'), 'eyJ']) assert.ok(!text.includes(secret));
});

test('siru logs in, pushes, searches and pulls; a name that is not its own is refused with words', { skip: needs('run') }, async (t) => {
  const { registry, folder } = await startWithUsers(t);
  await using _registry = registry;
  const { createWorld } = await import('./support/world.ts');
  await using world = await createWorld();
  await world.base();
  const env = { DOCKER_CONFIG: join(folder, 'docker') };
  const run = (words: string[], input = ''): Promise<Outcome> => siru(words, { store: world.store, env, input });
  const done = async (words: string[], input = ''): Promise<string> => {
    const { code, stdout, stderr } = await run(words, input);
    assert.equal(code, 0, `${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const image = `${registry.host}/public/base:1.0`;
  await done(['tag', 'base', image]);
  assert.notEqual((await run(['push', image])).code, 0);
  assert.match((await run(['login', '-u', 'ann', '--password-stdin', registry.host], 'wrong')).stderr, /the user name or the password is wrong/);
  await done(['login', '-u', 'ann', '--password-stdin', registry.host], password);
  await done(['push', image]);
  await done(['tag', 'base', `${registry.host}/home/ann/base:1.0`]);
  await done(['push', `${registry.host}/home/ann/base:1.0`]);
  assert.match(await done(['search', `${registry.host}/`]), /home\/ann\/base[^]*public\/base/);
  await done(['tag', 'base', `${registry.host}/home/bob/base:1.0`]);
  assert.match((await run(['push', `${registry.host}/home/bob/base:1.0`])).stderr, /ann may not (?:push to|pull from) home\/bob\/base|denied/i);
  await done(['logout', registry.host]);
  await done(['rmi', image]);
  await done(['pull', image]);
  assert.notEqual((await run(['pull', `${registry.host}/home/ann/base:1.0`])).code, 0);
});
