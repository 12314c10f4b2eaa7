/** Caches that travel, between two stores, through a real registry on loopback or a folder; RUN needs root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { contextOf } from '../../base/context.ts';
import { isSiruError } from '../../base/errors.ts';
import type { Event } from '../../base/events.ts';
import { busyboxMissing, makeBusyboxImage } from '../../images/testing/make-image.ts';
import { readImage } from '../../images/read.ts';
import { temporaryStore } from '../../images/testing/temporary-store.ts';
import { hexOf, sha256, type Digest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { parseReference } from '../../oci/reference.ts';
import { createRemote } from '../../remote/client.ts';
import { registryMissing, startRegistry, type TestRegistry } from '../../remote/testing/start-registry.ts';
import type { Store } from '../../store/store.ts';
import { build } from '../build.ts';
import { explainBuild } from '../history/explain-build.ts';
import type { BuildOptions, BuildResult } from '../options.ts';

const cannotRun = process.platform !== 'linux' ? 'RUN needs Linux' : process.getuid?.() === 0 ? busyboxMissing() : 'this test runs its steps as root';
const cannotTravel = cannotRun || registryMissing();

interface Machine {
  store: Store;
  folder: string;
  write: (files: Record<string, string>) => void;
  build: (dockerfile: string, options?: Partial<BuildOptions>) => Promise<BuildResult & Told>;
  /** Of a build that fails. */
  fails(dockerfile: string, options?: Partial<BuildOptions>): Promise<{ code?: string; message: string } & Told>;
}

interface Told {
  /** `RUN make: executed`, in the order in which they ended, without FROM. */
  lines: string[];
  warnings: string[];
  /** Blobs that were fetched, by the first digits of their digests. */
  pulled: string[];
  statuses: string[];
}

/** A store of its own, a base image and a context, whose files are newer on each machine. */
async function machine(t: TestContext): Promise<Machine> {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  makeBusyboxImage(store, 'base:1');
  const context = join(folder, 'context');
  mkdirSync(context);
  const age = Date.now() / 1000 - Math.floor(Math.random() * 1e6);
  const run = async (dockerfile: string, options: Partial<BuildOptions>, events: Event[]): Promise<BuildResult> =>
    build({ store, context, dockerfileText: dockerfile, onEvent: (event) => events.push(event), ...options });
  return {
    store,
    folder,
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(context, name)), { recursive: true });
        writeFileSync(join(context, name), text);
        utimesSync(join(context, name), age, age);
      }
    },
    async build(dockerfile, options = {}) {
      const events: Event[] = [];
      return { ...(await run(dockerfile, options, events)), ...told(events) };
    },
    async fails(dockerfile, options = {}) {
      const events: Event[] = [];
      try {
        await run(dockerfile, options, events);
      } catch (error) {
        return { message: String((error as Error).message), ...(isSiruError(error) && { code: error.code }), ...told(events) };
      }
      assert.fail('the build succeeded');
    },
  };
}

function told(events: Event[]): Told {
  return {
    lines: events.flatMap((event) => (event.type === 'step-done' && !event.step.text.startsWith('FROM') ? `${event.step.text}: ${event.status}${event.from === undefined ? '' : ' elsewhere'}` : [])),
    warnings: events.flatMap((event) => (event.type === 'warning' ? event.text : [])),
    pulled: events.flatMap((event) => (event.type === 'transfer' && event.direction === 'pull' && event.state === 'done' ? event.what : [])),
    statuses: events.flatMap((event) => (event.type === 'status' ? event.text : [])),
  };
}

async function registry(t: TestContext): Promise<TestRegistry> {
  const started = await startRegistry();
  t.after(() => started.stop());
  return started;
}

const statuses = (lines: string[]): string[] => lines.map((line) => line.replace(/^.*: /, ''));

/** Half a second is worth any small layer, however slow the machine. */
const slow = 'sleep 0.5';
const app = `FROM base:1 AS builder
WORKDIR /app
COPY package.json ./
RUN ${slow}; mkdir deps; date +%s%N > deps/list
COPY src src
RUN ${slow}; cat src/* deps/list > /out
FROM base:1
COPY --from=builder /out /out
RUN ${slow}; cat /out > /final
`;
const files = { 'package.json': '{}', 'src/a': 'a', 'src/b': 'b' };

test('a second machine finds all that the first one built, fetches only the image, and comes to the same one', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const ref = `${host}/team/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  for (const { write } of [one, two]) write(files);
  const first = await one.build(app, { cacheTo: [{ type: 'registry', at: ref, mode: 'max' }], cacheFrom: [{ type: 'registry', at: ref }] });
  assert.deepEqual(statuses(first.lines), ['executed', 'executed', 'executed', 'executed', 'executed', 'executed', 'executed']);
  const second = await two.build(app, { cacheFrom: [{ type: 'registry', at: ref }] });
  assert.deepEqual(second.warnings, []);
  assert.deepEqual(statuses(second.lines), second.lines.map(() => 'cached elsewhere'));
  assert.equal(second.imageId, first.imageId);
  assert.deepEqual(second.imported, { [ref]: 7 });
  // Of seven layers those two that the image has.
  assert.equal(second.pulled.length, 2);
  assert.equal(readImage(two.store, second.digest).layers.length, 3);
  const third = await two.build(app, { cacheFrom: [{ type: 'registry', at: ref }] });
  assert.deepEqual(statuses(third.lines).slice(-2), ['cached', 'cached']);
  assert.deepEqual([third.imageId, third.pulled], [first.imageId, []]);
});

test('what nothing is executed on and no image holds is not fetched at all', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const at = `${host}/team/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  for (const { write } of [one, two]) write(files);
  await one.build(app, { cacheTo: [{ type: 'registry', at, mode: 'max' }] });
  const second = await two.build(app, { cacheFrom: [{ type: 'registry', at }], outputs: [{ type: 'cacheonly' }] });
  assert.deepEqual([...new Set(statuses(second.lines))], ['cached elsewhere']);
  assert.deepEqual(second.pulled, []);
});

test('a build that fails half way has written what it did; elsewhere only the failed step and what follows are executed', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const at = `${host}/team/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  for (const { write } of [one, two]) write(files);
  const steps = (last: string): string => `FROM base:1\nCOPY src src\nRUN ${slow}; date +%s%N > /first\nRUN ${slow}; date +%s%N > /second\nRUN ${last}\nRUN cat /first /second > /both\n`;
  const failed = await one.fails(steps('false'), { cacheTo: [{ type: 'registry', at, mode: 'max' }] });
  assert.equal(failed.code, 'RUN_FAILED');
  const second = await two.build(steps('true'), { cacheFrom: [{ type: 'registry', at }] });
  assert.deepEqual(statuses(second.lines), ['cached elsewhere', 'cached elsewhere', 'cached elsewhere', 'executed', 'executed']);
});

test('two writers at once lose nothing', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const at = `${host}/team/app:cache`;
  const names = ['a', 'b', 'c', 'd'];
  const dockerfile = (name: string): string => `FROM base:1\nRUN ${slow}; echo ${name} > /one\nRUN ${slow}; echo ${name} > /two\n`;
  const machines = await Promise.all(names.map(() => machine(t)));
  await Promise.all(machines.map((one, index) => one.build(dockerfile(names[index]!), { cacheTo: [{ type: 'registry', at, mode: 'max' }] })));
  const reader = await machine(t);
  for (const name of names) {
    const read = await reader.build(dockerfile(name), { cacheFrom: [{ type: 'registry', at }] });
    assert.deepEqual(statuses(read.lines), ['cached elsewhere', 'cached elsewhere'], name);
  }
});

/** Files of the blobs of a registry, by their digests. */
function blobsIn(of: TestRegistry): Map<string, string> {
  const root = join(of.root, 'docker/registry/v2/blobs/sha256');
  return new Map(readdirSync(root).flatMap((two) => readdirSync(join(root, two)).map((hex): [string, string] => [`sha256:${hex}`, join(root, two, hex, 'data')])));
}

/** The manifests of a registry that hold these words. */
function documentsWith(of: TestRegistry, ...words: string[]): string[] {
  return [...blobsIn(of).values()].filter((file) => {
    const text = readFileSync(file).toString('latin1');
    return text.startsWith('{"schemaVersion"') && words.every((word) => text.includes(word));
  });
}

const three = `FROM base:1\nRUN ${slow}; echo 1 > /one\nRUN ${slow}; echo 2 > /two\nRUN ${slow}; echo 3 > /three\n`;

/** The record that a manifest of one holds. */
function recordOf(file: string): { key: Digest; layer: { diffId: string; treeDigest: string }; blob: { digest: string }; toc: { digest: string } } {
  const { config } = JSON.parse(readFileSync(file, 'utf8')) as { config: { data: string } };
  const { payload } = JSON.parse(Buffer.from(config.data, 'base64').toString()) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64').toString()) as ReturnType<typeof recordOf>;
}

test('a damaged layer is a warning and a miss, also when it shows only where something is executed on it', { skip: cannotTravel }, async (t) => {
  const there = await registry(t);
  const at = `${there.host}/app:cache`;
  const [one, two, three_] = [await machine(t), await machine(t), await machine(t)];
  const first = await one.build(three, { cacheTo: [{ type: 'registry', at, mode: 'max' }] });
  const second = readImage(one.store, first.digest).layers[2]!.diffId;
  const record = documentsWith(there, 'cache.record').map(recordOf).find(({ layer }) => layer.diffId === second)!;
  const file = blobsIn(there).get(record.blob.digest)!;
  const bytes = readFileSync(file);
  bytes[bytes.length - 20]! ^= 1;
  writeFileSync(file, bytes);
  for (const reader of [two, three_]) {
    const dockerfile = reader === two ? three : `${three}RUN cat /one /two /three > /all\n`;
    const read = await reader.build(dockerfile, { cacheFrom: [{ type: 'registry', at }] });
    assert.equal(read.warnings.length, 1, read.warnings.join());
    assert.match(read.warnings[0]!, /the layer of RUN .*\/two cannot be used/);
    const last = reader === two ? 3 : 4;
    // The first layer may have been brought before the second one failed.
    assert.match(statuses(read.lines).slice(-last, -last + 2).join(), /^cached( elsewhere)?,executed$/);
    const layers = readImage(reader.store, read.digest).layers.map(({ diffId }) => reader.store.layers.get(diffId)?.treeDigest);
    assert.deepEqual(layers.slice(0, 4), readImage(one.store, first.digest).layers.map(({ diffId }) => one.store.layers.get(diffId)?.treeDigest));
  }
});

test('a table of contents that tells of other files is a warning and a miss', { skip: cannotTravel }, async (t) => {
  const there = await registry(t);
  const at = `${there.host}/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  const copying = `FROM base:1 AS a\nRUN ${slow}; echo 1 > /one\nFROM base:1\nCOPY --from=a /one /one\n`;
  await one.build(copying, { cacheTo: [{ type: 'registry', at, mode: 'max' }] });
  for (const { toc } of documentsWith(there, 'cache.record').map(recordOf)) writeFileSync(blobsIn(there).get(toc.digest)!, Buffer.alloc(statSync(blobsIn(there).get(toc.digest)!).size));
  const read = await two.build(copying, { cacheFrom: [{ type: 'registry', at }] });
  assert.match(read.warnings.join(), /the layer of RUN .* cannot be used: it was cut off or damaged/);
  assert.deepEqual(statuses(read.lines).slice(-2), ['executed', 'executed']);
});

test('a truncated record is a warning and a miss; a truncated list is a warning, and records are found by their names', { skip: cannotTravel }, async (t) => {
  const there = await registry(t);
  const at = `${there.host}/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  const first = await one.build(three, { cacheTo: [{ type: 'registry', at, mode: 'max' }] });
  const last = readImage(one.store, first.digest).layers[3]!.diffId;
  // Records and lists are read from their manifests where they are small.
  const remote = createRemote();
  t.after(() => remote.close());
  const cut = async (file: string, tag: string): Promise<void> => {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as { config: { data: string; size: number; digest: string } };
    const bytes = Buffer.from(manifest.config.data, 'base64').subarray(0, -30);
    Object.assign(manifest.config, { data: bytes.toString('base64'), ...one.store.blobs.put(bytes) });
    const reference = parseReference(`${there.host}/app`);
    await remote.uploadBlob(reference, { open: async function* () { yield bytes; }, digest: () => sha256(bytes), size: bytes.length }, contextOf());
    await remote.putManifest({ ...reference, tag }, Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest, contextOf());
  };
  const record = documentsWith(there, 'cache.record').find((file) => recordOf(file).layer.diffId === last)!;
  await cut(record, `cache-${hexOf(recordOf(record).key)}`);
  await cut(documentsWith(there, 'cache.pack')[0]!, 'cache');
  const read = await two.build(three, { cacheFrom: [{ type: 'registry', at }] });
  assert.deepEqual(statuses(read.lines), ['cached elsewhere', 'cached elsewhere', 'executed']);
  assert.match(read.warnings.join('\n'), /its list of records cannot be used/);
  assert.match(read.warnings.join('\n'), /the record of RUN .*\/three does not count/);
  // Whoever writes it then mends it.
  await one.build(three, { cacheTo: [{ type: 'registry', at, mode: 'max' }] });
  const again = await (await machine(t)).build(three, { cacheFrom: [{ type: 'registry', at }] });
  assert.deepEqual([statuses(again.lines), again.warnings], [['cached elsewhere', 'cached elsewhere', 'cached elsewhere'], []]);
});

test('a registry that lost a part of a record on its disk says no more than that it is at fault: a warning, a miss, and it is mended', { skip: cannotTravel }, async (t) => {
  const there = await registry(t);
  const at = `${there.host}/app:cache`;
  const one = await machine(t);
  const single = `FROM base:1\nRUN ${slow}; echo 1 > /one\n`;
  const failing = `${single}RUN false\n`;
  await one.fails(failing, { cacheTo: [{ type: 'registry', at, mode: 'max' }] });
  for (const file of [...documentsWith(there, 'cache.record'), ...documentsWith(there, 'cache.pack')]) writeFileSync(file, readFileSync(file).subarray(0, -30));
  const read = await (await machine(t)).build(single, { cacheFrom: [{ type: 'registry', at }], cacheTo: [{ type: 'registry', at, mode: 'max' }] });
  assert.deepEqual(statuses(read.lines), ['executed']);
  assert.match(read.warnings.join('\n'), /the record of RUN .*\/one does not count/);
  const again = await (await machine(t)).build(single, { cacheFrom: [{ type: 'registry', at }] });
  assert.deepEqual([statuses(again.lines), again.warnings], [['cached elsewhere'], []]);
});

test('once a key is given only what it signed counts', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const at = `${host}/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  const key = (name: string): { key: string; pub: string } => {
    const [file, pub] = [join(one.folder, `${name}.pem`), join(one.folder, `${name}.pub`)];
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', file]);
    execFileSync('openssl', ['pkey', '-in', file, '-pubout', '-out', pub]);
    return { key: file, pub };
  };
  const [ours, theirs] = [key('ours'), key('theirs')];
  const first = await one.build(three, { cacheTo: [{ type: 'registry', at, mode: 'max', key: theirs.key }] });
  const read = await two.build(three, { cacheFrom: [{ type: 'registry', at, key: ours.pub }] });
  assert.deepEqual(statuses(read.lines), ['executed', 'executed', 'executed']);
  assert.match(read.warnings.join('\n'), /3 of 3 records are not signed with the key that was given/);
  assert.match(read.warnings.join('\n'), /the record of RUN .*\/one does not count: it is signed with another key, or was changed/);
  // Our own writer takes the place of what is not signed by us.
  await one.build(three, { cacheTo: [{ type: 'registry', at, mode: 'max', key: ours.key }] });
  const signed = await (await machine(t)).build(three, { cacheFrom: [{ type: 'registry', at, key: ours.pub }] });
  assert.deepEqual([statuses(signed.lines), signed.warnings], [['cached elsewhere', 'cached elsewhere', 'cached elsewhere'], []]);
  assert.equal(signed.imageId, first.imageId);
});

test('a miss on a machine that never built this tells what the cache has instead', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const at = `${host}/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  const dockerfile = `FROM base:1\nARG VERSION\nCOPY src src\nRUN ${slow}; echo 1 > /one\nRUN ${slow}; echo 2 > /two\n`;
  for (const { write } of [one, two]) write(files);
  await one.build(dockerfile, { buildArgs: { VERSION: '1' }, cacheTo: [{ type: 'registry', at, mode: 'max' }] });
  const other = await two.build(dockerfile, { buildArgs: { VERSION: '2' }, cacheFrom: [{ type: 'registry', at }] });
  assert.deepEqual(statuses(other.lines), ['cached elsewhere', 'executed', 'executed']);
  const three_ = await machine(t);
  three_.write({ ...files, 'src/b': 'changed' });
  await three_.build(dockerfile, { buildArgs: { VERSION: '1' }, cacheFrom: [{ type: 'registry', at }] });
  const causesOf = ({ store }: Machine): string[] => {
    const [build] = store.builds.list({ limit: 1 });
    return explainBuild(build!, { earlier: [], parts: (key) => store.records.parts(key), readListing: () => undefined, baseLayers: () => undefined }).causes.map(({ text }) => text);
  };
  assert.deepEqual(causesOf(two), [`not built here, and ${at} has it with other build argument VERSION`]);
  assert.deepEqual(causesOf(three_), [`not built here, and ${at} has it with other files`]);
});

test('a folder is a cache too, and may be copied', { skip: cannotRun }, async (t) => {
  const [one, two] = [await machine(t), await machine(t)];
  const dest = join(one.folder, 'cache');
  await one.build(three, { cacheTo: [{ type: 'local', at: dest, mode: 'max' }] });
  const src = join(two.folder, 'copy');
  cpSync(dest, src, { recursive: true });
  const read = await two.build(three, { cacheFrom: [{ type: 'local', at: src }] });
  assert.deepEqual([statuses(read.lines), read.warnings], [['cached elsewhere', 'cached elsewhere', 'cached elsewhere'], []]);
  assert.ok(existsSync(join(dest, 'oci-layout')));
  // Nothing new, nothing written.
  const before = readFileSync(join(dest, 'index.json'), 'utf8');
  await one.build(three, { cacheTo: [{ type: 'local', at: dest, mode: 'max' }] });
  assert.equal(readFileSync(join(dest, 'index.json'), 'utf8'), before);
});

test('an inline cache lies beside the image and is read by its name', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const [one, two] = [await machine(t), await machine(t)];
  for (const { write } of [one, two]) write(files);
  const name = `${host}/team/app:1`;
  const first = await one.build(app, { tags: [name], outputs: [{ type: 'image', push: true }], cacheTo: [{ type: 'inline' }] });
  const read = await two.build(app, { cacheFrom: [{ type: 'registry', at: name }] });
  assert.deepEqual(read.warnings, []);
  assert.deepEqual([...new Set(statuses(read.lines))], ['cached elsewhere']);
  assert.equal(read.imageId, first.imageId);
});

test('mode=min keeps the layers of the image alone; a step that needs another one has it executed', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const at = `${host}/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  for (const { write } of [one, two]) write(files);
  await one.build(app, { cacheTo: [{ type: 'registry', at }] });
  const found = await two.build(app, { cacheFrom: [{ type: 'registry', at }], outputs: [{ type: 'cacheonly' }] });
  assert.deepEqual([...new Set(statuses(found.lines))], ['cached elsewhere']);
  const three_ = await machine(t);
  three_.write(files);
  const changed = await three_.build(app.replace('COPY --from=builder /out /out', 'COPY --from=builder /out /elsewhere').replace('cat /out', 'cat /elsewhere'), { cacheFrom: [{ type: 'registry', at }] });
  assert.deepEqual(changed.warnings, []);
  assert.ok(statuses(changed.lines).slice(-7).every((status) => status === 'executed'), changed.lines.join('\n'));
});

test('a cache that cannot be reached is a warning; one that cannot be written fails the build after its result is kept', { skip: cannotRun }, async (t) => {
  const one = await machine(t);
  const dead = '127.0.0.1:9/app:cache';
  const read = await one.build(three, { cacheFrom: [{ type: 'registry', at: dead }] });
  assert.equal(read.warnings.length, 1);
  assert.match(read.warnings[0]!, /the cache 127\.0\.0\.1:9\/app:cache is not used: cannot reach/);
  const failed = await one.fails(three, { tags: ['kept:1'], cacheTo: [{ type: 'registry', at: dead, mode: 'max' }] });
  assert.match(`${failed.code} ${failed.message}`, /NETWORK the cache could not be written to 127/);
  assert.ok(one.store.images.byName('docker.io/library/kept:1'));
  const ignored = await one.build(three, { cacheTo: [{ type: 'registry', at: dead, mode: 'max', ignoreError: true }] });
  assert.match(ignored.warnings.join(), /could not be written/);
});

test('a cache never takes the place of an image, and says what it cannot read', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const one = await machine(t);
  const name = `${host}/app:1`;
  await one.build(three, { tags: [name], outputs: [{ type: 'image', push: true }] });
  const failed = await one.fails(three, { cacheTo: [{ type: 'registry', at: name, mode: 'max' }] });
  assert.match(`${failed.code} ${failed.message}`, /USAGE .* is an image/);
  const read = await one.build(`${three}RUN true\n`, { cacheFrom: [{ type: 'registry', at: name }] });
  assert.match(read.warnings.join(), /it is an image, and no cache lies beside it/);
});

test('cache mounts travel: a step elsewhere begins with what was there, and a change sends little', { skip: cannotTravel }, async (t) => {
  const { host } = await registry(t);
  const at = `${host}/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  const mounted = (command: string): string => `FROM base:1\nRUN --mount=type=cache,target=/c,mode=0700,uid=7 ${command}\n`;
  const fill = mounted('mkdir -p /c/d; dd if=/dev/urandom of=/c/d/large bs=1M count=12; chmod 640 /c/d/large; chown 7:8 /c/d; ln -s d/large /c/link; echo 1 > /c/small; false');
  // Also when the step fails.
  await one.fails(fill, { cacheTo: [{ type: 'registry', at, mode: 'max', mounts: true }] });
  const look = mounted('stat -c "%n %a %u:%g %s" /c /c/d /c/d/large /c/small > /out; readlink /c/link >> /out; sha256sum /c/d/large >> /out; echo 2 > /c/small');
  const here = await one.build(look);
  const there = await two.build(look, { cacheFrom: [{ type: 'registry', at }], cacheTo: [{ type: 'registry', at, mode: 'max', mounts: true }] });
  assert.deepEqual(there.warnings, []);
  const tree = ({ store }: Machine, { digest }: BuildResult): unknown => store.layers.get(readImage(store, digest).layers[1]!.diffId)?.treeDigest;
  assert.equal(tree(two, there), tree(one, here));
  const sent = /exporting cache mount .*: (\d+) bytes sent/.exec(there.statuses.join('\n'));
  assert.ok(Number(sent?.[1]) > 0 && Number(sent?.[1]) < 5_000_000, there.statuses.join('\n'));
  const third = await (await machine(t)).build(mounted('cat /c/small'), { cacheFrom: [{ type: 'registry', at }], cacheTo: [{ type: 'registry', at, mode: 'max', mounts: true }] });
  assert.match(third.statuses.join('\n'), /exporting cache mount .*: nothing new/);
});

test('a damaged cache mount is a warning, and the mount begins empty', { skip: cannotTravel }, async (t) => {
  const there = await registry(t);
  const at = `${there.host}/app:cache`;
  const [one, two] = [await machine(t), await machine(t)];
  const mounted = (command: string): string => `FROM base:1\nRUN --mount=type=cache,target=/c ${command}\n`;
  await one.build(mounted('echo content of a file > /c/file'), { cacheTo: [{ type: 'registry', at, mode: 'max', mounts: true }] });
  const [manifest] = documentsWith(there, 'cache.mount');
  const { layers } = JSON.parse(readFileSync(manifest!, 'utf8')) as { layers: { digest: string; size: number }[] };
  writeFileSync(blobsIn(there).get(layers[0]!.digest)!, Buffer.alloc(layers[0]!.size));
  const read = await two.build(mounted('test ! -e /c/file'), { cacheFrom: [{ type: 'registry', at }] });
  assert.match(read.warnings.join(), /the content of the cache mount \/c does not count: it was cut off or damaged/);
});
