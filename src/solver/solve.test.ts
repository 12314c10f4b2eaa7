import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contextOf } from '../base/context.ts';
import { createLimit } from '../base/limit.ts';
import { sha256, type Digest } from '../oci/digest.ts';
import type { LayerSummary } from '../layer/entry.ts';
import type { KeyPart, Records, StepRecord } from '../store/store.ts';
import { encodeToc, openToc } from '../layer/toc.ts';
import { explainMiss } from './explain.ts';
import { stepKey } from './key.ts';
import { solveStep } from './solve.ts';
import type { Solver, Step } from './step.ts';

/** Records in memory: the contract of store.ts without a disk. */
function memoryRecords(): Records & { evict(key: Digest): void } {
  const records = new Map<string, StepRecord>();
  const known = new Map<string, StepRecord>();
  const slots = new Map<string, Digest>();
  return {
    get: (key) => records.get(key),
    put(record) {
      records.set(record.key, record);
      known.set(record.key, record);
    },
    byTree: (scope, treeDigest) => [...records.values()].find((record) => record.scope === scope && record.layer.treeDigest === treeDigest),
    parts(key) {
      const record = known.get(key);
      return record && { ...record, diffId: record.layer.diffId, evicted: !records.has(key) };
    },
    note: (slot, key) => void slots.set(slot, key),
    lastKey: (slot) => slots.get(slot),
    evict: (key) => void records.delete(key),
  };
}

function solver(records: Records, ignoreCache = false): Solver {
  const tails = new Map<string, Promise<void>>();
  let clock = 0;
  return {
    records,
    ignoreCache,
    limit: createLimit(8),
    now: () => clock++,
    async lock(name) {
      const before = tails.get(name);
      let open = (): void => {};
      tails.set(name, new Promise((resolve) => (open = resolve)));
      await before;
      return { [Symbol.dispose]: () => open() };
    },
  };
}

const layerOf = (content: string, salt = ''): LayerSummary => ({
  diffId: sha256(`tar ${content} ${salt}`),
  treeDigest: sha256(content),
  size: 1024,
  entries: 1,
});

interface Made {
  step: Step;
  ran: () => number;
  kept: () => number;
  released: () => number;
}

/** A step that writes `content`; `salt` stands for the clock, which changes bytes but not the tree. */
function fake(parts: Record<string, string>, content: string, options: { salt?: string; scope?: string; slot?: string; wait?: Promise<void> } = {}): Made {
  let ran = 0;
  let kept = 0;
  let released = 0;
  return {
    ran: () => ran,
    kept: () => kept,
    released: () => released,
    step: {
      text: 'RUN x',
      slots: [options.slot ?? 'place'],
      scope: options.scope ?? 'scope',
      parts: async () => Object.entries(parts).map(([name, value]) => ({ name, value })),
      async execute() {
        ran++;
        await options.wait;
        return { layer: layerOf(content, options.salt), keep: async () => void kept++, drop: async () => {} };
      },
      release: () => void released++,
    },
  };
}

const context = contextOf();
const nothing = (): undefined => undefined;

test('a step that was never built is executed and recorded; the same key is then a hit', async () => {
  const records = memoryRecords();
  const first = fake({ command: 'make' }, 'a');
  const solved = await solveStep(first.step, solver(records), nothing, context);
  assert.equal(solved.status, 'executed');
  assert.equal(solved.reasons[0]?.text, 'never built before');
  assert.equal(first.kept(), 1);
  const second = fake({ command: 'make' }, 'b');
  const again = await solveStep(second.step, solver(records), nothing, context);
  assert.equal(again.status, 'cached');
  assert.equal(again.layer.diffId, solved.layer.diffId);
  assert.deepEqual([second.ran(), second.released()], [0, 1]);
});

test('an equal tree in the same scope keeps the recorded layer, whatever the clock says', async () => {
  const records = memoryRecords();
  const first = await solveStep(fake({ command: 'date >/dev/null' }, 'tree', { salt: '1' }).step, solver(records), nothing, context);
  const second = fake({ command: 'date' }, 'tree', { salt: '2' });
  const solved = await solveStep(second.step, solver(records), nothing, context);
  assert.equal(solved.status, 'same');
  assert.equal(solved.layer.diffId, first.layer.diffId);
  assert.equal(second.kept(), 0);
  const elsewhere = await solveStep(fake({ command: 'date', parent: 'p' }, 'tree', { salt: '3', scope: 'other' }).step, solver(records), nothing, context);
  assert.equal(elsewhere.status, 'executed');
});

test('steps with one key in flight at once are executed once', async () => {
  const records = memoryRecords();
  const shared = solver(records);
  let open = (): void => {};
  const wait = new Promise<void>((resolve) => (open = resolve));
  const steps = Array.from({ length: 5 }, () => fake({ command: 'slow' }, 'x', { wait }));
  const solving = steps.map(({ step }) => solveStep(step, shared, nothing, context));
  setImmediate(open);
  const solved = await Promise.all(solving);
  assert.equal(steps.reduce((sum, { ran }) => sum + ran(), 0), 1);
  assert.equal(new Set(solved.map(({ layer }) => layer.diffId)).size, 1);
  assert.deepEqual(solved.map(({ status }) => status).sort(), ['cached', 'cached', 'cached', 'cached', 'executed']);
});

test('without the cache a step with a record is executed, and an equal result still keeps the recorded layer', async () => {
  const records = memoryRecords();
  await solveStep(fake({ command: 'make' }, 'a').step, solver(records), nothing, context);
  const again = fake({ command: 'make' }, 'a', { salt: 'later' });
  const solved = await solveStep(again.step, solver(records, true), nothing, context);
  assert.deepEqual([solved.status, again.ran()], ['same', 1]);
  assert.match(solved.reasons[0]!.text, /not to be used/);
});

test('a collected result is told apart from one that never was', async () => {
  const records = memoryRecords();
  const solved = await solveStep(fake({ command: 'make' }, 'a').step, solver(records), nothing, context);
  records.evict(solved.key);
  const again = await solveStep(fake({ command: 'make' }, 'a').step, solver(records), nothing, context);
  assert.match(again.reasons[0]!.text, /removed from the cache/);
});

test('a failure records nothing, frees the lock and comes through', async () => {
  const records = memoryRecords();
  const broken: Step = { ...fake({ command: 'false' }, 'a').step, execute: async () => Promise.reject(new Error('exit 1')) };
  const shared = solver(records);
  await assert.rejects(solveStep(broken, shared, nothing, context), /exit 1/);
  const solved = await solveStep(fake({ command: 'false' }, 'a').step, shared, nothing, context);
  assert.equal(solved.status, 'executed');
});

test('a miss names what changed, the cause before its consequence', async () => {
  const records = memoryRecords();
  const run = (parts: Record<string, string>): Promise<{ reasons: { text: string }[] }> =>
    solveStep(fake(parts, 'a').step, solver(records), nothing, context);
  await run({ parent: 'p1', command: 'make', 'argument VERSION': '1' });
  const argument = await run({ parent: 'p2', command: 'make', 'argument VERSION': '2' });
  assert.deepEqual(argument.reasons.map(({ text }) => text), ['argument VERSION 1 -> 2', 'what it stands on changed']);
  const added = await run({ parent: 'p2', command: 'make', 'argument VERSION': '2', 'environment DEBUG': 'yes please' });
  assert.deepEqual(added.reasons.map(({ text }) => text), ['environment DEBUG "yes please" is new']);
  const text = await run({ parent: 'p2', command: 'make all', 'argument VERSION': '2' });
  assert.equal(text.reasons[0]!.text, 'the instruction changed');
});

test('file listings are compared entry by entry', () => {
  const file = { type: 'file', uid: 0, gid: 0, size: 1, mtime: 0 } as const;
  const before = [
    { ...file, path: 'a.js', mode: 0o644, digest: sha256('1') },
    { ...file, path: 'b.js', mode: 0o644, digest: sha256('1') },
    { ...file, path: 'gone.js', mode: 0o644, digest: sha256('1') },
  ];
  const after = [
    { ...file, path: 'a.js', mode: 0o644, digest: sha256('2') },
    { ...file, path: 'b.js', mode: 0o664, digest: sha256('1') },
    { ...file, path: 'new.js', mode: 0o644, digest: sha256('1') },
  ];
  const listings: Record<string, typeof before> = { old: before, new: after };
  const reasons = explainMiss(
    [{ name: 'files', value: '1', listing: 'x:old' }],
    [{ name: 'files', value: '2', listing: 'x:new' }],
    (digest) => openToc(encodeToc(listings[digest.slice(2)]!, { diffId: sha256(digest), treeDigest: sha256(digest), size: 0, entries: 3 })),
  );
  assert.deepEqual(reasons.map(({ text }) => text), ['a.js changed', 'mode of b.js 0644 -> 0664', 'gone.js is gone', 'new.js is new']);
});

test('a key depends on every part and on nothing else', () => {
  const part = fc.record({ name: fc.string(), value: fc.string() });
  const parts = fc.uniqueArray(part, { selector: ({ name }) => name, minLength: 1 });
  fc.assert(
    fc.property(parts, fc.nat(), fc.string(), (list, position, value) => {
      const key = stepKey(list);
      assert.equal(stepKey([...list].reverse()), key);
      const index = position % list.length;
      const changed = list.map((item, at) => (at === index ? { ...item, value } : item));
      assert.equal(stepKey(changed) === key, list[index]!.value === value);
      assert.notEqual(stepKey([...list, { name: `${list.map(({ name }) => name).join()}+`, value: '' }]), key);
    }),
  );
  assert.throws(() => stepKey([{ name: 'a', value: '1' }, { name: 'a', value: '2' }]));
});

test('of a part that is an object the members that changed are named', () => {
  const told = (before: string | undefined, after: string | undefined): string[] => {
    const parts = (value: string | undefined): KeyPart[] => (value === undefined ? [] : [{ name: 'mount /a', value }]);
    return explainMiss(parts(before), parts(after), () => undefined).map(({ text }) => text);
  };
  const cache = (id: string, mode: number): string => JSON.stringify({ gid: 0, id, mode, sharing: 'shared', target: '/a', type: 'cache', uid: 0 });
  assert.deepEqual(told(cache('one', 0o755), cache('two', 0o755)), ['mount /a: id one -> two']);
  assert.deepEqual(told(cache('one', 0o755), cache('two', 0o700)), ['mount /a: id one -> two, mode 0755 -> 0700']);
  assert.deepEqual(told(undefined, cache('one', 0o755)), ['mount /a is new']);
  assert.deepEqual(told('{no JSON', '{}'), ['mount /a "{no JSON" -> {}']);
});
