/** What must hold when processes are killed, many work at once, or the disk is full. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { openStore } from './open-store.ts';
import { folder, quiet, tinyImage, tinyStore } from './tiny.suite.ts';

const rounds = Number(process.env['SIRU_FAULT_ROUNDS'] ?? 50);
const door = JSON.stringify(join(import.meta.dirname, 'open-store.ts'));
const suite = JSON.stringify(join(import.meta.dirname, 'tiny.suite.ts'));

function run(script: string): ChildProcess & { output: string } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const result = Object.assign(child, { output: '' });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (result.output += chunk.toString()));
  return result;
}

/** Writes images, names, records and loose blobs, and prunes now and then; tells each name once it stands. */
const writer = (root: string, seed: string): string => `
  import { openStore } from ${door};
  import { tinyImage, tinyRecord, quiet } from ${suite};
  console.log('ready');
  for (let i = 0; ; i++) {
    const store = await openStore({ root: ${JSON.stringify(root)} });
    for (let k = 0; k < 4; k++) {
      const image = tinyImage(store, 'image ${seed} ' + i + ' ' + k);
      store.records.put(tinyRecord(image.imageId, image.layer));
      store.images.tag('docker.io/library/${seed}:' + (k % 2), image.manifest);
      const name = 'docker.io/library/${seed}:' + i + '-' + k;
      store.images.tag(name, image.manifest);
      console.log('named ' + name + ' ' + image.manifest);
      store.blobs.put(Buffer.from('loose ' + i + k));
    }
    if (i % 3 === 1) await store.prune({}, quiet);
    if (i % 5 !== 4) await store.close();
  }
`;

test(`writers killed at ${rounds} random moments lose nothing that had a name and leave nothing behind`, async (t) => {
  const root = join(folder(t), 'store');
  const promised = new Map<string, Digest>();
  for (let round = 0; round < rounds; round++) {
    const children = [0, 1].map((n) => run(writer(root, `w${round}-${n}`)));
    await Promise.all(children.map((child) => once(child.stdout!, 'data')));
    await sleep(Math.random() * 60);
    for (const child of children) {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
      assert.doesNotMatch(child.output, /Error/, child.output);
      for (const [, name, digest] of child.output.matchAll(/^named (\S+) (\S+)$/gm)) promised.set(name!, digest as Digest);
    }
    if (round % 10 !== 9) continue;
    await using store = await openStore({ root });
    await store.prune({}, quiet);
    for (const [name, digest] of promised) {
      const image = store.images.byName(name);
      assert.equal(image?.descriptor.digest, digest, name);
      const config = JSON.parse(store.blobs.read(image.imageId).toString()) as { rootfs: { diff_ids: Digest[] } };
      for (const diffId of config.rootfs.diff_ids) assert.equal(sha256(readFileSync(store.blobs.path(diffId))), diffId);
      for (const diffId of config.rootfs.diff_ids) assert.ok(store.layers.toc(diffId));
    }
    const index = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
    assert.ok(index.manifests.length >= promised.size);
  }
  assert.ok(promised.size > 0, 'the writers got somewhere');
  t.diagnostic(`${promised.size} names checked`);
  await using store = await openStore({ root });
  assert.deepEqual(readdirSync(join(root, 'tmp')), []);
  // Every file of blobs/ and layers/ that is not an hour old has a row, or is one of those that a kill left.
  await store.prune({}, quiet);
  const usage = await store.usage();
  assert.equal(usage.temporary.bytes, 0);
});

test('eight processes at once: nothing fails, and what one was told exists stays while others prune', async (t) => {
  const root = join(folder(t), 'store');
  const script = (n: number): string => `
    import { openStore } from ${door};
    import { tinyImage, tinyRecord, quiet } from ${suite};
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    let told = 0;
    for (let i = 0; i < 12; i++) {
      const store = await openStore({ root: ${JSON.stringify(root)} });
      const image = tinyImage(store, 'shared ' + i);
      store.images.tag('docker.io/library/shared:' + (i % 3), image.manifest);
      store.images.tag('docker.io/library/own${n}:' + i, image.manifest);
      store.records.put(tinyRecord(image.imageId, image.layer));
      for (let k = 0; k < 20; k++) store.blobs.put(Buffer.from('loose ' + i + ' ' + k));
      await store.close();

      const reader = await openStore({ root: ${JSON.stringify(root)} });
      const held = [];
      const { createHash } = await import('node:crypto');
      for (let k = 0; k < 20; k++) {
        const digest = 'sha256:' + createHash('sha256').update('loose ' + i + ' ' + k).digest('hex');
        if (reader.blobs.has(digest)) held.push(digest);
        if (k % 7 === 3) await sleep(1);
      }
      await sleep(Math.random() * 20);
      for (const digest of held) reader.blobs.read(digest);
      told += held.length;
      if ((i + ${n}) % 4 === 0) {
        const own = await openStore({ root: ${JSON.stringify(root)} });
        await own.prune({ all: ${n} % 2 === 0, only: 'cache' }, quiet);
        await own.close();
      }
      {
        using lock = await reader.lock('one', quiet);
      }
      await reader.close();
    }
    console.log('told ' + told);
  `;
  const children = Array.from({ length: 8 }, (_, n) => run(script(n)));
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0] as number));
  assert.deepEqual(codes, Array<number>(8).fill(0), children.map(({ output }) => output).join('\n'));
  const told = children.reduce((sum, { output }) => sum + Number(/told (\d+)/.exec(output)?.[1]), 0);
  t.diagnostic(`${told} blobs told of and read`);
  assert.ok(told > 100);
  await using store = await openStore({ root });
  for (let n = 0; n < 8; n++) {
    for (let i = 0; i < 12; i++) {
      const image = store.images.byName(`docker.io/library/own${n}:${i}`);
      assert.ok(image, `own${n}:${i}`);
      assert.ok(store.blobs.read(image.imageId));
    }
  }
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0;
const onTmpfs = { skip: canMount ? false : 'a full disk is made with a small tmpfs, which takes root on Linux' };

/** A file system of its own, gone after the test. */
function tmpfs(t: TestContext, size: string): string | undefined {
  const mount = mkdtempSync(join(tmpdir(), 'siru-tmpfs-'));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', mount]).status !== 0) {
    rmdirSync(mount);
    return undefined;
  }
  t.after(() => {
    spawnSync('umount', ['-l', mount]);
    rmdirSync(mount);
  });
  return mount;
}

test('a full disk is said so, leaves the store as it was, and a prune still works', onTmpfs, async (t) => {
  const mount = tmpfs(t, '4m');
  if (mount === undefined) {
    t.skip('tmpfs cannot be mounted here');
    return;
  }
  const root = join(mount, 'store');
  const name = 'docker.io/library/app:1';
  const first = await openStore({ root });
  const image = tinyImage(first, 'one');
  first.images.tag(name, image.manifest);
  // Garbage that a prune can free.
  for (let i = 0; i < 4; i++) first.blobs.put(Buffer.alloc(64 * 1024, i));
  await first.close();

  const store = await openStore({ root });
  const ingest = store.blobs.ingest();
  assert.throws(
    () => {
      for (;;) ingest.write(Buffer.alloc(64 * 1024, 7));
    },
    (error: any) => {
      assert.equal(error.code, 'STORE');
      assert.match(error.message, /no space left on the disk/);
      assert.match(error.hint, /siru prune/);
      return true;
    },
  );
  assert.deepEqual(readdirSync(join(root, 'tmp')), []);
  await store.close();

  // Really full, to the last page.
  for (const size of [1 << 20, 1 << 16, 4096]) {
    try {
      for (let i = 0; ; i++) writeFileSync(join(mount, `filler-${size}-${i}`), Buffer.alloc(size));
    } catch {}
  }
  const full = await openStore({ root });
  assert.throws(() => full.blobs.put(Buffer.alloc(2 << 20, 9)), { code: 'STORE', message: /no space left/ });
  assert.equal(full.images.byName(name)?.imageId, image.imageId, 'reading goes on');
  await full.close();
  const pruner = await openStore({ root });
  const report = await pruner.prune({}, quiet);
  await pruner.close();
  assert.ok(report.blobs >= 4);
  for (const entry of readdirSync(mount)) if (entry.startsWith('filler')) rmSync(join(mount, entry));
  const after = await openStore({ root });
  assert.ok(after.blobs.read(image.imageId));
  assert.ok(after.layers.get(image.layer.diffId));
  after.blobs.put(Buffer.from('and writing goes on'));
  await after.close();
});

test('a read-only file system: reading goes on, writing is refused', onTmpfs, async (t) => {
  const mount = tmpfs(t, '8m');
  if (mount === undefined) {
    t.skip('tmpfs cannot be mounted here');
    return;
  }
  const root = join(mount, 'store');
  const store = await openStore({ root });
  const image = tinyImage(store, 'one');
  store.images.tag('docker.io/library/app:1', image.manifest);
  await store.close();
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', mount]).status, 0);
  const reader = await openStore({ root });
  assert.equal(reader.images.list().length, 1);
  assert.ok(reader.blobs.read(image.imageId));
  assert.throws(() => reader.blobs.put(Buffer.from('x')), { code: 'STORE', message: /read/ });
  assert.throws(() => reader.images.untag('docker.io/library/app:1'), { code: 'STORE' });
  await reader.close();
});

test('skopeo and umoci read the store as it is', async (t) => {
  const skopeo = spawnSync('skopeo', ['--version']).status === 0;
  const umoci = spawnSync('umoci', ['--version']).status === 0;
  if (!skopeo && !umoci) {
    t.skip('neither skopeo nor umoci is installed');
    return;
  }
  const store = await tinyStore(t);
  const image = tinyImage(store, 'hello');
  tinyImage(store, 'dangling');
  const name = 'docker.io/library/app:1';
  store.images.tag(name, image.manifest);
  const out = folder(t);
  if (skopeo) {
    const inspect = spawnSync('skopeo', ['inspect', `oci:${store.root}:${name}`], { encoding: 'utf8' });
    assert.equal(inspect.status, 0, inspect.stderr);
    assert.equal((JSON.parse(inspect.stdout) as { Digest: string }).Digest, image.manifest);
    const copy = spawnSync('skopeo', ['--insecure-policy', 'copy', `oci:${store.root}:${name}`, `dir:${join(out, 'copy')}`], { encoding: 'utf8' });
    assert.equal(copy.status, 0, copy.stderr);
    assert.ok(readdirSync(join(out, 'copy')).includes(image.layer.diffId.slice(7)));
  } else t.diagnostic('skopeo is not installed');
  if (umoci) {
    const list = spawnSync('umoci', ['list', '--layout', store.root], { encoding: 'utf8' });
    assert.equal(list.status, 0, list.stderr);
    assert.equal(list.stdout.trim(), name);
    mkdirSync(join(out, 'bundle'));
    const unpack = spawnSync('umoci', ['raw', 'unpack', '--rootless', '--image', `${store.root}:${name}`, join(out, 'bundle', 'rootfs')], { encoding: 'utf8' });
    assert.equal(unpack.status, 0, unpack.stderr);
    assert.equal(readFileSync(join(out, 'bundle', 'rootfs', 'file'), 'utf8'), 'hello');
  } else t.diagnostic('umoci is not installed');
});
