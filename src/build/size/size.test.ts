/** Limits of size and waste, and the warning of growth, on builds that need neither a base nor a runtime. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isSiruError } from '../../base/errors.ts';
import type { SiruError } from '../../base/errors.ts';
import type { Event } from '../../base/events.ts';
import { readImage } from '../../images/read.ts';
import { temporaryStore } from '../../images/testing/temporary-store.ts';
import type { Store } from '../../store/store.ts';
import { build } from '../build.ts';
import type { BuildOptions } from '../options.ts';

interface World {
  store: Store;
  folder: string;
  write: (files: Record<string, number>) => void;
  build: (dockerfile: string, options?: Partial<BuildOptions>) => Promise<{ warnings: string[]; digest: string }>;
  fails: (dockerfile: string, options: Partial<BuildOptions>) => Promise<SiruError>;
}

async function world(t: TestContext): Promise<World> {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  const context = join(folder, 'context');
  const run: World['build'] = async (dockerfile, options = {}) => {
    const warnings: string[] = [];
    const onEvent = (event: Event): void => {
      if (event.type === 'warning') warnings.push(`${event.text}${event.hint === undefined ? '' : `\n${event.hint}`}`);
    };
    const { digest } = await build({ store, context, dockerfileText: dockerfile, onEvent, tags: ['app:1'], ...options });
    return { warnings, digest };
  };
  return {
    store,
    folder,
    write(files) {
      for (const [name, size] of Object.entries(files)) {
        mkdirSync(dirname(join(context, name)), { recursive: true });
        writeFileSync(join(context, name), Buffer.alloc(size, name));
      }
    },
    build: run,
    async fails(dockerfile, options) {
      try {
        await run(dockerfile, options);
      } catch (error) {
        assert.ok(isSiruError(error), String(error));
        return error;
      }
      throw new Error('the build did not fail');
    },
  };
}

const names = (store: Store): string[] => store.images.list().flatMap((image) => image.names);

test('an image that is too large fails the build, names what is largest and moves no name', async (t) => {
  const { store, write, build: make, fails } = await world(t);
  write({ 'lib/big.so': 900_000, 'app/main.js': 50_000 });
  const { digest } = await make('FROM scratch\nCOPY app /app\n', { maxSize: 100_000 });
  const error = await fails('FROM scratch\nCOPY app /app\nCOPY lib /usr/lib\n', { maxSize: 100_000 });
  assert.equal(error.code, 'LIMIT');
  assert.match(error.message, /^the image has \d+(?:\.\d+)?kB, \d+kB more than the 100kB that it may have\n {2}\d+kB: line 3: COPY lib \/usr\/lib\n {2}[\d.]+kB: line 2: COPY app \/app\n {2}\/usr\/lib\/big\.so \(900kB\)$/);
  assert.equal(store.images.byName('docker.io/library/app:1')!.descriptor.digest, digest);
  // It is here without a name, and the hint says under which ID.
  const id = /siru layers ([0-9a-f]{12})$/.exec(error.hint!)![1]!;
  assert.equal(readImage(store, store.images.byId(id)[0]!).layers.length, 2);
  assert.deepEqual(names(store), ['docker.io/library/app:1']);
});

test('an image that wastes too much fails the build with the waste and how to avoid it', async (t) => {
  const { write, build: make, fails } = await world(t);
  write({ 'app/main.js': 90_000, 'app/other.js': 10_000 });
  const dockerfile = 'FROM scratch\nCOPY app /app\nCOPY --chown=1:1 app /app\n';
  const error = await fails(dockerfile, { maxWaste: { part: 0.05 } });
  assert.equal(error.code, 'LIMIT');
  assert.match(error.message, /^the image wastes 100kB \(\d+\.\d% of its [\d.]+kB\), more than the [\d.]+kB \(5\.0% of its [\d.]+kB\) that it may waste\n {2}100kB: 2 files of layer 0 \(line 2\), stored again by layer 1 \(line 3\) because owner or mode changed\n {4}\/app\/main\.js \(90kB\), \/app\/other\.js \(10kB\)\n {4}Give owner/);
  assert.equal((await fails(dockerfile, { maxWaste: { bytes: 99_999 } })).code, 'LIMIT');
  await make(dockerfile, { maxWaste: { bytes: 100_000 } });
  await make(dockerfile, { maxWaste: { part: 0.5 } });
});

test('what the base wastes is not held against the steps that stand on it', async (t) => {
  const { write, build: make, fails } = await world(t);
  write({ 'a/x': 50_000, 'b/x': 50_000, 'c/x': 50_000 });
  await make('FROM scratch\nCOPY a /d\nCOPY b /d\n', { tags: ['base:1'] });
  await make('FROM base:1\nCOPY c /e\n', { maxWaste: { bytes: 0 } });
  const error = await fails('FROM base:1\nCOPY c /d\n', { maxWaste: { bytes: 0 } });
  assert.match(error.message, /^the image wastes 50kB, more than the 0B/);
});

test('outputs are not written either, and an image that no output keeps is not kept', async (t) => {
  const { store, folder, write, fails } = await world(t);
  write({ x: 50_000 });
  const dest = join(folder, 'out.tar');
  const error = await fails('FROM scratch\nCOPY x /\n', { maxSize: 1000, outputs: [{ type: 'oci', dest }] });
  assert.equal(error.hint, 'Names are as they were; the steps stay cached.');
  assert.equal(existsSync(dest), false);
  assert.deepEqual(store.images.list(), []);
});

test('growth against what the name meant before is told with steps and files', async (t) => {
  const { write, build: make } = await world(t);
  const dockerfile = 'FROM scratch\nCOPY app /app\nCOPY lib /lib\n';
  write({ 'app/main.js': 100_000, 'lib/a.so': 100_000 });
  const limit = { bytes: 20_000, part: 0.1 };
  assert.deepEqual((await make(dockerfile, { warnGrowth: limit })).warnings, [], 'the first of its name');
  write({ 'app/main.js': 110_000 });
  assert.deepEqual((await make(dockerfile, { warnGrowth: limit })).warnings, [], 'below both');
  write({ 'lib/new.so': 300_000 });
  assert.deepEqual((await make(dockerfile, { warnGrowth: { bytes: 1_000_000, part: 0.1 }, tags: ['app:1'] })).warnings, [], 'below one');
  write({ 'lib/new.so': 700_000, 'lib/old.so': 5_000 });
  const { warnings } = await make(dockerfile, { warnGrowth: limit });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^the image grew by 40\dkB \(7\d%\) against app:1 before: 5[\d.]+kB -> 9[\d.]+kB\nSteps: line 3, COPY lib \/lib \+40\dkB\. Files: \/lib\/new\.so \(400kB\)\.$/);
  assert.deepEqual((await make(dockerfile, { warnGrowth: limit })).warnings, [], 'the same again');
});

test('growth is told above 10 MB and 10 %, unless it is switched off', async (t) => {
  const { write, build: make } = await world(t);
  const dockerfile = 'FROM scratch\nCOPY x /\n';
  write({ x: 1000 });
  await make(dockerfile);
  write({ x: 12_000_000 });
  assert.equal((await make(dockerfile, { tags: ['other:1'] })).warnings.length, 0);
  assert.equal((await make(dockerfile, { warnGrowth: false, noCache: true, outputs: [{ type: 'cacheonly' }] })).warnings.length, 0);
  assert.equal((await make(dockerfile, { noCache: true })).warnings.length, 1);
});
