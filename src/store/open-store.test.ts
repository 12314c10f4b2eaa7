import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256 } from '../oci/digest.ts';
import { openStore } from './open-store.ts';
import { rootOf } from './layout.ts';
import { bootId, currentOwner } from './owner.ts';
import { folder, quiet, tinyImage, tinyRecord, tinyStore } from './tiny.suite.ts';

const name = 'docker.io/library/app:1';
const asRoot = { skip: process.getuid?.() === 0 ? false : 'this test must be root to become another user' };
const door = JSON.stringify(join(import.meta.dirname, 'open-store.ts'));

test('a new store is an OCI image layout, open to its owner alone', async (t) => {
  const store = await tinyStore(t);
  assert.deepEqual(JSON.parse(readFileSync(join(store.root, 'oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' });
  assert.deepEqual(JSON.parse(readFileSync(join(store.root, 'index.json'), 'utf8')).manifests, []);
  if (process.platform !== 'win32') assert.equal(statSync(store.root).mode & 0o777, 0o700);
});

test('an empty folder that others may read becomes its owner\'s alone with the store in it, a full one does not', { skip: process.platform === 'win32' && 'there are no modes' }, async (t) => {
  const root = folder(t);
  chmodSync(root, 0o755);
  await tinyStore(t, root);
  for (const name of ['', 'tmp', 'containers', 'cache-mounts']) assert.equal(statSync(join(root, name)).mode & 0o777, 0o700, name);
  const shared = folder(t);
  writeFileSync(join(shared, 'file'), '');
  chmodSync(shared, 0o755);
  await tinyStore(t, shared);
  assert.equal(statSync(shared).mode & 0o777, 0o755);
});

test('the place: the option, then SIRU_ROOT, then the usual one', (t) => {
  const before = process.env['SIRU_ROOT'];
  t.after(() => {
    if (before === undefined) delete process.env['SIRU_ROOT'];
    else process.env['SIRU_ROOT'] = before;
  });
  process.env['SIRU_ROOT'] = join(import.meta.dirname, 'from-env');
  assert.equal(rootOf(join(import.meta.dirname, 'given')), join(import.meta.dirname, 'given'));
  assert.equal(rootOf(undefined), join(import.meta.dirname, 'from-env'));
  process.env['SIRU_ROOT'] = '';
  if (process.platform === 'linux' && process.getuid?.() === 0) assert.equal(rootOf(undefined), '/var/lib/siru');
});

test('opening a store that exists takes a few milliseconds', async (t) => {
  const root = join(folder(t), 'store');
  await (await openStore({ root })).close();
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    const store = await openStore({ root });
    times.push(performance.now() - start);
    await store.close();
  }
  const median = times.sort((a, b) => a - b)[10]!;
  t.diagnostic(`${median.toFixed(2)} ms`);
  assert.ok(median < 10, `${median} ms`);
});

test('what is kept is there when the store is opened again', async (t) => {
  const root = join(folder(t), 'store');
  const first = await openStore({ root });
  const image = tinyImage(first, 'one');
  first.images.tag(name, image.manifest);
  await first.close();
  await first.close();
  const second = await tinyStore(t, root);
  assert.equal(second.images.byName(name)?.imageId, image.imageId);
  assert.ok(second.layers.get(image.layer.diffId));
});

test('paths stay inside the store and the folder above them is there', async (t) => {
  const store = await tinyStore(t);
  const path = store.path('contexts', 'a', 'b');
  assert.equal(path, join(store.root, 'contexts', 'a', 'b'));
  assert.ok(existsSync(join(store.root, 'contexts', 'a')));
  assert.throws(() => store.path('..', 'x'), { code: 'STORE' });
  assert.throws(() => store.path('/etc/passwd'), { code: 'STORE' });
});

test('temporary files of dead processes go, those of living ones stay', async (t) => {
  const store = await tinyStore(t);
  const mine = store.temporary('.x');
  writeFileSync(mine, '');
  assert.notEqual(store.temporary(), store.temporary());
  const { home } = currentOwner(bootId());
  const tmp = join(store.root, 'tmp');
  const dead = join(tmp, `${home}-${process.pid}-1-abcd-0`);
  mkdirSync(join(dead, 'tree'), { recursive: true });
  const foreign = join(tmp, '0123456789ab-1-1-abcd-0');
  writeFileSync(foreign, '');
  const old = join(tmp, '0123456789ab-1-1-abcd-1');
  writeFileSync(old, '');
  utimesSync(old, 1, 1);
  await tinyStore(t, store.root);
  if (process.platform === 'linux') assert.deepEqual(readdirSync(tmp).map((entry) => join(tmp, entry)).sort(), [mine, foreign].sort());
});

test('a place that is no folder or may not be written is said so, with what to do', asRoot, async (t) => {
  const parent = folder(t);
  writeFileSync(join(parent, 'file'), '');
  await assert.rejects(openStore({ root: join(parent, 'file', 'store') }), (error: any) => {
    assert.equal(error.code, 'STORE');
    assert.match(error.message, /cannot make the store at/);
    assert.match(error.hint, /--root/);
    return true;
  });
  chmodSync(parent, 0o755);
  const script = `
    import { openStore } from ${door};
    process.setgid(65534);
    process.setuid(65534);
    await openStore({ root: ${JSON.stringify(join(parent, 'store'))} }).catch((e) => console.log(e.code, e.message, e.hint));
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.match(stdout, /^STORE cannot make the store at .*: permission denied You may not write there/);
});

test('a place that takes no folders is refused at once', { skip: existsSync('/proc/self') ? false : 'there is no /proc here' }, () => {
  // In a process of its own: a call that never ends could not be timed out here.
  const script = `import { openStore } from ${door}; await openStore({ root: '/proc/siru/store' }).catch((e) => console.log(e.code, e.message, e.hint));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 10_000, killSignal: 'SIGKILL' });
  assert.match(stdout, /^STORE cannot make the store at \/proc\/siru\/store: /);
});

test('a store that may only be read answers reading commands and refuses writing ones', asRoot, async (t) => {
  const parent = folder(t);
  chmodSync(parent, 0o755);
  const root = join(parent, 'store');
  const store = await openStore({ root });
  const image = tinyImage(store, 'one');
  store.images.tag(name, image.manifest);
  store.records.put(tinyRecord(sha256('key'), image.layer));
  await store.close();
  chmodSync(root, 0o755);
  const script = `
    import { openStore } from ${door};
    process.setgid(65534);
    process.setuid(65534);
    const store = await openStore({ root: ${JSON.stringify(root)} });
    const image = store.images.byName(${JSON.stringify(name)});
    const failure = (work) => { try { work(); return 'no failure' } catch (e) { return e.code } };
    console.log(JSON.stringify({
      id: image.imageId,
      config: JSON.parse(store.blobs.read(image.imageId)).os,
      layer: store.layers.get(${JSON.stringify(image.layer.diffId)}) !== undefined,
      record: store.records.get(${JSON.stringify(sha256('key'))}) !== undefined,
      put: failure(() => store.blobs.put(Buffer.from('x'))),
      ingest: failure(() => store.blobs.ingest()),
      tag: failure(() => store.images.tag('a:1', image.manifest)),
      usage: (await store.usage()).images.count,
      prune: await store.prune({}, { signal: new AbortController().signal, emit() {} }).catch((e) => e.code),
    }));
    await store.close();
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(stdout || JSON.stringify(stderr)), {
    id: image.imageId, config: 'linux', layer: true, record: true,
    put: 'STORE', ingest: 'STORE', tag: 'STORE', usage: 1, prune: 'STORE',
  });
});

test('a damaged database is named, with what to do; then images come back from index.json', async (t) => {
  const root = join(folder(t), 'store');
  const store = await openStore({ root });
  const [one, two, lost] = [tinyImage(store, 'one'), tinyImage(store, 'two'), tinyImage(store, 'lost')];
  store.images.tag(name, one.manifest);
  store.images.tag('docker.io/library/app:2', one.manifest);
  await store.close();
  const database = join(root, 'siru.db');
  for (const damage of [
    () => writeFileSync(database, 'this is no database, it only looks like a file'.repeat(100)),
    () => writeFileSync(database, readFileSync(database).map((byte, i) => (i > 100 ? 0xff : byte))),
  ]) {
    damage();
    await assert.rejects(
      async () => {
        await using broken = await openStore({ root });
        broken.images.list();
      },
      (error: any) => {
        assert.equal(error.code, 'STORE');
        assert.match(error.message, /siru\.db is damaged/);
        assert.match(error.hint, /Move it .* away/);
        return true;
      },
    );
    for (const end of ['', '-wal', '-shm']) rmSync(database + end, { force: true });
    rmSync(join(root, 'blobs', 'sha256', lost.imageId.slice(7)), { force: true });
    const again = await openStore({ root });
    assert.deepEqual(again.images.byName(name)?.names, [name, 'docker.io/library/app:2']);
    assert.equal(again.images.list().length, 2, 'an image that is not whole is left out');
    assert.deepEqual(again.images.byId(one.manifest)[0]?.descriptor, one.descriptor);
    assert.deepEqual(again.layers.get(two.layer.diffId), two.layer);
    assert.equal((await again.prune({ dryRun: true }, quiet)).images.length, 0, 'held by the handle that found them');
    await again.close();
  }
});

test('a store of a newer Siru is refused', async (t) => {
  const root = join(folder(t), 'store');
  await (await openStore({ root })).close();
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(join(root, 'siru.db'));
  db.exec('PRAGMA user_version = 999');
  db.close();
  await assert.rejects(openStore({ root }), { code: 'STORE', message: /newer Siru/ });
});
