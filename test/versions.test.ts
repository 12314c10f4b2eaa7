/** `tag --semver`, `push --semver`, what a pull tells, and `outdated`, as people call them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryMissing, startRegistry } from './support/registry.ts';
import { createWorld } from './support/world.ts';

test('versions are tagged, pushed, pulled and found out of date', { skip: registryMissing() }, async () => {
  await using registry = await startRegistry();
  await using world = await createWorld();
  const context = world.context({ Dockerfile: 'FROM scratch\nARG V\nLABEL v=$V\nCOPY f /f\n', f: 'hello' });
  const name = `${registry.host}/group/app`;
  const lines = async (args: string[], code = 0): Promise<{ out: string[]; err: string }> => {
    const { code: ended, stdout, stderr } = await world.run(args);
    assert.equal(ended, code, stderr);
    return { out: stdout.trimEnd().split('\n'), err: stderr };
  };
  const build = (version: string): Promise<unknown> => lines(['build', '-q', '--build-arg', `V=${version}`, '-t', `${name}:${version}`, context]);
  for (const version of ['1.10.4', '1.10.5', '2.0.0', '2.1.0-rc.1']) await build(version);

  assert.deepEqual((await lines(['tag', '--semver', `${name}:1.10.4`])).out, [`${name}:1.10.4`]);
  assert.match((await lines(['tag', '--semver', `${name}:1.10.5`])).err, /^latest stays: there is 2\.0\.0$/m);
  assert.match((await lines(['tag', '--semver', `${name}:1.10`], 1)).err, /no semantic version/);
  assert.deepEqual((await lines(['push', '--semver', `${name}:1.10.4`])).out.map((line) => line.split(':')[0]), ['1.10.4', '1.10', '1', 'latest']);
  assert.deepEqual((await lines(['push', '-q', '--semver', `${name}:2.1.0-rc.1`])).out, [`${name}:2.1.0-rc.1`]);
  assert.match((await lines(['push', '-a', '--semver', name], 1)).err, /exclude each other/);

  const pulled = await lines(['pull', `${name}:1.10`]);
  assert.match(pulled.err, /^Version: 1\.10\.4$/m);
  assert.match((await lines(['outdated', `${name}:1.10`])).err, /^up to date: 1 name$/m);
  await lines(['push', '-q', '--semver', `${name}:1.10.5`]);
  await lines(['push', '-q', '--semver', `${name}:2.0.0`]);
  const told = (await lines(['outdated', `${name}:1.10`])).out.map((line) => line.split(/ {2,}/));
  assert.deepEqual(told, [['NAME', 'HERE', 'NOW', 'CHANGE', 'NEWER'], [`${name}:1.10`, '1.10.4', '1.10.5', 'patch', '2.0 (major)']]);
  const { out } = await lines(['outdated', '--json', '--fail-on', 'major', `${name}:1.10`], 1);
  assert.deepEqual(JSON.parse(out.join('\n')).map(({ change, newer }: { change: string; newer: object }) => ({ change, newer })), [{ change: 'patch', newer: { major: '2.0' } }]);
  await lines(['pull', '-q', `${name}:1.10`]);
  await lines(['outdated', '--fail-on', 'minor', `${name}:2.0.0`]);
  assert.match((await lines(['outdated', '--fail-on', 'huge'], 1)).err, /not patch, minor or major/);
  assert.match((await lines(['outdated', 'nothing'], 1)).err, /no image nothing here that came from a registry/);
});

test('what a lock file has is found out of date for each platform, and a Dockerfile.lock of the directory is taken', { skip: registryMissing() }, async () => {
  await using registry = await startRegistry();
  await using world = await createWorld();
  const name = `${registry.host}/base`;
  const base = world.context({ Dockerfile: 'FROM scratch\nARG V\nLABEL org.opencontainers.image.version=$V\nCOPY f /f\n', f: 'hello' });
  const push = async (version: string): Promise<void> => {
    await world.ok('build', '-q', '--build-arg', `V=${version}`, '--platform', 'linux/amd64,linux/arm64', '-t', `${name}:${version}`, base);
    await world.ok('push', '-q', '--semver', `${name}:${version}`);
  };
  await push('3.20.0');
  const app = world.context({ Dockerfile: `FROM ${name}:3\nCOPY Dockerfile /d\n` });
  await world.ok('lock', '--platform', 'linux/amd64,linux/arm64', app);
  await using other = await createWorld({ cwd: app });
  const outdated = async (...args: string[]): Promise<string[][]> => (await other.ok('outdated', ...args)).trimEnd().split('\n').map((line) => line.split(/ {2,}/));
  assert.deepEqual((await outdated('-a')).slice(1).map(([what, place, , , change]) => [what, place, change]), ['amd64', 'arm64'].map((architecture) => [`${name}:3 linux/${architecture}`, 'Dockerfile.lock', 'same']));
  await push('3.21.1');
  assert.deepEqual(await outdated(name), [
    ['NAME', 'PLACE', 'HERE', 'NOW', 'CHANGE', 'NEWER'],
    ...['amd64', 'arm64'].map((architecture) => [`${name}:3 linux/${architecture}`, 'Dockerfile.lock', '3.20.0', '3.21.1', 'minor', '-']),
  ]);
  assert.deepEqual((await outdated('--lock-file', `${app}/Dockerfile.lock`)).length, 3);
  const { code } = await other.run(['outdated', '--fail-on', 'minor']);
  assert.equal(code, 1);
});
