/** Every case of the differential suite: what BuildKit made of it is recorded, Siru makes the same. See README.md. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { needs } from '../support/missing.ts';
import { judge } from './judge.ts';
import { loadCases, readRecorded, type Found } from './load-cases.ts';
import { openOwn } from './own.ts';

const skip = process.arch !== 'x64' ? 'the results were recorded on amd64' : needs('root', 'run');

test('images are what BuildKit makes of the same Dockerfiles', { skip }, async (t) => {
  const found = await loadCases(process.env.SIRU_CONFORMANCE);
  const counts = new Map<string, { cases: number; equal: number; differing: number }>();
  await using own = await openOwn(found.map(({ folder }) => folder));
  const check = async ({ folder, test: one, expected }: Found): Promise<void> => {
    const count = counts.get(folder) ?? { cases: 0, equal: 0, differing: 0 };
    counts.set(folder, count);
    count.cases++;
    const recorded = readRecorded({ folder, test: one, expected });
    const wrong = judge(one, recorded, await own.build(one));
    if (wrong.length > 0) assert.fail(`not what BuildKit makes (-) but this (+):\n${wrong.join('\n')}`);
    count[one.differs ? 'differing' : 'equal']++;
  };
  const queue = [...found];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const one = next;
      await t.test(`${one.folder}/${one.test.name}`, () => check(one));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  for (const [folder, { cases, equal, differing }] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    t.diagnostic(`${folder}: ${equal} of ${cases} equal${differing > 0 ? `, ${differing} differ as documented` : ''}`);
  }
  assert.ok(found.length > 0, `no case matches ${process.env.SIRU_CONFORMANCE}`);
});
