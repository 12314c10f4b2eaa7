import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSettled } from './stat-table.ts';

test('a file is settled when its times are safely older than the look at it', () => {
  const looked = 1_700_000_000_000;
  const at = (age: number): number => looked - age + 0.25;
  assert.ok(isSettled(at(5000), at(200), looked, true));
  assert.ok(!isSettled(at(5000), at(50), looked, true), 'changed a moment ago');
  assert.ok(!isSettled(at(5000), at(200), looked, false), 'on a file system with a coarse clock');
  assert.ok(isSettled(at(5000), at(2600), looked, false));
  assert.ok(!isSettled(at(5000), looked - 1000, looked, true), 'a ctime on the full second may be a coarse one');
  assert.ok(isSettled(looked - 60_000, at(500), looked, true), 'an mtime may be on the full second');
});

test('times in the future are never settled', () => {
  const looked = 1_700_000_000_000;
  assert.ok(!isSettled(looked + 1.5, looked - 9000.5, looked, true));
  assert.ok(!isSettled(looked - 9000.5, looked + 1.5, looked, true));
});
