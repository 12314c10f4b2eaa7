import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { sha256 } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { openStore } from './open-store.ts';
import type { PruneOptions, PruneReport, Store } from './store.ts';
import { folder, quiet, tinyImage, tinyLayer, tinyRecord, tinyStore } from './tiny.suite.ts';

const name = 'docker.io/library/app:1';

/** Does the work with a handle of its own, so that nothing of it is leased afterwards. */
async function within<Result>(root: string, work: (store: Store) => Result): Promise<Result> {
  const store = await openStore({ root });
  try {
    return work(store);
  } finally {
    await store.close();
  }
}
async function prune(root: string, options: PruneOptions = {}): Promise<PruneReport> {
  await using store = await openStore({ root });
  return await store.prune(options, quiet);
}
function newRoot(t: TestContext): string {
  return join(folder(t), 'store');
}
const blobsIn = (root: string): string[] => readdirSync(join(root, 'blobs', 'sha256'));

test('a dangling image goes with all that only it needed; an image with a name stays', async (t) => {
  const root = newRoot(t);
  const [one, two] = await within(root, (store) => {
    const images = [tinyImage(store, 'one'), tinyImage(store, 'two')] as const;
    store.images.tag(name, images[1].manifest);
    return images;
  });
  const dry = await prune(root, { dryRun: true });
  assert.equal(blobsIn(root).length, 6);
  const report = await prune(root);
  assert.deepEqual(report, dry);
  assert.deepEqual(report.images, [{ digest: one.manifest, names: [] }]);
  assert.equal(report.layers, 1);
  assert.equal(report.blobs, 3);
  assert.ok(report.bytes > one.layer.size);
  assert.equal(blobsIn(root).length, 3);
  assert.deepEqual(readdirSync(join(root, 'layers')), [two.layer.diffId.slice(7)]);
  assert.deepEqual(readdirSync(join(root, 'tmp')), []);
  await within(root, (store) => {
    assert.ok(store.layers.get(two.layer.diffId));
    assert.ok(store.blobs.read(two.imageId));
    assert.equal(store.images.byName(name)?.imageId, two.imageId);
  });
  assert.deepEqual(await prune(root), { images: [], records: 0, layers: 0, blobs: 0, cacheMounts: 0, failed: 0, bytes: 0 });
});

test('what a living handle was told exists stays, until it is closed', async (t) => {
  const root = newRoot(t);
  const { blob, layer, image } = await within(root, (store) => ({
    blob: store.blobs.put(Buffer.from('loose')).digest,
    layer: tinyLayer(store, 'layer'),
    image: tinyImage(store, 'image'),
  }));
  const holder = await openStore({ root });
  assert.equal(holder.blobs.has(blob), true);
  assert.ok(holder.layers.get(layer.diffId));
  holder.blobs.read(image.manifest);
  assert.equal((await prune(root, { all: true })).blobs, 0);
  assert.equal(holder.blobs.has(blob), true);
  assert.ok(holder.layers.toc(layer.diffId));
  assert.equal(holder.images.list().length, 1);
  // A handle that prunes itself spares what it holds, too.
  assert.equal((await holder.prune({ all: true }, quiet)).blobs, 0);
  await holder.close();
  assert.equal((await prune(root, { all: true })).blobs, 5);
});

test('a record holds its layer; without an image it is cache that goes, and its parts stay', async (t) => {
  const root = newRoot(t);
  const key = sha256('key');
  const record = await within(root, (store) => {
    const made = tinyRecord(key, tinyLayer(store, 'layer'));
    store.records.put(made);
    return made;
  });
  assert.equal((await prune(root, { only: 'images' })).records, 0);
  await within(root, (store) => assert.deepEqual(store.records.get(key), record));
  const report = await prune(root);
  assert.equal(report.records, 1);
  assert.equal(report.layers, 1);
  await within(root, (store) => {
    assert.equal(store.records.get(key), undefined);
    assert.deepEqual(store.records.parts(key), { parts: record.parts, evicted: true, text: record.text, diffId: record.layer.diffId, executed: record.executed, took: record.took });
    store.records.put(tinyRecord(key, tinyLayer(store, 'layer')));
    assert.deepEqual(store.records.parts(key), { parts: record.parts, evicted: false, text: record.text, diffId: record.layer.diffId, executed: record.executed, took: record.took });
  });
});

test('a record whose layer an image shows stays, until all is pruned; the layer stays then', async (t) => {
  const root = newRoot(t);
  const key = sha256('key');
  const image = await within(root, (store) => {
    const made = tinyImage(store, 'one');
    store.images.tag(name, made.manifest);
    store.records.put(tinyRecord(key, made.layer));
    return made;
  });
  assert.equal((await prune(root)).records, 0);
  assert.equal((await prune(root, { all: true, only: 'cache' })).records, 1);
  await within(root, (store) => {
    assert.ok(store.layers.get(image.layer.diffId));
    assert.ok(store.images.byName(name));
  });
});

test('what a place had last stays, with its layer, whether or not an image shows it; what it had before goes', async (t) => {
  const root = newRoot(t);
  const [before, last] = [sha256('before'), sha256('last')];
  const layer = await within(root, (store) => {
    store.records.put(tinyRecord(before, tinyLayer(store, 'before')));
    store.records.note('slot', before);
    const made = tinyLayer(store, 'last');
    store.records.put(tinyRecord(last, made));
    store.records.note('slot', last);
    return made;
  });
  const report = await prune(root);
  assert.deepEqual([report.records, report.layers], [1, 1]);
  await within(root, (store) => {
    assert.equal(store.records.get(before), undefined);
    assert.ok(store.records.get(last));
    assert.ok(store.layers.toc(layer.diffId));
  });
  assert.equal((await prune(root, { all: true })).records, 1);
});

test('images with names go with `all`, unless a container stands on them', async (t) => {
  const root = newRoot(t);
  const image = await within(root, (store) => {
    const made = tinyImage(store, 'one');
    store.images.tag(name, made.manifest);
    return made;
  });
  const container = join(root, 'containers', 'c1');
  mkdirSync(container);
  mkdirSync(join(root, 'containers', 'broken'));
  writeFileSync(join(root, 'containers', 'broken', 'container.json'), '{');
  writeFileSync(join(container, 'container.json'), JSON.stringify({ image: image.imageId, layers: [image.layer.diffId] }));
  assert.deepEqual((await prune(root, { all: true })).images, []);
  // The image removed by hand: the container's layer stays, and a blob that holds it.
  await within(root, (store) => store.images.remove(image.manifest));
  assert.equal((await prune(root, { all: true })).layers, 0);
  await within(root, (store) => assert.ok(store.layers.get(image.layer.diffId)));
  writeFileSync(join(container, 'container.json'), '{}');
  assert.equal((await prune(root, { all: true })).layers, 1);
});

test('compressed forms that no image names are cache, and so is the tar of a layer that an image names compressed', async (t) => {
  const root = newRoot(t);
  const { image, zipped } = await within(root, (store) => {
    const made = tinyImage(store, 'one');
    store.images.tag(name, made.manifest);
    const blob = store.blobs.put(Buffer.from('pretend gzip'));
    store.layers.addVariant(made.layer.diffId, { descriptor: { mediaType: mediaTypes.layerGzip, ...blob }, maker: 'gzip:5' });
    return { image: made, zipped: blob.digest };
  });
  assert.equal((await prune(root, { only: 'images' })).blobs, 0);
  assert.equal((await prune(root)).blobs, 1);
  await within(root, (store) => {
    assert.equal(store.blobs.has(zipped), false);
    assert.equal(store.layers.variants(image.layer.diffId).length, 1);
    assert.equal(store.layers.diffIdOf(zipped), image.layer.diffId);
  });
});

test('`until` keeps what was used lately', async (t) => {
  const root = newRoot(t);
  await within(root, (store) => {
    tinyImage(store, 'one');
    store.records.put(tinyRecord(sha256('key'), tinyLayer(store, 'two')));
    store.blobs.put(Buffer.from('three'));
  });
  const none = { images: [], records: 0, layers: 0, blobs: 0, cacheMounts: 0, failed: 0, bytes: 0 };
  assert.deepEqual(await prune(root, { all: true, until: 3_600_000 }), none);
  assert.equal((await prune(root, { all: true, until: -1000 })).records, 1);
});

test('what killed writers left is swept when it is old: blobs, layers, listings, locks', async (t) => {
  const root = newRoot(t);
  const listing = sha256('key');
  await within(root, (store) => store.records.put(tinyRecord(sha256('key'), tinyLayer(store, 'kept'))));
  const old = new Date(Date.now() - 2 * 3600 * 1000);
  const fresh = '1'.repeat(64);
  const stale = '2'.repeat(64);
  for (const hex of [fresh, stale]) {
    for (const kind of ['layers', 'blobs/sha256', 'listings']) {
      const path = join(root, kind, hex);
      if (kind === 'layers') mkdirSync(join(path, 'fs'), { recursive: true });
      else writeFileSync(path, 'x');
      if (hex === stale) utimesSync(path, old, old);
    }
  }
  const named = join(root, 'listings', listing.slice(7));
  writeFileSync(named, 'x');
  utimesSync(named, old, old);
  await prune(root, { until: 3_600_000 });
  for (const kind of ['layers', 'blobs/sha256', 'listings']) {
    assert.equal(existsSync(join(root, kind, fresh)), true, kind);
    assert.equal(existsSync(join(root, kind, stale)), false, kind);
  }
  assert.equal(existsSync(named), true);
  await prune(root, { all: true });
  assert.equal(existsSync(named), false, 'of an evicted record that no place remembers');
});

test('an unpacked tree goes with its layer, and the helper is asked only for what cannot be removed plainly', async (t) => {
  const root = newRoot(t);
  const layer = await within(root, (store) => {
    const made = tinyLayer(store, 'one');
    mkdirSync(join(store.layers.path(made.diffId), 'fs', 'deep'), { recursive: true });
    store.layers.setUnpacked(made.diffId);
    return made;
  });
  const given: string[] = [];
  const report = await prune(root, {
    removeTrees: (paths) => {
      given.push(...paths);
      return Promise.resolve();
    },
  });
  assert.ok(report.bytes >= 2 * layer.size, 'tar and tree');
  assert.deepEqual(given, [], 'these could be removed plainly');
  assert.deepEqual(readdirSync(join(root, 'tmp')), []);
});

test('a prune that is cancelled says so and can be repeated', async (t) => {
  const root = newRoot(t);
  await within(root, (store) => tinyImage(store, 'one'));
  await using store = await openStore({ root });
  await assert.rejects(store.prune({}, { ...quiet, signal: AbortSignal.abort() }), { code: 'CANCELLED' });
  assert.equal((await store.prune({}, quiet)).images.length, 1);
});

test('usage counts everything', async (t) => {
  const store = await tinyStore(t);
  const image = tinyImage(store, 'one');
  store.images.tag(name, image.manifest);
  store.records.put(tinyRecord(sha256('key'), tinyLayer(store, 'two')));
  mkdirSync(store.path('cache-mounts', 'm'));
  writeFileSync(store.path('cache-mounts', 'm', 'f'), 'abc');
  writeFileSync(store.temporary(), 'abcd');
  const usage = await store.usage();
  assert.equal(usage.images.count, 1);
  assert.equal(usage.images.active, 0);
  assert.equal(usage.images.reclaimable, usage.images.bytes);
  assert.ok(usage.images.bytes > image.layer.size);
  assert.equal(usage.cache.count, 1);
  assert.equal(usage.layers.count, 2);
  assert.deepEqual(usage.cacheMounts, { count: 1, bytes: 3 });
  assert.equal(usage.temporary.bytes, 4);
  assert.ok(usage.database.bytes > 1_000_000);
  let files = 0;
  const { statSync } = await import('node:fs');
  for (const path of readdirSync(store.root, { recursive: true }) as string[]) {
    const stat = statSync(join(store.root, path));
    if (stat.isFile()) files += stat.size;
  }
  assert.equal(usage.total, files);
});

test('cache mounts go with all build cache, but those in use, and those used lately when it is asked', async (t) => {
  const root = newRoot(t);
  await within(root, (store) => {
    for (const name of ['idle', 'busy', 'lately']) {
      const mount = store.cacheMount(name);
      mkdirSync(mount);
      writeFileSync(join(mount, 'file'), 'text');
    }
  });
  const hourAgo = Date.now() / 1000 - 3600;
  for (const name of ['idle', 'busy']) utimesSync(join(root, 'cache-mounts', name), hourAgo, hourAgo);
  assert.equal((await prune(root)).cacheMounts, 0);
  assert.equal((await prune(root, { all: true, only: 'images' })).cacheMounts, 0);
  await using builder = await openStore({ root });
  builder.cacheMount('busy');
  assert.deepEqual(await prune(root, { all: true, only: 'cache', until: 1_800_000, dryRun: true }), { images: [], records: 0, layers: 0, blobs: 0, cacheMounts: 1, failed: 0, bytes: 4 });
  assert.equal((await prune(root, { all: true, only: 'cache', until: 1_800_000 })).cacheMounts, 1);
  assert.deepEqual(readdirSync(join(root, 'cache-mounts')).sort(), ['busy', 'lately']);
  assert.equal((await prune(root, { all: true })).cacheMounts, 1);
  assert.deepEqual(readdirSync(join(root, 'cache-mounts')), ['busy']);
});
