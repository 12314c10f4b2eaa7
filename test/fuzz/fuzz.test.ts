/** A short run of every target; `npm run fuzz` is the long one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutate } from './mutate.ts';
import { createRandom } from './random.ts';
import { supervise } from './supervise.ts';
import { targets } from './targets.ts';

const runs = 20_000;

for (const { name, share } of targets) {
  test(`strangers' bytes: ${name}`, async () => {
    const report = await supervise(name, { seed: 1, runs: Math.ceil((runs * share) / 1000) });
    assert.deepEqual(report.finds.map(({ kind, why, input }) => `${kind}: ${why}\n${input ? JSON.stringify(Buffer.from(input).toString('latin1').slice(0, 500)) : ''}`), []);
    assert.ok(report.endings > 3, 'the inputs reach more than the first check');
  });
}

test('the shares make a whole', () => {
  assert.equal(targets.reduce((sum, { share }) => sum + share, 0), 1000);
});

test('the same seed gives the same inputs', () => {
  const one = (): string => {
    const random = createRandom(3, 4);
    return mutate(Buffer.from('FROM scratch\nRUN a\n'), random, { corpus: [Buffer.from('COPY a b')], dictionary: ['$A'], largest: 100 }).toString('latin1');
  };
  assert.equal(one(), one());
});
