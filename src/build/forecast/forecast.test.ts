/** What a plan says without the cache is what a build without it does. */
import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryStore } from '../../images/testing/temporary-store.ts';
import { build } from '../build.ts';
import type { BuildOptions } from '../options.ts';
import { forecastBuild } from './forecast-build.ts';

test('without the cache a plan knows what a COPY that would be executed leaves', async (t) => {
  const { store, folder, [Symbol.asyncDispose]: dispose } = await temporaryStore();
  t.after(dispose);
  const context = join(folder, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'a'), 'text');
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch AS one\nCOPY a /dir/a\nFROM scratch\nCOPY --from=one /dir/a /b\nCOPY --from=one / /all\n');
  for (const name of ['a', 'Dockerfile']) utimesSync(join(context, name), 1_700_000_000, 1_700_000_000);
  const options: BuildOptions = { store, context, outputs: [{ type: 'cacheonly' }] };
  await build(options);
  await build(options);
  const statuses: string[] = [];
  for (const asked of [{ noCacheFilter: ['one'] }, { noCache: true }]) {
    const { steps } = await forecastBuild({ ...options, ...asked });
    const done: string[] = [];
    await build({ ...options, ...asked, onEvent: (event) => event.type === 'step-done' && done.push(`${event.step.text}: ${event.status}`) });
    statuses.push(...done);
    assert.deepEqual(steps.map(({ text, status, same }) => `${text}: ${status === 'hit' ? 'cached' : same ? 'same' : status}`).toSorted(), done.toSorted());
  }
  assert.deepEqual(new Set(statuses.map((line) => line.split(': ')[1])), new Set(['cached', 'same']));
});
