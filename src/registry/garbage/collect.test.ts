import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Digest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { openFileStorage } from '../files/open.ts';
import type { FileStorage } from '../files/open.ts';
import { blobPath, layoutBlobPath } from '../files/paths.ts';
import { indexOf, manifestOf, pushBlob, pushImage, putManifest, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import type { TestServer } from '../testing/start-server.ts';
import { openUpload, send, withDigest } from '../testing/uploads.ts';
import { collect } from './collect.ts';
import type { Outcome } from './collect.ts';
import { collectDry } from './dry-run.ts';
import type { Removal } from './ground.ts';
import { takeLease } from './lease.ts';
import { defaultPolicy } from './policy.ts';
import type { GarbagePolicy } from './policy.ts';
import { registryUsage } from './usage.ts';
import { watchClock } from './schedule.ts';

const day = 24 * 3_600_000;
const hour = 3_600_000;

/** Another clock for the same storage: what it holds is so much older. */
function later({ core }: FileStorage, by: number): FileStorage['core'] {
  return { ...core, now: () => Date.now() + by };
}

async function collected(storage: FileStorage, by: number, policy: Partial<GarbagePolicy> = {}): Promise<Removal[]> {
  const removed: Removal[] = [];
  const outcome = await collect(later(storage, by), { policy: { ...defaultPolicy, ...policy }, share: 1, onRemoved: (one) => removed.push(one) });
  assert.equal(outcome, 'done' satisfies Outcome);
  return removed;
}

const digestsOf = (removed: Removal[], what: Removal['what']): Digest[] => removed.filter((one) => one.what === what).map(({ digest }) => digest!).sort();
const statusOf = async (registry: TestServer, path: string): Promise<number> => (await fetch(`${registry.url}/v2/${path}`, { method: 'HEAD' })).status;

test('blobs of a deleted image go when nobody was told of them within the grace time, and shared ones stay', async () => {
  await using registry = await startTestServer();
  const shared = randomContent();
  const first = await pushImage(registry.url, 'team/app', '1', { layers: [shared, randomContent()] });
  const second = await pushImage(registry.url, 'team/other', '1', { layers: [shared], config: randomContent() });
  await registry.storage.core.layouts.flush();
  await fetch(`${registry.url}/v2/team/app/manifests/${first.manifest.digest}`, { method: 'DELETE' });
  assert.deepEqual(await collected(registry.storage, hour), []);
  const removed = await collected(registry.storage, day + hour);
  assert.deepEqual(digestsOf(removed, 'blob'), [first.config.digest, first.layers[1]!.digest].sort());
  assert.deepEqual(digestsOf(removed, 'repository blob').length, 3);
  assert.deepEqual(removed.filter(({ what }) => what === 'repository').map(({ repository }) => repository), ['team/app']);
  assert.ok(!existsSync(blobPath(registry.root, first.layers[1]!.digest)));
  assert.ok(!existsSync(join(registry.root, 'team/app')));
  assert.ok(existsSync(layoutBlobPath(registry.root, 'team/other', shared.digest)));
  for (const { digest } of [second.config, shared]) assert.equal(await statusOf(registry, `team/other/blobs/${digest}`), 200);
});

test('a HEAD, a mount and an upload give a blob its grace time again', async () => {
  await using registry = await startTestServer();
  const [asked, mounted, sentAgain, forgotten] = [randomContent(), randomContent(), randomContent(), randomContent()];
  for (const blob of [asked, mounted, sentAgain, forgotten]) await pushBlob(registry.url, 'app', blob);
  // All of them become two days older.
  const old = Date.now() - 2 * day;
  registry.storage.core.db.run('UPDATE blobs SET touched = ?', old);
  registry.storage.core.db.run('UPDATE repository_blobs SET touched = ?', old);
  assert.equal(await statusOf(registry, `app/blobs/${asked.digest}`), 200);
  assert.equal((await fetch(`${registry.url}/v2/other/blobs/uploads/?mount=${mounted.digest}&from=app`, { method: 'POST' })).status, 201);
  await pushBlob(registry.url, 'app', sentAgain);
  assert.deepEqual(digestsOf(await collected(registry.storage, 0), 'blob'), [forgotten.digest]);
  assert.equal(await statusOf(registry, `app/blobs/${asked.digest}`), 200);
  assert.equal(await statusOf(registry, `other/blobs/${mounted.digest}`), 200);
  const manifest = manifestOf({ config: asked, layers: [sentAgain] });
  assert.equal((await putManifest(registry.url, 'app', 'late', manifest)).status, 201);
});

test('untagged manifests go by policy, children of kept indexes and referrers of kept subjects never', async () => {
  await using registry = await startTestServer();
  const child = await pushImage(registry.url, 'app', 'child');
  await fetch(`${registry.url}/v2/app/manifests/child`, { method: 'DELETE' });
  const index = indexOf([child.manifest]);
  await putManifest(registry.url, 'app', 'multi', index, mediaTypes.index);
  const kept = await pushImage(registry.url, 'app', 'kept');
  const subject = { subject: { mediaType: mediaTypes.manifest, digest: kept.manifest.digest, size: kept.manifest.bytes.length } };
  const signature = manifestOf({ config: kept.config, layers: [], more: subject });
  await putManifest(registry.url, 'app', signature.digest, signature);
  const loose = manifestOf({ config: kept.config, layers: [] });
  await putManifest(registry.url, 'app', loose.digest, loose);

  assert.deepEqual(digestsOf(await collected(registry.storage, 365 * day), 'manifest'), [], 'without a rule untagged ones stay');
  assert.deepEqual(digestsOf(await collected(registry.storage, 365 * day, { untagged: 7 * day, referrers: 7 * day }), 'manifest'), [loose.digest]);

  // The index goes by the rule, and what it led to a grace time later, not after seven days more.
  await fetch(`${registry.url}/v2/app/manifests/multi`, { method: 'DELETE' });
  const policy = { untagged: 7 * day };
  assert.deepEqual(digestsOf(await collected(registry.storage, 8 * day, policy), 'manifest'), [index.digest]);
  assert.deepEqual(digestsOf(await collected(registry.storage, 8 * day + hour, policy), 'manifest'), []);
  assert.deepEqual(digestsOf(await collected(registry.storage, 9 * day + hour, policy), 'manifest'), [child.manifest.digest]);
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/${signature.digest}`)).status, 200);
});

test('referrers whose subject is gone have a rule of their own', async () => {
  await using registry = await startTestServer();
  const image = await pushImage(registry.url, 'app', '1');
  const signature = manifestOf({ config: image.config, layers: [], more: { subject: { mediaType: mediaTypes.manifest, digest: image.manifest.digest, size: 1 } } });
  await putManifest(registry.url, 'app', signature.digest, signature);
  await fetch(`${registry.url}/v2/app/manifests/${image.manifest.digest}`, { method: 'DELETE' });
  assert.deepEqual(digestsOf(await collected(registry.storage, 30 * day, { untagged: day }), 'manifest'), []);
  assert.deepEqual(digestsOf(await collected(registry.storage, day + hour, { referrers: 2 * day }), 'manifest'), []);
  assert.deepEqual(digestsOf(await collected(registry.storage, 2 * day + hour, { referrers: 2 * day }), 'manifest'), [signature.digest]);
});

test('a manifest that somebody asked for by digest has its grace time', async () => {
  await using registry = await startTestServer();
  const image = await pushImage(registry.url, 'app', '1');
  await fetch(`${registry.url}/v2/app/manifests/1`, { method: 'DELETE' });
  registry.storage.core.db.run('UPDATE manifests SET touched = ?', Date.now() - 9 * day);
  assert.equal(await statusOf(registry, `app/manifests/${image.manifest.digest}`), 200);
  assert.deepEqual(await collected(registry.storage, 6 * day, { untagged: 7 * day }), []);
  assert.equal((await putManifest(registry.url, 'app', 'multi', indexOf([image.manifest]), mediaTypes.index)).status, 201);
  assert.deepEqual(digestsOf(await collected(registry.storage, 99 * day, { untagged: 7 * day }), 'manifest'), []);
});

test('stale uploads go, one that receives stays', async () => {
  await using registry = await startTestServer();
  const stale = await openUpload(registry, 'app');
  await send(stale, 'PATCH', Buffer.from('abc'));
  const receiving = await openUpload(registry, 'app');
  const held = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const id = receiving.pathname.split('/').at(-1)!;
  const upload = registry.storage.uploads.append('app', id, (async function* () {
    yield Buffer.from('xyz');
    arrived.resolve();
    await held.promise;
  })());
  await arrived.promise;
  const removed = await collected(registry.storage, 8 * day);
  assert.deepEqual(removed.map(({ what, bytes }) => `${what} ${bytes}`), ['upload 3']);
  held.resolve();
  assert.equal((await upload)?.size, 3);
  assert.equal((await send(stale, 'PATCH', Buffer.from('def'))).status, 404);
  assert.deepEqual(readdirSync(join(registry.root, '.siru/uploads')), [id]);
});

test('one process collects at a time, and what a dead one began is gone on with', async () => {
  await using registry = await startTestServer();
  const { db } = registry.storage.core;
  const image = await pushImage(registry.url, 'app', '1');
  await fetch(`${registry.url}/v2/app/manifests/${image.manifest.digest}`, { method: 'DELETE' });
  const dead = takeLease(db, () => Date.now() + 2 * day)!;
  dead.renew({ phase: 4, place: '' });
  await using other = await openFileStorage({ root: registry.root, durable: false });
  assert.equal(await collect(later(other, 2 * day), { policy: defaultPolicy }), 'another collects');
  // Two minutes on the dead one is taken for dead: its phase is gone on with, so that blobs of repositories are not looked at.
  assert.deepEqual((await collected(other, 2 * day + 120_000)).map(({ what }) => what), []);
  assert.throws(() => dead.renew({ phase: 5, place: '' }), /another process took/);
  assert.deepEqual(digestsOf(await collected(other, 2 * day + 240_000), 'blob').length, 2);
});

test('an interrupted collection goes on where it was', async () => {
  await using registry = await startTestServer();
  for (let at = 0; at < 5; at++) await pushBlob(registry.url, 'app', randomContent());
  const stop = new AbortController();
  const first: Removal[] = [];
  const outcome = await collect(later(registry.storage, 2 * day), {
    policy: defaultPolicy, share: 1, signal: stop.signal,
    onRemoved: (one) => {
      first.push(one);
      stop.abort();
    },
  });
  assert.equal(outcome, 'interrupted');
  assert.deepEqual(new Set(first.map(({ what }) => what)), new Set(['repository blob']));
  assert.equal(digestsOf(await collected(registry.storage, 2 * day), 'blob').length, 5);
});

test('a dry run tells what the collection then takes, and changes nothing', async () => {
  await using registry = await startTestServer();
  const image = await pushImage(registry.url, 'app', '1');
  await putManifest(registry.url, 'app', '1', manifestOf({ config: image.config, layers: [] }));
  await pushBlob(registry.url, 'gone', randomContent());
  const upload = await openUpload(registry, 'app');
  await send(upload, 'PATCH', Buffer.from('abc'));
  await registry.storage.core.layouts.flush();
  const policy = { ...defaultPolicy, untagged: day };
  const told: Removal[] = [];
  assert.equal(await collectDry(later(registry.storage, 9 * day), { policy, onRemoved: (one) => told.push(one) }), 'done');
  assert.equal(await statusOf(registry, `app/manifests/${image.manifest.digest}`), 200);
  assert.ok(existsSync(layoutBlobPath(registry.root, 'app', image.layers[0]!.digest)));
  registry.storage.core.db.run('UPDATE manifests SET touched = pushed');
  assert.deepEqual(await collected(registry.storage, 9 * day, policy), told);
  assert.deepEqual(told.map(({ what }) => what), ['upload', 'manifest', 'repository blob', 'repository blob', 'blob', 'blob', 'repository']);
});

test('a clock that steps forward makes nothing old, and one that steps back keeps nothing for ever', async () => {
  await using registry = await startTestServer();
  let step = 0;
  await using storage = await openFileStorage({ root: registry.root, durable: false, now: () => Date.now() + step });
  const noticed = Promise.withResolvers<unknown>();
  using _watch = watchClock(storage.core, noticed.resolve, 5);
  await pushBlob(registry.url, 'app', randomContent());
  step = 400 * day;
  assert.match(String(await noticed.promise), /the clock stepped by 34560000 seconds/);
  assert.equal(await collect(storage.core, { policy: defaultPolicy }), 'the clock stepped');
  // While the clock was wrong a blob was touched; now it is right again.
  const told = randomContent();
  await pushBlob(registry.url, 'app', told);
  storage.core.db.run('UPDATE blobs SET touched = ? WHERE digest = ?', Date.now() + 400 * day, told.digest);
  storage.core.db.run('UPDATE repository_blobs SET touched = ? WHERE digest = ?', Date.now() + 400 * day, told.digest);
  storage.core.db.run('UPDATE collection SET stepped = 0');
  assert.deepEqual(await collected(registry.storage, 0), []);
  assert.equal(digestsOf(await collected(registry.storage, 2 * day), 'blob').length, 2);
});

test('uploads of a blob while it is collected again and again are never lost', async () => {
  await using registry = await startTestServer();
  const blob = randomContent(100_000);
  let ended = false;
  const collector = (async () => {
    // Every blob is old at once for this collector, but for those of the last instant.
    const core = { ...registry.storage.core, touchInterval: 0 };
    for (let at = 0; !ended; at++) await collect({ ...core, now: () => Date.now() + 5 }, { policy: { ...defaultPolicy, grace: 0 }, share: 1 });
  })();
  for (let at = 0; at < 60; at++) {
    const location = await openUpload(registry, `r${at % 3}`);
    const response = await send(withDigest(location, blob.digest), 'PUT', blob.bytes);
    assert.equal(response.status, 201);
    const row = registry.storage.core.db.get('SELECT 1 FROM blobs WHERE digest = ? AND state = 1', blob.digest);
    if (row !== undefined) assert.ok(existsSync(blobPath(registry.root, blob.digest)));
  }
  ended = true;
  await collector;
});

test('what is told of the space agrees with du, where links count once', async () => {
  await using registry = await startTestServer();
  const shared = randomContent(300_000);
  await pushImage(registry.url, 'team/app', '1', { layers: [shared, randomContent(50_000)] });
  await pushImage(registry.url, 'team/app', '2', { layers: [shared] });
  await pushImage(registry.url, 'team/deep/other', '1', { layers: [shared, randomContent(70_000)] });
  await send(await openUpload(registry, 'team/app'), 'PATCH', Buffer.alloc(1234));
  await registry.storage.core.layouts.flush();
  const files = (folder: string): number => Number(execFileSync('sh', ['-c', 'find "$0" -type f -path "*$1*" -printf "%i %s\\n" | sort -u | awk \'{ n += $2 } END { print n+0 }\'', registry.root, folder], { encoding: 'utf8' }));
  const usage = registryUsage(registry.storage.core);
  for (const { name, bytes } of usage.repositories) {
    assert.equal(bytes, files(`/${name}/blobs/`));
    assert.equal(bytes, await registry.storage.repositories.usage({ name }));
    const du = Number(execFileSync('sh', ['-c', 'find "$0" -type f -print0 | du -cb --files0-from=- | tail -1 | cut -f1', join(registry.root, name, 'blobs')], { encoding: 'utf8' }));
    assert.equal(bytes, du);
  }
  assert.equal(usage.bytes, files('/blobs/') + files('/uploads/'));
  assert.equal(usage.repositories.find(({ name }) => name === 'team/app')!.alone, usage.repositories[0]!.bytes - 300_000 - statSync(blobPath(registry.root, registry.storage.core.db.get<{ digest: Digest }>('SELECT digest FROM repository_blobs GROUP BY digest HAVING count(*) = 2 AND size < 300000')!.digest)).size);
});

test('what a kill left behind goes some hours later', async () => {
  await using registry = await startTestServer();
  const { writeFileSync } = await import('node:fs');
  const path = join(registry.root, '.siru/tmp/layout-old');
  writeFileSync(path, 'x');
  utimesSync(path, 1, 1);
  assert.deepEqual(await collected(registry.storage, hour), []);
  assert.deepEqual((await collected(registry.storage, 7 * hour)).map(({ what, name }) => `${what} ${name}`), ['temporary file .siru/tmp/layout-old']);
  assert.ok(!existsSync(path));
});
