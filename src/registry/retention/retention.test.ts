import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareVersions, parseVersion } from '../../oci/semver.ts';
import { collect } from '../garbage/collect.ts';
import { defaultPolicy } from '../garbage/policy.ts';
import { contentOf, pushImage, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import { chooseTags, policyFor } from './choose-tags.ts';
import type { TagFacts } from './choose-tags.ts';
import { keepVersions } from './keep-versions.ts';
import type { RetentionRule } from './policy.ts';
import { createPullNotes } from './pull-notes.ts';
import { retain } from './retain.ts';
import type { GoneTag } from './retain.ts';

const day = 24 * 3_600_000;
const now = 1000 * day;

function tag(name: string, days: number, pulled?: number): TagFacts {
  return { name, pushed: now - days * day, pulled: pulled === undefined ? undefined : now - pulled * day };
}

function going(tags: TagFacts[], ...rules: RetentionRule[]): string[] {
  return [...chooseTags(tags, rules, now)].filter(([, { keep }]) => !keep).map(([name]) => name).sort();
}

test('a tag that no rule speaks of stays, and one that any rule keeps', () => {
  const tags = [tag('pr-1', 40), tag('pr-2', 3), tag('latest', 400), tag('pr-3', 50)];
  assert.deepEqual(going(tags, { tags: ['pr-*'], pushed: 14 * day }), ['pr-1', 'pr-3']);
  assert.deepEqual(going(tags, { tags: ['pr-*'], pushed: 14 * day }, { tags: ['pr-3'] }), ['pr-1']);
});

test('the newest are counted by the time of their push', () => {
  const tags = [tag('a', 4), tag('b', 1), tag('c', 3), tag('d', 2)];
  assert.deepEqual(going(tags, { newest: 2 }), ['a', 'c']);
  assert.deepEqual(going(tags, { newest: 0 }), ['a', 'b', 'c', 'd']);
});

test('a pull keeps a tag, and a push is as good as a pull', () => {
  assert.deepEqual(going([tag('old', 90), tag('used', 90, 5), tag('new', 5), tag('once', 90, 60)], { pulled: 30 * day }), ['old', 'once']);
});

test('versions: the newest majors, minors and patches; lines stay with what they hold', () => {
  const tags = ['1.0.0', '1.0', '1', '2.0.0', '2.0.1', '2.0', '2.1.0', '2.1', '2', '3.0.0-rc.1', '2.1.0-rc.1', '2.1.0-alpine3.20', '2.0.0-alpine3.19', 'latest', 'v9', '20260301'];
  const kept = keepVersions(tags, { majors: 1, minors: 1, patches: 1 });
  assert.deepEqual([...kept].filter(([, keep]) => keep).map(([name]) => name).sort(), ['2', '2.1', '2.1.0', '2.1.0-alpine3.20', '20260301', '3.0.0-rc.1', 'v9']);
  assert.ok(!kept.has('latest'));
  assert.deepEqual(going(tags.map((name) => tag(name, 9)), { patches: 1 }), ['2.0.0', '2.1.0-rc.1']);
});

test('the newest version of each line is kept, whatever the tags are', () => {
  const number = fc.integer({ min: 0, max: 4 });
  fc.assert(fc.property(fc.uniqueArray(fc.tuple(number, number, number).map((parts) => parts.join('.')), { minLength: 1 }), (tags) => {
    const kept = keepVersions(tags, { patches: 1 });
    for (const name of tags) {
      const line = tags.filter((other) => other.split('.').slice(0, 2).join('.') === name.split('.').slice(0, 2).join('.'));
      const best = line.every((other) => compareVersions(parseVersion(other)!, parseVersion(name)!) <= 0);
      assert.equal(kept.get(name), best);
    }
  }));
});

test('the first policy that fits a repository counts', () => {
  const policies = [{ repositories: ['team/*'], rules: [{}] }, { repositories: ['**'], rules: [{ newest: 1 }] }];
  assert.equal(policyFor(policies, 'team/app'), policies[0]);
  assert.equal(policyFor(policies, 'team/app/deep'), policies[1]);
});

test('a dry run changes nothing; what goes is collected after the grace time, though untagged manifests are kept', async () => {
  await using registry = await startTestServer();
  const { core } = registry.storage;
  const old = await pushImage(registry.url, 'team/app', 'pr-1');
  await pushImage(registry.url, 'team/app', 'pr-2', { config: randomContent() });
  await pushImage(registry.url, 'team/app', 'fixed-1', { config: randomContent() });
  const signature = `sha256-${old.manifest.digest.slice(7)}.sig`;
  await pushImage(registry.url, 'team/app', signature, { config: randomContent() });
  core.db.run(`UPDATE tags SET pushed = ? WHERE name <> 'pr-2'`, Date.now() - 40 * day);
  const options = { policies: [{ repositories: ['team/**'], rules: [{ pushed: 14 * day }] }], isImmutable: (_repository: string, name: string) => name.startsWith('fixed') };
  const gone: GoneTag[] = [];
  assert.equal(await retain(core, { ...options, apply: false, onGone: (one) => gone.push(one) }), 4);
  assert.deepEqual(gone.map(({ tag: name }) => name), ['pr-1']);
  assert.equal((await registry.storage.tags.list('team/app', { limit: 9 })).items.length, 4);
  await retain(core, { ...options, apply: true });
  assert.deepEqual((await registry.storage.tags.list('team/app', { limit: 9 })).items, ['fixed-1', 'pr-2', signature]);
  assert.equal((await fetch(`${registry.url}/v2/team/app/manifests/${old.manifest.digest}`)).status, 200, 'by digest it is there for the grace time');
  await collect({ ...core, now: () => Date.now() + 2 * day }, { policy: defaultPolicy, share: 1 });
  assert.equal((await fetch(`${registry.url}/v2/team/app/manifests/${old.manifest.digest}`)).status, 404);
  // Now that its image is gone, the signature goes by the rule.
  await retain(core, { ...options, apply: true });
  assert.deepEqual((await registry.storage.tags.list('team/app', { limit: 9 })).items, ['fixed-1', 'pr-2']);
});

test('a manifest that is tagged again after retention stays', async () => {
  await using registry = await startTestServer();
  const { core } = registry.storage;
  const { manifest } = await pushImage(registry.url, 'app', '1');
  core.db.run('UPDATE tags SET pushed = 0');
  await retain(core, { policies: [{ repositories: ['**'], rules: [{ pushed: day }] }], apply: true });
  await fetch(`${registry.url}/v2/app/manifests/2`, { method: 'PUT', body: manifest.bytes, headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' } });
  await fetch(`${registry.url}/v2/app/manifests/2`, { method: 'DELETE' });
  await collect({ ...core, now: () => Date.now() + 2 * day }, { policy: defaultPolicy, share: 1 });
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/${manifest.digest}`)).status, 200);
});

test('pulls are noted together: by tag, by digest, and by HEAD of a tag', async () => {
  const holder: { notes?: ReturnType<typeof createPullNotes> } = {};
  await using registry = await startTestServer({ onEvent: [(event) => holder.notes?.sink(event)] });
  const { core } = registry.storage;
  using notes = createPullNotes(core, (error) => assert.fail(String(error)));
  holder.notes = notes;
  for (const name of ['got', 'asked', 'by-digest', 'never']) await pushImage(registry.url, 'team/app', name, { config: contentOf(name) });
  const digest = core.db.get<{ digest: string }>(`SELECT digest FROM tags WHERE name = 'by-digest'`)!.digest;
  await (await fetch(`${registry.url}/v2/team/app/manifests/got`)).arrayBuffer();
  await fetch(`${registry.url}/v2/team/app/manifests/asked`, { method: 'HEAD' });
  await (await fetch(`${registry.url}/v2/team/app/manifests/${digest}`)).arrayBuffer();
  await fetch(`${registry.url}/v2/team/app/manifests/none`);
  while (registry.events.filter((event) => event.type === 'request' && event.route === 'manifest' && event.method !== 'PUT').length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(core.db.all('SELECT name FROM tags WHERE pulled IS NOT NULL'), []);
  notes.flush();
  core.db.run('UPDATE tags SET pushed = 0');
  const gone: GoneTag[] = [];
  await retain(core, { policies: [{ repositories: ['**'], rules: [{ pulled: day }] }], apply: false, onGone: (one) => gone.push(one) });
  assert.deepEqual(gone.map(({ tag: name }) => name), ['never']);
});
