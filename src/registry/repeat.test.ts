import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { repeat } from './repeat.ts';

const nothing = (): void => {};

test('a run that fails is told, and the next one comes', async () => {
  const told: unknown[] = [];
  const { promise: third, resolve } = Promise.withResolvers<void>();
  let runs = 0;
  const work = async (): Promise<void> => {
    runs++;
    if (runs === 3) resolve();
    throw new Error(`run ${runs}`);
  };
  await using _repeating = repeat(() => 1, work, (error) => told.push((error as Error).message));
  // The timers of the repetition do not hold the process.
  const holding = setInterval(nothing, 1000);
  await third;
  clearInterval(holding);
  assert.deepEqual(told.slice(0, 2), ['run 1', 'run 2']);
});

test('a pause of months is no pause of a millisecond', async () => {
  let runs = 0;
  await using _repeating = repeat(() => 90 * 24 * 3_600_000, async () => void runs++, nothing);
  await wait(100);
  assert.equal(runs, 0);
});

test('disposing ends what is under way, waits for it, and tells nothing', async () => {
  const told: unknown[] = [];
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  let ended = false;
  const repeating = repeat(() => 1, async (signal) => {
    resolve();
    try {
      await wait(1_000_000, undefined, { signal });
    } finally {
      ended = true;
    }
  }, (error) => told.push(error));
  const holding = setInterval(nothing, 1000);
  await begun;
  clearInterval(holding);
  await repeating[Symbol.asyncDispose]();
  assert.ok(ended);
  assert.deepEqual(told, []);
});
