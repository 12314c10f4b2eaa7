/** The story of docs/explain.md: an application changed in ten ways; each time the root cause is named, first and alone. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Explanation } from '../src/build/history/explanation.ts';
import { needs } from './support/missing.ts';
import { changes, storyContext } from './support/story.ts';
import { createWorld } from './support/world.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/explain.md'), 'utf8');

test('an application of 500 files and 12 steps: each change is named, first and alone', { skip: needs('run') }, async (t) => {
  await using world = await createWorld();
  await world.base('base:1');
  const context = storyContext(world);
  await world.ok('build', '-t', 'app', context);
  const explain = async (): Promise<Explanation> => JSON.parse(await world.ok('explain', '--json', 'app')) as Explanation;

  await t.test('the first build', async () => {
    const { causes, steps } = await explain();
    assert.equal(steps.filter(({ text }) => !text.startsWith('FROM ')).length, 12);
    assert.deepEqual(causes.map(({ kind, text }) => [kind, text]), [['new', 'never built before']]);
  });

  for (const { name, make, cause, executed } of changes) {
    await t.test(name, async () => {
      const more = (await make(world, context)) ?? [];
      await world.ok('build', '-t', 'app', ...more, context);
      const { causes, steps } = await explain();
      const own = steps.filter(({ text }) => !text.startsWith('FROM '));
      const again = own.filter(({ hit }) => !hit);
      const all = JSON.stringify({ causes, steps: steps.map(({ text, status, why }) => [text, status, why]) }, undefined, 1);
      assert.deepEqual(again.map(({ text }) => executed.find((begin) => text.startsWith(begin)) ?? text).toSorted(), executed.toSorted(), all);
      assert.equal(causes.length, cause === undefined ? 0 : 1, all);
      if (cause === undefined) return;
      const [found] = causes;
      assert.equal(found!.kind, cause.kind, all);
      assert.match(found!.text, cause.text);
      assert.match(page, new RegExp(cause.text.source.replace('^', '^ {4}'), 'm'), 'the page shows it');
      const at = steps.find(({ number }) => number === found!.step)!;
      assert.match(at.text, cause.at);
      // Whatever was executed was so for this, and for nothing else.
      assert.deepEqual(again.map(({ number }) => number), found!.cost.steps, all);
      assert.ok(again.every((step) => step.causes.length === 1 && step.why !== undefined));
    });
  }
});
