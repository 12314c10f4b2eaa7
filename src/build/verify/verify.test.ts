/** Builds that are laid beside their own repetition. RUN needs root. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isSiruError } from '../../base/errors.ts';
import { busyboxMissing, makeBusyboxImage } from '../../images/testing/make-image.ts';
import { temporaryStore } from '../../images/testing/temporary-store.ts';
import type { Store } from '../../store/store.ts';
import { build } from '../build.ts';
import { verifyBuild, type VerifyOptions, type VerifyReport } from './verify.ts';

const cannotRun = process.platform !== 'linux' ? 'RUN needs Linux' : process.getuid?.() === 0 ? busyboxMissing() : 'this test runs its steps as root';

async function world(t: TestContext, dockerfile: string): Promise<{ store: Store; context: string; verify: (options?: Partial<VerifyOptions>) => Promise<VerifyReport> }> {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  const context = join(folder, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  writeFileSync(join(context, 'a.txt'), 'text\n');
  if (!busyboxMissing()) makeBusyboxImage(store, 'base:1');
  return { store, context, verify: (options = {}) => verifyBuild({ store, ...(options.image === undefined ? { context } : {}), ...options }) };
}

/** `line 2 /stamp time` */
function told({ differences }: VerifyReport): string[] {
  return differences.flatMap(({ line, files }) => files.map(({ path, aspects, cause }) => `line ${line} /${path} ${cause?.kind ?? aspects.join()}`));
}

test('a planted timestamp is found and named, where it was written and where it went', { skip: cannotRun }, async (t) => {
  const { verify } = await world(t, 'FROM base:1 AS made\nRUN mkdir /out && echo "built $(date)" > /out/version\nFROM scratch\nCOPY a.txt /\nCOPY --from=made /out/version /\n');
  const report = await verify({ reproducible: true });
  assert.equal(report.reproducible, false);
  assert.equal(report.steps, 3);
  assert.deepEqual(told(report), ['line 2 /out/version time', 'line 5 /version source']);
  const [file] = report.differences[0]!.files;
  assert.match(file!.at!.before.toString(), /\d\d:\d\d:\d\d/);
  assert.notDeepEqual(file!.at!.before, file!.at!.after);
  assert.match(report.differences[1]!.files[0]!.cause!.text, /RUN mkdir \/out/);
});

test('without --reproducible the times of files differ; with it the same steps are equal', { skip: cannotRun }, async (t) => {
  const { verify } = await world(t, 'FROM base:1\nCOPY a.txt /\nRUN mkdir /d && cp a.txt /d/\nRUN tar -cf /d.tar /d\n');
  const plain = await verify();
  assert.deepEqual(told(plain), ['line 3 /d time', 'line 3 /d/a.txt time', 'line 4 /d.tar archive']);
  assert.equal(plain.differences[0]!.timesOnly, 2);
  const clamped = await verify({ reproducible: true });
  assert.equal(clamped.reproducible, true, JSON.stringify(clamped));
  assert.equal(clamped.before, clamped.after);
  assert.deepEqual([clamped.config, clamped.history], [[], []]);
});

test('the second build leaves no trace: no record, no history, no name', { skip: cannotRun }, async (t) => {
  const { verify, store, context } = await world(t, 'FROM base:1\nRUN date > /stamp\n');
  const first = await build({ store, context });
  const report = await verify();
  assert.equal(report.before, first.imageId);
  assert.equal(store.builds.list().length, 2);
  const again = await build({ store, context });
  assert.equal(again.imageId, first.imageId);
  assert.equal(again.steps.cached, 1);
  assert.deepEqual(store.images.list().length, 2); // the base and what was built
});

test('an image is built again as the history says; what that does not keep is asked for', { skip: cannotRun }, async (t) => {
  const { verify, store, context } = await world(t, 'FROM base:1\nARG VERSION\nRUN echo "$VERSION" > /v\n');
  writeFileSync(join(context, 'Other'), 'FROM base:1\nARG VERSION\nCOPY a.txt /\nRUN echo "$VERSION" > /v\n');
  await build({ store, context, dockerfile: join(context, 'Other'), tags: ['app:1'], buildArgs: { VERSION: '7' }, labels: { team: 'blue' }, reproducible: true });
  await assert.rejects(verify({ image: 'app:1' }), (error) => isSiruError(error) && error.code === 'USAGE' && /--build-arg VERSION=/.test(error.hint!));
  assert.equal((await verify({ image: 'app:1', buildArgs: { VERSION: '7' } })).reproducible, true);
  assert.deepEqual(told(await verify({ image: 'app:1', buildArgs: { VERSION: '8' } })), ['line 4 /v number']);
  writeFileSync(join(context, 'a.txt'), 'other\n');
  assert.deepEqual(told(await verify({ image: 'app:1', buildArgs: { VERSION: '7' } })), ['line 3 /a.txt source']);
  await assert.rejects(verify({ image: 'base:1' }), (error) => isSiruError(error) && error.code === 'NOT_FOUND' && /no build that made base:1/.test(error.message));
  rmSync(context, { recursive: true });
  await assert.rejects(verify({ image: 'app:1', buildArgs: { VERSION: '7' } }), (error) => isSiruError(error) && error.code === 'USAGE' && /not there any more/.test(error.message));
});
