/** Copying, indexes, lists and what refers to images, as people type them, against docker-registry and Siru's own. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestServer } from '../src/registry/testing/start-server.ts';
import { registryMissing, startRegistry } from './support/registry.ts';
import { createWorld } from './support/world.ts';
import type { World } from './support/world.ts';

const lines = (text: string): string[] => text.trimEnd().split('\n');

/** Two platforms of one image, each under a tag of its own. */
async function pushTwo(world: World, repository: string): Promise<void> {
  for (const architecture of ['amd64', 'arm64']) {
    const context = world.context({ Dockerfile: `FROM scratch\nLABEL for=${architecture}\nCOPY a /\n`, a: 'a' });
    await world.ok('build', '-q', '--platform', `linux/${architecture}`, '-t', `${repository}:1-${architecture}`, context);
    await world.ok('push', '-q', `${repository}:1-${architecture}`);
  }
}

for (const [kind, start, skip] of [['docker-registry', startRegistry, registryMissing()], ['our own registry', startTestServer, false]] as const) {
  test(`an image is made of two, looked at, listed, copied and deleted: ${kind}`, { skip }, async () => {
    await using registry = await start();
    await using world = await createWorld();
    const repository = `${registry.host}/group/tool`;
    await pushTwo(world, repository);
    const digest = (await world.ok('index', 'create', '-q', `${repository}:1`, `${repository}:1-amd64`, `${repository}:1-arm64`)).trim();
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    const raw = await world.ok('index', 'inspect', '--raw', `${repository}:1`);
    assert.equal(`sha256:${createHash('sha256').update(raw).digest('hex')}`, digest);
    const shown = lines(await world.ok('index', 'inspect', `${repository}:1`));
    assert.equal(shown[0], `${repository}:1`);
    assert.match(shown[1]!, new RegExp(`^index {2}${digest}`));
    assert.match(shown[2]!, /^├─ linux\/amd64 {2}sha256:[0-9a-f]{64} {2}1 layer, /);
    assert.match(shown[3]!, /^└─ linux\/arm64 {2}sha256:/);
    const tree = JSON.parse(await world.ok('index', 'inspect', '--json', `${repository}:1`)) as { digest: string; children: { platform: object }[] };
    assert.deepEqual([tree.digest, tree.children.length], [digest, 2]);

    assert.deepEqual(lines(await world.ok('ls', '-q', repository)), ['1', '1-amd64', '1-arm64']);
    assert.match(await world.ok('ls', '--digests', repository), new RegExp(`^TAG +DIGEST\\n1 +${digest}\\n`));
    const limited = await world.run(['ls', '--limit', '2', '--json', repository]);
    assert.deepEqual(lines(limited.stdout).map((line) => (JSON.parse(line) as { Tag: string }).Tag), ['1', '1-amd64']);
    assert.match(limited.stderr, /There are more than 2 tags/);
    assert.equal(await world.ok('search', `${registry.host}/too`), `${repository}\n`);
    assert.match((await world.run(['search', `${registry.host}/nothing`])).stderr, /No repository/);

    const file = join(world.folder, 'app.spdx.json');
    writeFileSync(file, '{}');
    const artifact = (await world.ok('attach', '-q', '--artifact-type', 'application/spdx+json', '--annotation', 'by=test', `${repository}:1`, file)).trim();
    const referring = await world.ok('referrers', `${repository}:1`);
    assert.match(referring, new RegExp(`└─ application/spdx\\+json {2}${artifact}\\n +app.spdx.json {2}application/spdx\\+json {2}2B\\n +by=test\\n$`));
    assert.equal(await world.ok('referrers', '-q', '--artifact-type', 'x/y', `${repository}:1`), '');
    const folder = join(world.folder, 'out');
    assert.equal(await world.ok('referrers', '-o', folder, `${repository}:1`), `${join(folder, 'app.spdx.json')}\n`);
    assert.equal(readFileSync(join(folder, 'app.spdx.json'), 'utf8'), '{}');

    const copied = await world.run(['copy', `${repository}:1`, `${registry.host}/mirror/tool:1`]);
    assert.equal(copied.stdout, `${digest}\n`);
    assert.match(copied.stderr, /mounted/);
    assert.match((await world.run(['copy', `${repository}:1`, `${registry.host}/mirror/tool:1`])).stderr, /mirror\/tool:1 is up to date/);
    assert.equal(await world.ok('referrers', '-q', `${registry.host}/mirror/tool:1`), `${artifact}\n`);
    assert.equal(await world.ok('copy', '-q', `${repository}:1`, `oci:${join(world.folder, 'layout')}:1`), `${digest}\n`);
    assert.equal(await world.ok('copy', '-q', `oci:${join(world.folder, 'layout')}:1`, `store:tool:1`), `${digest}\n`);

    const annotated = (await world.ok('index', 'annotate', '--annotation', 'a=b', `${repository}:1`)).trim();
    assert.notEqual(annotated, digest);
    assert.match(await world.ok('index', 'inspect', `${repository}:1`), /^│ +a=b$/m);

    assert.equal(await world.ok('rmi', '--remote', `${repository}@${artifact}`), `Deleted: ${repository}@${artifact}\n`);
    assert.equal(await world.ok('referrers', '-q', `${repository}@${digest}`), '');
    await world.ok('rmi', '--remote', `${repository}@${annotated}`);
    const gone = await world.run(['index', 'inspect', `${repository}:1`]);
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /has no manifest 1 in group\/tool/);
  });
}

test('what cannot be copied is told with what to do instead', async () => {
  await using registry = await startTestServer();
  await using world = await createWorld();
  const context = world.context({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a' });
  await world.ok('build', '-q', '-t', `${registry.host}/app:1`, context);
  const folder = join(world.folder, 'layout');
  for (const [words, message] of [
    [['copy', `${registry.host}/app:1`, `oci:${folder}`], /siru copy store:.*app:1/],
    [['copy', 'dir:/x', `oci:${folder}`], /kind of place that Siru does not know/],
    [['search', 'alpine'], /names no registry/],
    [['ls', `${registry.host}/app:1`], /siru index inspect/],
    [['attach', `${registry.host}/app:1`, 'x'], /--artifact-type/],
    [['attach', '--artifact-type', 'a/b', 'store:app:1', 'x'], /push or copy the image first/],
    [['referrers', 'store:app:1'], /registries and layouts/],
    [['rmi', '--remote', `${registry.host}/app`], /name a tag or a digest/],
    [['index', 'annotate', `${registry.host}/app:1`], /nothing to change/],
  ] as const) {
    const { code, stderr } = await world.run(words);
    assert.equal(code, 1, words.join(' '));
    assert.match(stderr, message, words.join(' '));
  }
  assert.equal(existsSync(folder), false);
});
