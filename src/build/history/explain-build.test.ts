import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256, type Digest } from '../../oci/digest.ts';
import type { BuildEntry, BuildStep, KeyPart, KnownParts } from '../../store/store.ts';
import { explainBuild } from './explain-build.ts';
import type { Cause, Explanation } from './explanation.ts';

/** A little history: each step is given by its text and parts; what it stands on is added for a RUN. */
function world(): { build: (stages: Record<string, Spec[]>, options?: { fails?: string; evicted?: string; forgotten?: boolean }) => Explanation } {
  const builds: BuildEntry[] = [];
  const records = new Map<Digest, KnownParts>();
  const slots = new Map<string, Digest>();
  return {
    build(stages, { fails, evicted, forgotten } = {}) {
      const steps: BuildStep[] = [];
      const results = new Map<string, string>();
      for (const [stage, specs] of Object.entries(stages)) {
        let chain = '';
        for (const [i, spec] of specs.entries()) {
          const { text, parts = {}, gives = JSON.stringify(parts), reads } = spec;
          const isRun = text.startsWith('RUN');
          const all: KeyPart[] = Object.entries({ ...(isRun ? { parent: chain } : {}), ...(reads ? { files: results.get(reads)! } : {}), command: text, ...parts }).map(([name, value]) => ({ name, value }));
          const key = sha256(JSON.stringify(all));
          const known = records.get(key);
          const slot = `${stage} ${text}`;
          const there = slots.get(`${stage} ${i}`);
          const moved = specs.some((other) => there && other.text !== text && other.text === records.get(there)?.text);
          const place = slots.get(slot) ?? (moved ? undefined : there);
          const diffId = sha256(`layer ${gives}${isRun ? chain : ''}`);
          const step: BuildStep = { number: steps.length + 1, stage, index: i + 1, total: specs.length, text, line: i + 1, status: 'cached', took: 1, bytes: 10, diffId, key, ...(reads ? { reads: [reads] } : {}), ...(place && place !== key ? { before: place } : {}) };
          if (!known || text === evicted || text === fails) {
            const before = place && records.get(place);
            step.status = text === fails ? 'failed' : 'executed';
            step.ran = 100;
            step.changes = text === evicted ? [{ part: 'cache', text: 'its result was removed from the cache' }] : !before ? [{ part: 'new', text: 'never built before' }]
              : all.filter(({ name, value }) => before.parts.find((part) => part.name === name)?.value !== value).map(({ name, value }) => ({ part: name, before: before.parts.find((part) => part.name === name)?.value, after: value, text: `${name} changed` }));
            step.changed = step.changes.length;
          }
          steps.push(step);
          if (text === fails) break;
          records.set(key, { parts: all, evicted: false, text, diffId, executed: 1, took: 100 });
          slots.set(slot, key).set(`${stage} ${i}`, key);
          chain = sha256(`${chain} ${diffId}`);
          results.set(stage, chain);
        }
      }
      const build: BuildEntry = { id: `build ${builds.length}`, number: builds.length + 1, started: 1, took: 1, project: '.', place: 'p', references: [], outcome: 'done', stages: Object.keys(stages).map((name) => ({ name })), steps };
      builds.unshift(build);
      return explainBuild(build, { parts: (key) => (forgotten ? undefined : records.get(key)), readListing: () => undefined, earlier: builds.slice(1), baseLayers: () => undefined });
    },
  };
}

interface Spec {
  text: string;
  parts?: Record<string, string>;
  /** What its layer is made of, when that is not its parts. */
  gives?: string;
  /** The stage that it copies from. */
  reads?: string;
}

const brief = (causes: Cause[]): [string, number, number[]][] => causes.map(({ text, step, cost }) => [text, step, cost.steps]);

const copy = (content: string): Spec => ({ text: 'COPY . .', parts: { files: content } });

test('what stands on a change is traced to it, through stages and copies', () => {
  const { build } = world();
  const stages = (content: string): Record<string, Spec[]> => ({
    one: [{ text: 'RUN a' }, copy(content), { text: 'RUN b', gives: content }],
    two: [{ text: 'RUN c' }, { text: 'COPY --from=one /x /x', reads: 'one', gives: content }, { text: 'RUN d' }],
  });
  assert.deepEqual(brief(build(stages('1')).causes), [['never built before', 1, [1, 2, 3, 4, 5, 6]]]);
  assert.deepEqual(brief(build(stages('1')).causes), []);
  const { causes, steps } = build(stages('2'));
  assert.deepEqual(brief(causes), [['files 1 -> 2', 2, [2, 3, 5, 6]]]);
  assert.deepEqual(steps.map(({ why }) => why), [undefined, 'files 1 -> 2', 'follows from #2', undefined, 'follows from #2', 'follows from #2']);
  assert.deepEqual(causes[0]!.cost, { steps: [2, 3, 5, 6], took: 400, bytes: 40 });
});

test('a build that failed in between does not blur what a step is compared with', () => {
  const { build } = world();
  const stage = (content: string, command: string): Record<string, Spec[]> => ({ one: [copy(content), { text: `RUN ${command}` }, { text: 'RUN last' }] });
  build(stage('1', 'x'));
  assert.deepEqual(brief(build(stage('2', 'x'), { fails: 'RUN x' }).causes), [['files 1 -> 2', 1, [1, 2]]]);
  // The file did not change since the build before, but since the last time that this RUN was a success it did.
  const { causes } = build(stage('2', 'x'));
  assert.deepEqual(brief(causes), [['files 1 -> 2', 1, [2, 3]]]);
});

test('two changes are two causes, and a step may have both', () => {
  const { build } = world();
  const stage = (content: string, command: string): Record<string, Spec[]> => ({ one: [copy(content), { text: 'RUN first' }, { text: `RUN ${command}` }, { text: 'RUN last' }] });
  build(stage('1', 'x'));
  const { causes, steps } = build(stage('2', 'y'));
  assert.deepEqual(brief(causes), [['files 1 -> 2', 1, [1, 2, 3, 4]], ['the instruction changed', 3, [3, 4]]]);
  assert.deepEqual([causes[1]!.changes[0]!.before, causes[1]!.changes[0]!.after], ['RUN x', 'RUN y']);
  assert.deepEqual(steps.map((step) => step.causes), [[0], [0], [0, 1], [0, 1]]);
});

test('an argument that many steps see is one cause', () => {
  const { build } = world();
  const stage = (version: string): Record<string, Spec[]> => ({ one: ['a', 'b', 'c'].map((text) => ({ text: `RUN ${text}`, parts: { 'build argument V': version } })) });
  build(stage('1'));
  const { causes, steps } = build(stage('2'));
  assert.deepEqual(brief(causes), [['build argument V 1 -> 2', 1, [1, 2, 3]]]);
  assert.ok(steps.every(({ why }) => why === 'build argument V 1 -> 2'));
});

test('the values of an argument whose name tells of a secret are not shown', () => {
  const { build } = world();
  const stage = (token: string): Record<string, Spec[]> => ({ one: [{ text: 'RUN a', parts: { 'build argument API_TOKEN': token } }, { text: 'RUN b' }] });
  build(stage('hidden1'));
  const explained = build(stage('hidden2'));
  assert.deepEqual(brief(explained.causes), [['build argument API_TOKEN changed (its values are not shown)', 1, [1, 2]]]);
  assert.doesNotMatch(JSON.stringify(explained), /hidden/);
});

test('new instructions, removed ones, evicted results', () => {
  const { build } = world();
  const stage = (...texts: string[]): Record<string, Spec[]> => ({ one: texts.map((text) => ({ text, gives: text })) });
  build(stage('RUN a', 'RUN b', 'RUN c'));
  assert.deepEqual(brief(build(stage('RUN a', 'COPY new .', 'RUN b', 'RUN c')).causes), [['this instruction is new', 2, [2, 3, 4]]]);
  assert.deepEqual(brief(build(stage('RUN a', 'COPY new .', 'RUN c')).causes), [['RUN b is gone', 3, [3]]]);
  const { causes } = build(stage('RUN a', 'COPY new .', 'RUN c'), { evicted: 'COPY new .' });
  assert.deepEqual(causes.map(({ kind, step }) => [kind, step]), [['evicted', 2]]);
});

test('where the parts are forgotten, what was noted of the miss is told', () => {
  const { build } = world();
  build({ one: [copy('1'), { text: 'RUN a' }] });
  assert.deepEqual(brief(build({ one: [copy('2'), { text: 'RUN a' }] }, { forgotten: true }).causes), [['files changed', 1, [1, 2]]]);
});

test('an entry of an older Siru is shown as far as it goes', () => {
  const old: BuildEntry = { id: 'old', started: 1, took: 1, project: '.', references: [], outcome: 'done', steps: [{ stage: '0', text: 'RUN a', status: 'executed', took: 5, reason: 'x changed' }, { stage: '0', text: 'RUN b', status: 'cached', took: 0 }] };
  const { causes, steps } = explainBuild(old, { parts: () => undefined, readListing: () => undefined, earlier: [], baseLayers: () => undefined });
  assert.deepEqual(steps.map(({ number, hit, why }) => [number, hit, why]), [[1, false, 'x changed'], [2, true, undefined]]);
  assert.equal(causes.length, 1);
});
