/** Results elsewhere than in the store, and of several platforms, through the program. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { command, ownProgram } from './support/siru.ts';
import { createWorld } from './support/world.ts';

const dockerfile = 'FROM scratch\nARG TARGETARCH\nENV ARCH=$TARGETARCH\nCOPY a /a\n';

test('a tar on standard output has nothing else beside it', async () => {
  await using world = await createWorld();
  const context = world.context({ Dockerfile: dockerfile, a: 'text\n' });
  const script = `${ownProgram.map((word) => `'${word}'`).join(' ')} build -q -o - '${context}' | tar -xOf - a`;
  assert.equal(await command(['sh', '-c', script], { env: { ...process.env, SIRU_ROOT: world.store } }), 'text\n');
  assert.equal(await world.ok('images', '-q'), '');
  const both = await world.run(['build', '--progress', 'json', '-o', '-', context]);
  assert.equal(both.code, 1);
  assert.match(both.stderr, /both go to standard output/);
});

test('what is told of a result: ID, ID file and metadata, of one platform, of several, and of files', async () => {
  await using world = await createWorld();
  const context = world.context({ Dockerfile: dockerfile, a: 'text\n' });
  const [id, metadata] = [join(world.folder, 'id'), join(world.folder, 'metadata')];
  const read = (file: string): Record<string, unknown> => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const build = async (...args: string[]): Promise<string> => (await world.ok('build', '-q', '--metadata-file', metadata, ...args, context)).trim();

  const one = await build('-t', 'app:1', '--iidfile', id);
  assert.equal(readFileSync(id, 'utf8'), one);
  assert.equal(read(metadata)['containerimage.config.digest'], one);
  assert.equal(read(metadata)['image.name'], 'docker.io/library/app:1');
  const several = await build('-t', 'app:2', '--platform', 'linux/amd64,linux/arm64', '--iidfile', id);
  assert.equal(readFileSync(id, 'utf8'), several);
  assert.equal(read(metadata)['containerimage.digest'], several);
  assert.ok(!('containerimage.config.digest' in read(metadata)));
  assert.equal((read(metadata)['containerimage.descriptor'] as { digest: string }).digest, several);

  const out = join(world.folder, 'out');
  assert.equal(await build('-o', out), '');
  assert.deepEqual(read(metadata), {});
  assert.equal(readFileSync(join(out, 'a'), 'utf8'), 'text\n');
  const refused = await world.run(['build', '--iidfile', id, '-o', join(world.folder, 'other'), context]);
  assert.equal(refused.code, 1);
  assert.ok(!existsSync(join(world.folder, 'other')));
  assert.equal(await build('-o', out, '-o', `type=oci,dest=${out}.tar`, '--iidfile', id), one);
  assert.equal(readFileSync(id, 'utf8'), one);
});

test('an index built here: each platform is inspected by itself, all are saved and loaded', async () => {
  await using world = await createWorld();
  await using other = await createWorld();
  const context = world.context({ Dockerfile: dockerfile, a: 'text\n' });
  await world.ok('build', '-q', '-t', 'app:1', '--platform', 'linux/amd64', '--platform', 'linux/arm64', context);
  assert.equal((await world.ok('images', '-q')).trim().split('\n').length, 1);
  const archive = join(world.folder, 'app.tar');
  await world.ok('save', '-o', archive, 'app:1');
  await other.ok('load', '-i', archive);
  for (const place of [world, other]) {
    for (const architecture of ['amd64', 'arm64']) {
      const platform = `linux/${architecture}`;
      assert.equal(await place.ok('inspect', '--platform', platform, '-f', '{{.Architecture}} {{index .Config.Env 1}}', 'app:1'), `${architecture} ARCH=${architecture}\n`);
      assert.match(await place.ok('history', '--no-trunc', '--platform', platform, 'app:1'), new RegExp(`ENV ARCH=${architecture}`));
    }
  }
});
