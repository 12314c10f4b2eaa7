import assert from 'node:assert/strict';
import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRemote } from '../../remote/client.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { blobPath, layoutBlobPath } from '../files/paths.ts';
import { collect } from '../garbage/collect.ts';
import { defaultPolicy } from '../garbage/policy.ts';
import { indexOf, pushBlob, pushImage, putManifest, randomContent } from '../testing/content.ts';
import type { Content } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import type { TestServer } from '../testing/start-server.ts';
import type { Finding } from './finding.ts';
import { remoteSource } from './remote-source.ts';
import { scrub } from './scrub.ts';
import type { ScrubOptions } from './scrub.ts';

async function findings(registry: TestServer, options: ScrubOptions = {}): Promise<Finding[]> {
  const found: Finding[] = [];
  await scrub(registry.storage.core, { ...options, onFinding: (finding) => found.push(finding) });
  return found;
}

/** As a disk does it: the bytes of the file change, its name and its links stay. */
function rot(registry: TestServer, { digest, bytes }: Content): void {
  const wrong = Buffer.from(bytes);
  wrong[0]! ^= 1;
  writeFileSync(blobPath(registry.root, digest), wrong);
}

test('a registry that is well has no findings', async () => {
  await using registry = await startTestServer();
  await pushImage(registry.url, 'team/app', '1');
  await pushImage(registry.url, 'blobs/index.json', '1');
  const counts = await scrub(registry.storage.core, { onFinding: (finding) => assert.fail(JSON.stringify(finding)) });
  assert.equal(counts.manifests, 2);
  assert.equal(counts.layouts, 2);
});

test('a corrupt blob is named with all that it hits, put aside, and not served', async () => {
  await using registry = await startTestServer();
  const layer = randomContent();
  const one = await pushImage(registry.url, 'team/app', '1.0', { layers: [layer] });
  await putManifest(registry.url, 'team/app', 'multi', indexOf([one.manifest]), mediaTypes.index);
  await pushImage(registry.url, 'web', 'latest', { layers: [layer] });
  await registry.storage.core.layouts.flush();
  rot(registry, layer);
  const [found, ...more] = await findings(registry);
  assert.deepEqual(more, []);
  assert.equal(found!.what, 'corrupt blob');
  assert.equal(found!.digest, layer.digest);
  assert.equal(found!.mended, undefined);
  assert.deepEqual(found!.hit.map(({ repository, tags }) => [repository, tags]), [['team/app', ['1.0', 'multi']], ['web', ['latest']]]);
  for (const method of ['GET', 'HEAD']) assert.equal((await fetch(`${registry.url}/v2/web/blobs/${layer.digest}`, { method })).status, 404);
  assert.equal(readdirSync(join(registry.root, '.siru/quarantine')).length, 1);
  assert.ok(!existsSync(layoutBlobPath(registry.root, 'web', layer.digest)));
  assert.equal((await findings(registry))[0]!.what, 'corrupt blob', 'it is told again until it is mended');
  // Pushing it again to one repository mends it in all.
  await pushBlob(registry.url, 'web', layer);
  assert.deepEqual(await findings(registry), []);
  assert.deepEqual(Buffer.from(await (await fetch(`${registry.url}/v2/team/app/blobs/${layer.digest}`)).arrayBuffer()), layer.bytes);
  assert.deepEqual(readFileSync(layoutBlobPath(registry.root, 'team/app', layer.digest)), layer.bytes);
});

test('a broken blob and a broken manifest are brought from another registry', async () => {
  await using good = await startTestServer();
  await using registry = await startTestServer();
  const layer = randomContent(200_000);
  const { config, manifest } = await pushImage(registry.url, 'app', '1', { layers: [layer] });
  await pushImage(good.url, 'mirror/app', '1', { layers: [layer], config });
  rot(registry, layer);
  rmSync(blobPath(registry.root, config.digest));
  registry.storage.core.db.run(`UPDATE manifests SET content = x'00'`);
  await using remote = createRemote({});
  const found = await findings(registry, { sources: [remoteSource(remote, `${good.host}/mirror`)] });
  const from = `from ${good.host}/mirror/app`;
  assert.deepEqual(found.map(({ what, mended }) => `${what} ${mended}`).sort(), [`corrupt blob ${from}`, `corrupt manifest ${from}`, `missing blob ${from}`]);
  assert.deepEqual(await findings(registry), []);
  assert.deepEqual(readdirSync(join(registry.root, '.siru/quarantine')), []);
  assert.equal(await (await fetch(`${registry.url}/v2/app/manifests/1`)).text(), manifest.bytes.toString());
  assert.deepEqual(Buffer.from(await (await fetch(`${registry.url}/v2/app/blobs/${layer.digest}`)).arrayBuffer()), layer.bytes);
});

test('a source with a prefix has the repositories below it alone', async () => {
  await using good = await startTestServer();
  await using registry = await startTestServer();
  const [inside, outside] = [randomContent(), randomContent()];
  await pushImage(registry.url, 'hub/app', '1', { layers: [inside] });
  await pushImage(registry.url, 'app', '1', { layers: [outside] });
  await pushImage(good.url, 'app', '1', { layers: [inside, outside] });
  rot(registry, inside);
  rot(registry, outside);
  await using remote = createRemote({});
  const found = await findings(registry, { sources: [remoteSource(remote, good.host, { prefix: 'hub' })] });
  assert.deepEqual(new Map(found.map(({ digest, mended }) => [digest, mended])), new Map([[inside.digest, `from ${good.host}/app`], [outside.digest, undefined]]));
});

test('a source that lies mends nothing', async () => {
  await using registry = await startTestServer();
  const layer = randomContent();
  await pushImage(registry.url, 'app', '1', { layers: [layer] });
  rot(registry, layer);
  const liar = { at: () => 'liar', blob: async () => (async function* () { yield Buffer.from('x'); })(), manifest: async () => Buffer.from('x') };
  assert.equal((await findings(registry, { sources: [liar] }))[0]!.mended, undefined);
  assert.equal((await fetch(`${registry.url}/v2/app/blobs/${layer.digest}`)).status, 404);
  assert.deepEqual(readdirSync(join(registry.root, '.siru/tmp')), []);
});

test('a manifest that nobody has is not served, its tag waits for the next push', async () => {
  await using registry = await startTestServer();
  const image = await pushImage(registry.url, 'app', '1');
  registry.storage.core.db.run(`UPDATE manifests SET content = x'00'`);
  registry.storage.core.db.run('UPDATE repository_blobs SET touched = 0');
  const [found] = await findings(registry);
  assert.deepEqual(found!.hit, [{ repository: 'app', manifests: [], tags: ['1'] }]);
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/1`)).status, 404);
  // Its blobs have the grace time.
  assert.equal(await collect(registry.storage.core, { policy: defaultPolicy, share: 1 }), 'done');
  assert.equal((await putManifest(registry.url, 'app', image.manifest.digest, image.manifest)).status, 201);
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/1`)).status, 200);
});

test('what the disk lost beside the bytes is mended from the database, and what it has too much goes', async () => {
  await using registry = await startTestServer();
  const { root } = registry;
  const { layers, config, manifest } = await pushImage(registry.url, 'team/app', '1');
  await registry.storage.core.layouts.flush();
  const path = blobPath(root, layers[0]!.digest);
  // The blob's own name is lost, its link in the layout is not.
  rmSync(path);
  rmSync(layoutBlobPath(root, 'team/app', config.digest));
  writeFileSync(layoutBlobPath(root, 'team/app', manifest.digest), '{}');
  rmSync(join(root, 'team/app/index.json'));
  const stranger = randomContent();
  writeFileSync(blobPath(root, stranger.digest), stranger.bytes);
  writeFileSync(join(root, 'team/app/blobs/sha256', stranger.digest.slice(7)), stranger.bytes);
  mkdirSync(join(root, 'gone/blobs/sha256'), { recursive: true });
  writeFileSync(join(root, 'gone/oci-layout'), '{}');
  linkSync(blobPath(root, config.digest), join(root, 'gone/blobs/sha256', config.digest.slice(7)));
  const found = await findings(registry);
  assert.deepEqual(found.map(({ what, mended }) => `${what}: ${mended}`).sort(), [
    'file without a row: removed', 'layout file: removed', 'layout file: written again',
    'layout without a repository: removed', 'missing blob: from the layout of team/app', 'missing link: linked again',
  ]);
  assert.deepEqual(await findings(registry), []);
  assert.equal(statSync(path).ino, statSync(layoutBlobPath(root, 'team/app', layers[0]!.digest)).ino);
  assert.deepEqual(readFileSync(layoutBlobPath(root, 'team/app', manifest.digest)), manifest.bytes);
  assert.ok(existsSync(join(root, 'team/app/index.json')));
  assert.ok(!existsSync(join(root, 'gone')));
});

test('layouts that are not the registry\'s stay: behind a link, and with bytes of their own', async (t) => {
  await using registry = await startTestServer();
  const outside = mkdtempSync(join(tmpdir(), 'siru-scrub-'));
  t.after(() => rmSync(outside, { recursive: true, force: true }));
  const file = 'blobs/sha256/'.concat(randomContent().digest.slice(7));
  for (const layout of [join(outside, 'app'), join(registry.root, 'mine')]) {
    mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(layout, 'oci-layout'), '{}');
    writeFileSync(join(layout, file), 'x');
  }
  mkdirSync(join(outside, 'empty'));
  writeFileSync(join(outside, 'empty/oci-layout'), '{}');
  symlinkSync(outside, join(registry.root, 'elsewhere'));
  assert.deepEqual(await findings(registry), []);
  assert.ok(existsSync(join(outside, 'app', file)) && existsSync(join(registry.root, 'mine', file)) && existsSync(join(outside, 'empty/oci-layout')));
});

test('a scrub that is stopped leaves all as it was, and the next one begins anew', async () => {
  await using registry = await startTestServer();
  const layer = randomContent(3_000_000);
  await pushImage(registry.url, 'app', '1', { layers: [layer] });
  const stop = new AbortController();
  const running = scrub(registry.storage.core, { rate: 1000, signal: stop.signal });
  setTimeout(() => stop.abort(), 20);
  await assert.rejects(running, { name: 'AbortError' });
  renameSync(blobPath(registry.root, layer.digest), join(registry.root, 'away'));
  assert.equal((await findings(registry)).length, 1);
});
