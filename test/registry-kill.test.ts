/**
 * kill -9 of the registry at random moments under writers and a collection that runs every second: what was acknowledged is
 * there and whole when it runs again, and a scrub finds nothing wrong.
 * SIRU_TEST_SEED repeats a run, SIRU_TEST_REGISTRY_KILLS sets how many there are (15).
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { layoutBlobPath } from '../src/registry/files/paths.ts';
import { openFileStorage } from '../src/registry/files/open.ts';
import { mediaTypes } from '../src/oci/media-types.ts';
import { manifestOf, randomContent } from '../src/registry/testing/content.ts';
import type { Content } from '../src/registry/testing/content.ts';
import { startOwnRegistry } from './support/own-registry.ts';
import type { OwnRegistry } from './support/own-registry.ts';
import { siruOk } from './support/siru.ts';

const seed = Number(process.env.SIRU_TEST_SEED ?? Date.now() % 1_000_000);
const kills = Number(process.env.SIRU_TEST_REGISTRY_KILLS ?? 15);
const writers = 20;

/** What the registry has said that it has. */
interface Acknowledged {
  blobs: Map<string, Content>;
  /** `repository:tag` to the digests that the tag may lead to: the last acknowledged one, and one whose answer was lost. */
  tags: Map<string, Set<string>>;
  manifests: Map<string, Content>;
}

/** Pushes until the server is gone. */
async function write(url: string, repository: string, round: number, done: Acknowledged): Promise<void> {
  try {
    for (let n = 0; ; n++) {
      const blobs = [randomContent(100), randomContent(1 + Math.floor(Math.random() * 300_000))];
      for (const { digest, bytes } of blobs) {
        const opened = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
        const location = new URL(opened.headers.get('location')!, url);
        await fetch(location, { method: 'PATCH', body: bytes });
        location.searchParams.set('digest', digest);
        if ((await fetch(location, { method: 'PUT' })).status === 201) done.blobs.set(`${repository}@${digest}`, { digest, bytes });
      }
      const manifest = manifestOf({ config: blobs[0]!, layers: [blobs[1]!], more: { annotations: { round: `${round}.${n}` } } });
      const tag = `t${n % 3}`;
      const place = `${repository}:${tag}`;
      const may = done.tags.get(place) ?? new Set();
      done.tags.set(place, may.add(manifest.digest));
      const put = await fetch(`${url}/v2/${repository}/manifests/${tag}`, { method: 'PUT', body: manifest.bytes, headers: { 'content-type': mediaTypes.manifest } });
      assert.equal(put.status, 201, 'every blob of it was acknowledged');
      done.tags.set(place, new Set([manifest.digest]));
      done.manifests.set(`${repository}@${manifest.digest}`, manifest);
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    // The connection broke: that is what this is about.
  }
}

async function verify(registry: OwnRegistry, done: Acknowledged): Promise<void> {
  for (const [place, { digest }] of done.blobs) {
    const response = await fetch(`${registry.url}/v2/${place.replace('@', '/blobs/')}`);
    assert.equal(response.status, 200, `${place} was acknowledged`);
    assert.equal(`sha256:${createHash('sha256').update(Buffer.from(await response.arrayBuffer())).digest('hex')}`, digest);
  }
  for (const [place, digests] of done.tags) {
    const [last] = digests;
    const manifest = done.manifests.get(`${place.split(':')[0]}@${last}`);
    if (manifest === undefined) continue;
    const response = await fetch(`${registry.url}/v2/${place.replace(':', '/manifests/')}`);
    const digest = response.headers.get('docker-content-digest') ?? '';
    assert.ok(digests.has(digest), `${place} leads to what was acknowledged last, or to what was being pushed`);
    if (digest === last) assert.equal(await response.text(), manifest.bytes.toString(), place);
  }
}

test(`${kills} kills of the registry under ${writers} writers and a collection lose nothing that was acknowledged, seed ${seed}`, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'siru-server-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const config = join(mkdtempSync(join(tmpdir(), 'siru-server-')), 'registry.yaml');
  t.after(() => rmSync(join(config, '..'), { recursive: true, force: true }));
  // What a tag left behind goes soon: the collection has work.
  writeFileSync(config, 'log: none\ngarbage:\n  interval: 1s\n  untagged: 1s\n');
  const done: Acknowledged = { blobs: new Map(), tags: new Map(), manifests: new Map() };
  let state = seed;
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  for (let round = 0; round < kills; round++) {
    const registry = await startOwnRegistry(root, ['--config', config]);
    const writing = Array.from({ length: writers }, (_item, n) => write(registry.url, `team/app${n % 7}/w${n}`, round, done));
    await new Promise((resolve) => setTimeout(resolve, 20 + random() * 1200));
    await registry.stop('SIGKILL');
    await Promise.all(writing);
  }
  t.diagnostic(`${done.blobs.size} blobs and ${done.manifests.size} manifests were acknowledged`);
  assert.ok(done.manifests.size > 0);
  await using registry = await startOwnRegistry(root, ['--config', config]);
  await verify(registry, done);
  await registry.stop();
  t.diagnostic(await siruOk(['registry', 'scrub', '--root', root, '--rate', '10GB'], { store: '/nonexistent' }));
  const storage = await openFileStorage({ root });
  for (const [place, { digest }] of done.blobs) assert.ok(readdirSync(join(layoutBlobPath(root, place.split('@')[0]!, digest), '..')).includes(digest.slice(7)), place);
  await storage[Symbol.asyncDispose]();
});
