/**
 * kill -9 of a registry that collects all the time, under writers that share layers, ask, mount, move tags and delete: what was
 * acknowledged within the grace time is there, what was tagged is whole, and a scrub finds nothing wrong.
 * SIRU_TEST_REGISTRY_KILLS sets how many there are (15), SIRU_TEST_SEED repeats the moments.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mediaTypes } from '../../oci/media-types.ts';
import { openFileStorage } from '../files/open.ts';
import { scrub } from '../scrub/scrub.ts';
import type { Finding } from '../scrub/finding.ts';
import { grace } from '../testing/collecting-server.ts';
import { manifestOf, randomContent } from '../testing/content.ts';
import type { Content } from '../testing/content.ts';
import { collect } from './collect.ts';
import { registryUsage } from './usage.ts';

const kills = Number(process.env.SIRU_TEST_REGISTRY_KILLS ?? 15);
const seed = Number(process.env.SIRU_TEST_SEED ?? Date.now() % 1_000_000);
const writers = 20;
const pool = Array.from({ length: 12 }, (_item, at) => randomContent(1000 + at * 15_000));

const counts = { blobs: 0, manifests: 0, mounts: 0, heads: 0, deletes: 0, collected: 0 };
/** `repository:tag` to the digests that it may lead to; an empty text is none. */
const tags = new Map<string, Set<string>>();
const contents = new Map<string, Content>();

async function start(root: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../testing/collecting-server.ts'), root], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    const text = bytes.toString();
    said = (said + text).slice(0, 1000);
    counts.collected += text.split('- blob\n').length - 1;
  });
  let url: string | undefined;
  while ((url = /http:\S+(?=\n)/.exec(said)?.[0]) === undefined) await once(child.stdout, 'data');
  return { child, url };
}

/** Sees to it that the repository has the blob, in one of the ways that clients have. */
async function bring(url: string, repository: string, { digest, bytes }: Content, way: number): Promise<void> {
  if (way % 3 === 0 && (await fetch(`${url}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })).status === 200) return void counts.heads++;
  if (way % 3 === 1 && (await fetch(`${url}/v2/${repository}/blobs/uploads/?mount=${digest}`, { method: 'POST' })).status === 201) return void counts.mounts++;
  const opened = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  if (way % 7 === 0) return;
  const location = new URL(opened.headers.get('location')!, url);
  await fetch(location, { method: 'PATCH', body: bytes });
  location.searchParams.set('digest', digest);
  const done = await fetch(location, { method: 'PUT' });
  assert.equal(done.status, 201, await done.text());
  counts.blobs++;
}

async function write(url: string, repository: string, round: number): Promise<void> {
  try {
    for (let n = 0; ; n++) {
      const config = randomContent(100);
      const layer = pool[Math.floor(Math.random() * pool.length)]!;
      const begun = performance.now();
      const way = n * 31 + round;
      for (const blob of [config, layer]) await bring(url, repository, blob, blob === config ? 2 : way);
      const manifest = manifestOf({ config, layers: [layer], more: { annotations: { at: `${round}.${n}` } } });
      const tag = `t${n % 3}`;
      const place = `${repository}:${tag}`;
      contents.set(manifest.digest, manifest);
      tags.set(place, new Set(tags.get(place)).add(manifest.digest));
      const put = await fetch(`${url}/v2/${repository}/manifests/${tag}`, { method: 'PUT', body: manifest.bytes, headers: { 'content-type': mediaTypes.manifest } });
      // One upload in a few was opened only: its manifest must be refused. So may be one that came after the grace time.
      if (put.status !== 201) {
        assert.ok(way % 7 === 0 || performance.now() - begun > grace, `${put.status} within the grace time: ${await put.text()}`);
        continue;
      }
      counts.manifests++;
      tags.set(place, new Set([manifest.digest]));
      if (n % 5 === 4) {
        tags.get(place)!.add('');
        if ((await fetch(`${url}/v2/${repository}/manifests/${tag}`, { method: 'DELETE' })).status === 202) tags.set(place, new Set(['']));
        counts.deletes++;
      }
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
  }
}

async function verify(url: string): Promise<void> {
  for (const [place, digests] of tags) {
    const [repository, tag] = place.split(':');
    const response = await fetch(`${url}/v2/${repository}/manifests/${tag}`);
    const digest = response.headers.get('docker-content-digest') ?? '';
    if (!digests.has(digest)) assert.ok(digest === '' && [...digests].every((one) => !contents.has(one)), `${place} leads to ${digest}, not to ${[...digests].join(' or ')}`);
    if (digest === '') continue;
    const text = await response.text();
    assert.equal(text, contents.get(digest)!.bytes.toString());
    const { config, layers } = JSON.parse(text) as { config: { digest: string }; layers: { digest: string }[] };
    for (const blob of [config, ...layers]) {
      const answer = await fetch(`${url}/v2/${repository}/blobs/${blob.digest}`);
      assert.equal(answer.status, 200, `${place} needs ${blob.digest}`);
      assert.equal(`sha256:${createHash('sha256').update(Buffer.from(await answer.arrayBuffer())).digest('hex')}`, blob.digest);
    }
  }
}

test(`${kills} kills of a registry that collects all the time, under ${writers} writers, seed ${seed}`, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'siru-server-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  let state = seed;
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  for (let round = 0; round < kills; round++) {
    const { child, url } = await start(root);
    const writing = Array.from({ length: writers }, (_item, n) => write(url, `team/app${n}`, round));
    await new Promise((resolve) => setTimeout(resolve, 20 + random() * 1200));
    child.kill('SIGKILL');
    await once(child, 'close');
    await Promise.all(writing);
  }
  const { child, url } = await start(root);
  await verify(url);
  child.kill('SIGKILL');
  await once(child, 'close');
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.manifests > 0);

  await using storage = await openFileStorage({ root });
  const { core } = storage;
  const policy = { grace: 0, untagged: 0, referrers: 0, uploads: 0 };
  // The first one goes on where the killed one was.
  for (let at = 0; at < 2; at++) assert.equal(await collect({ ...core, now: () => Date.now() + 3_600_000 * (at + 1), touchInterval: 0 }, { policy, share: 1 }), 'done');
  const found: Finding[] = [];
  await scrub(core, { rate: 1e12, onFinding: (finding) => found.push(finding) });
  assert.deepEqual(found, []);
  // Nothing is left but what tags lead to.
  const kept = new Set([...tags.values()].flatMap((digests) => [...digests].filter((digest) => core.db.get('SELECT 1 FROM tags WHERE digest = ?', digest) !== undefined)));
  const { manifests, uploads, blobs } = registryUsage(core);
  assert.equal(manifests.count, kept.size);
  assert.equal(uploads.count, 0);
  assert.equal(blobs.count, readdirSync(join(root, '.siru/blobs/sha256')).length);
  assert.ok(blobs.count <= kept.size + pool.length);
});
