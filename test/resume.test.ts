/** `siru push` to `siru registry serve`, killed at 90 % of a layer: what is sent again is counted. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { countingProxy } from '../src/remote/testing/counting-proxy.ts';
import { startTestServer } from '../src/registry/testing/start-server.ts';
import { createWorld } from './support/world.ts';

const size = 64 << 20;

test('a push and a pull that are killed at 90 % of a layer send and fetch less than 15 % of it again', async () => {
  await using registry = await startTestServer();
  await using proxy = await countingProxy(registry.host);
  await using world = await createWorld();
  const name = `${proxy.host}/group/app:1`;
  const killAt = async (direction: 'up' | 'down', at: typeof world, command: string, arrived?: () => boolean): Promise<void> => {
    const reached = proxy.stopAt(direction, proxy[direction] + 0.9 * size).then(async () => {
      while (arrived && !arrived()) await setTimeout(5);
    });
    const running = at.start([command, name]);
    await Promise.race([reached, running.ended.then(({ stderr }) => assert.fail(`${command} ended before it was killed: ${stderr}`))]);
    running.child.kill('SIGKILL');
    await running.ended;
  };
  await world.ok('build', '-q', '-t', name, world.context({ Dockerfile: 'FROM scratch\nCOPY data /data\n', data: randomBytes(size) }));

  await killAt('up', world, 'push');
  let before = proxy.up;
  const { code, stderr } = await world.run(['push', name]);
  assert.equal(code, 0, stderr);
  assert.ok(proxy.up - before < 0.15 * size, `${proxy.up - before} bytes were sent again: ${stderr}`);

  await using other = await createWorld();
  const tmp = join(other.store, 'tmp');
  // What is in the buffers of sockets still arrives.
  await killAt('down', other, 'pull', () => readdirSync(tmp).some((entry) => entry.startsWith('partial-') && statSync(join(tmp, entry)).size >= 0.88 * size));
  before = proxy.down;
  await other.ok('pull', name);
  assert.ok(proxy.down - before < 0.15 * size, `${proxy.down - before} bytes were fetched again`);
  assert.equal((await other.inspect(name)).Id, (await world.inspect(name)).Id);
});
