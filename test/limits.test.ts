/** Limits of the build cache in the configuration file hold after each build: docs/store.md. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../src/store/open-store.ts';
import { createWorld } from './support/world.ts';

const cacheBytes = async (root: string): Promise<number> => {
  await using store = await openStore({ root });
  return (await store.prune({ all: true, only: 'cache', dryRun: true }, { signal: new AbortController().signal, emit: () => {} })).bytes;
};

test('after a build there is no more cache than max-size says, but for what that build used', async () => {
  await using world = await createWorld();
  const config = join(world.folder, 'config.json');
  const env = { SIRU_CONFIG: config };
  const build = async (name: string): Promise<void> => {
    const context = world.context({ Dockerfile: 'FROM scratch\nCOPY data /\n', data: name.repeat(100_000) });
    const { code, stderr } = await world.run(['build', context, '-o', 'type=cacheonly'], { env });
    assert.equal(code, 0, stderr);
  };
  writeFileSync(config, '{}');
  for (const name of ['a', 'b', 'c', 'd', 'e']) await build(name);
  assert.ok((await cacheBytes(world.store)) > 500_000);
  writeFileSync(config, '{ "cache": { "max-size": "250kB" } }');
  await build('f');
  const after = await cacheBytes(world.store);
  assert.ok(after <= 350_000 && after > 100_000, String(after));
  writeFileSync(config, '{ "cache": { "max-age": "0s" } }');
  await new Promise((resolve) => setTimeout(resolve, 5));
  await build('g');
  assert.ok((await cacheBytes(world.store)) < 150_000);
});

test('what is wrong in the configuration is told before anything is built', async () => {
  await using world = await createWorld();
  const config = join(world.folder, 'config.json');
  const context = world.context({ Dockerfile: 'FROM scratch\nLABEL a=1\n' });
  for (const [cache, problem] of [['{ "max-size": 5 }', /\$\.cache\["max-size"\]: not a size/], ['{ "size": "5GB" }', /\["size"\]: unknown member/], ['[]', /\$\.cache: not an object/], ['{ "max-age": "old" }', /not a duration/]] as const) {
    writeFileSync(config, `{ "cache": ${cache} }`);
    const { code, stderr } = await world.run(['build', context], { env: { SIRU_CONFIG: config } });
    assert.equal(code, 1);
    assert.match(stderr, problem);
  }
});
