/** The examples on the pages of the checks: the bad one is found by its rule, in the good one nothing is found. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkBuild } from '../../src/build/call/check.ts';
import { pageOf, rules } from '../../src/dockerfile/checks/rules.ts';
import { makeImage } from '../../src/images/testing/make-image.ts';
import { temporaryStore } from '../../src/images/testing/temporary-store.ts';

const root = join(import.meta.dirname, '../..');

test('the examples are what the pages say they are', async () => {
  await using world = await temporaryStore();
  const { store, folder } = world;
  for (const name of ['alpine', 'nginx', 'golang', 'alpine:3.22']) makeImage(store, { name, layers: [{ x: 'x' }], config: {} });
  makeImage(store, { name: 'arm64v8/alpine', layers: [{ x: 'x' }], platform: { os: 'linux', architecture: 'arm64' } });
  for (const [number, rule] of rules.entries()) {
    const page = readFileSync(join(root, pageOf(rule)), 'utf8');
    const example = (part: string): string => page.split(`\n## ${part}\n\n`)[1]!.split(/\n\n(?! {4})/)[0]!.replaceAll(/^ {4}/gm, '');
    const found = async (text: string): Promise<string[]> => {
      const context = join(folder, `${number}${text.length}`);
      mkdirSync(context);
      const ignored = /has the line: (.*)$/m.exec(text)?.[1];
      if (ignored !== undefined) writeFileSync(join(context, '.dockerignore'), ignored);
      writeFileSync(join(context, 'Dockerfile'), text);
      const { warnings } = await checkBuild({ store, context, platform: 'linux/amd64', buildArgs: /ARG TAG$/m.test(text) ? { TAG: '3.22' } : {} });
      return [...new Set(warnings.map(({ rule: { name } }) => name))];
    };
    // A secret that is used shows twice; what a rule is about may be another's affair, too.
    assert.ok((await found(example('Bad'))).includes(rule.name), `${rule.name}: the bad example is not found`);
    assert.deepEqual(await found(example('Good')), [], `${rule.name}: the good example`);
  }
});
