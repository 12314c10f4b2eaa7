/** Tags that follow versions, in the store and at a registry; which version a pull got; what is out of date. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import type { Digest } from '../oci/digest.ts';
import { parseReferenceWithTag } from '../oci/reference.ts';
import { createRemote } from '../remote/client.ts';
import type { Remote, RemoteOptions } from '../remote/client.ts';
import { registryMissing, startRegistry } from '../remote/testing/start-registry.ts';
import { watchRequests } from '../remote/testing/watch-requests.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { exactVersionOf } from './exact-version.ts';
import { pushVersion, tagVersion } from './follow-version.ts';
import { findOutdated, isBehind, usedImages } from './outdated.ts';
import type { OutdatedImage } from './outdated.ts';
import { pullImage } from './pull.ts';
import { pushImage } from './push.ts';
import { makeImage } from './testing/make-image.ts';
import { temporaryStore } from './testing/temporary-store.ts';

const skip = registryMissing();
const context = contextOf();
const client = (options: RemoteOptions = {}): Remote => createRemote({ environment: { HOME: '/nonexistent' }, credentials: async () => undefined, retry: { delay: 5, attempts: 2 }, ...options });
/** An image of its own for each text. */
const image = (store: Store, text: string, label?: string): StoredImage =>
  makeImage(store, { layers: [{ version: text }], config: label === undefined ? {} : { Labels: { 'org.opencontainers.image.version': label } } });

test('in the store 1.10, 1 and latest follow the newest version of their line', async () => {
  await using here = await temporaryStore();
  const { store } = here;
  const tag = (version: string): string[] => {
    makeImage(store, { name: `app:${version.replace('+', '_')}`, layers: [{ version }] });
    return tagVersion(store, `app:${version}`, `app:${version}`).names.map((name) => name.slice('docker.io/library/app:'.length));
  };
  const stands = (name: string): string[] => (store.images.byName(`docker.io/library/app:${name}`)?.names ?? []).map((each) => each.slice(each.lastIndexOf(':') + 1));
  assert.deepEqual(tag('1.10.5'), ['1.10.5', '1.10', '1', 'latest']);
  assert.deepEqual(tag('1.9.9'), ['1.9.9', '1.9']);
  assert.deepEqual(tag('2.0.0-rc.1'), ['2.0.0-rc.1']);
  assert.deepEqual(tag('1.10.6'), ['1.10.6', '1.10', '1', 'latest']);
  assert.deepEqual(tag('v2.0.0'), ['v2.0.0', 'v2.0', 'v2', 'latest']);
  assert.deepEqual(tag('1.11.0'), ['1.11.0', '1.11', '1']);
  assert.deepEqual(stands('1'), ['1', '1.11', '1.11.0']);
  assert.deepEqual(stands('1.10'), ['1.10', '1.10.6']);
  assert.deepEqual(stands('latest'), ['latest', 'v2', 'v2.0', 'v2.0.0']);
  assert.deepEqual(tagVersion(store, 'app:1.10.6', 'other:1.10.6').names.length, 4, 'another repository has other tags');
  for (const name of ['app:1.10', 'app:latest', 'app', 'app:1.02.3']) assert.throws(() => tagVersion(store, 'app:1.11.0', name), { code: 'USAGE', hint: /three numbers/ }, name);
});

test('at a registry its own tags decide, not those of the store and not those of a mirror', { skip }, async () => {
  await using registry = await startRegistry();
  await using mirror = await startRegistry();
  await using here = await temporaryStore();
  await using remote = client({ registries: { mirrors: { [registry.host]: [mirror.host] } } });
  const reference = (tag: string, host = registry.host): ReturnType<typeof parseReferenceWithTag> => parseReferenceWithTag(`${host}/app:${tag}`);
  const push = async (version: string): Promise<string[]> => {
    const followed = await pushVersion({ store: here.store, remote, image: image(here.store, version), reference: reference(version) }, context);
    return followed.names.map((name) => name.slice(name.lastIndexOf(':') + 1));
  };
  await pushImage({ store: here.store, remote, image: image(here.store, 'mirrored'), reference: reference('9.0.0', mirror.host) }, context);
  assert.deepEqual(await push('1.10.5'), ['1.10.5', '1.10', '1', 'latest']);
  assert.deepEqual(await push('1.10.4'), ['1.10.4']);
  assert.deepEqual(await push('1.11.0-rc.1'), ['1.11.0-rc.1']);
  assert.deepEqual(await push('2.0.0'), ['2.0.0', '2.0', '2', 'latest']);
  assert.deepEqual(await push('1.10.6'), ['1.10.6', '1.10', '1']);
  await using direct = client();
  const digest = async (tag: string): Promise<Digest | undefined> => (await direct.headManifest(reference(tag), context))?.digest;
  assert.equal(await digest('latest'), await digest('2.0.0'));
  assert.equal(await digest('1'), await digest('1.10.6'));
  await assert.rejects(push('1.10'), { code: 'USAGE' });
});

test('a pull by 1.10 tells which version came, by a tag of the same digest or by the label', { skip }, async () => {
  await using real = await startRegistry();
  await using registry = await watchRequests(real.host);
  await using here = await temporaryStore();
  await using remote = client();
  for (const [version, label] of [['1.9.0', undefined], ['1.10.4', undefined], ['1.10.5', '1.10.5'], ['1.10.3', undefined]] as const) {
    await pushVersion({ store: here.store, remote, image: image(here.store, version, label), reference: parseReferenceWithTag(`${registry.host}/app:${version}`) }, context);
  }
  await pushImage({ store: here.store, remote, image: image(here.store, 'labelled', '7.7.7'), reference: parseReferenceWithTag(`${registry.host}/only:stable`) }, context);
  await pushImage({ store: here.store, remote, image: image(here.store, 'labelled', '7.7.7'), reference: parseReferenceWithTag(`${registry.host}/only:7`) }, context);
  await pushImage({ store: here.store, remote, image: image(here.store, 'nothing'), reference: parseReferenceWithTag(`${registry.host}/none`) }, context);
  const ask = async (name: string): Promise<unknown> => {
    await using to = await temporaryStore();
    const reference = parseReferenceWithTag(`${registry.host}/${name}`);
    const pulled = await pullImage({ store: to.store, remote, reference }, context);
    registry.requests.length = 0;
    return await exactVersionOf(remote, to.store, pulled, reference, context);
  };
  assert.deepEqual(await ask('app:1.9'), { version: '1.9.0', by: 'tag' });
  assert.ok(registry.requests.length <= 3, registry.requests.join('\n'));
  assert.deepEqual(await ask('app:1'), { version: '1.10.5', by: 'tag' });
  assert.deepEqual(registry.requests, ['HEAD /v2/app/manifests/1.10.5'], 'the label is only asked whether it is so');
  assert.deepEqual(await ask('app'), { version: '1.10.5', by: 'tag' });
  assert.equal(await ask('app:1.10.4'), undefined, 'who names a version knows it');
  assert.equal(registry.requests.length, 0);
  assert.deepEqual(await ask('only:stable'), { version: '7.7.7', by: 'label' });
  assert.equal(registry.requests.length, 0);
  assert.deepEqual(await ask('only:7'), { version: '7.7.7', by: 'label' });
  assert.equal(await ask('none'), undefined);
});

test('what has moved and what is newer is told for each name, and a registry that is away only for its own', { skip }, async () => {
  await using registry = await startRegistry();
  await using away = await startRegistry();
  await using there = await temporaryStore();
  await using here = await temporaryStore();
  await using remote = client();
  const push = async (version: string, label?: string): Promise<void> =>
    void (await pushVersion({ store: there.store, remote, image: image(there.store, version, label), reference: parseReferenceWithTag(`${registry.host}/app:${version}`) }, context));
  const pushTag = async (name: string, text: string, label?: string): Promise<void> =>
    void (await pushImage({ store: there.store, remote, image: image(there.store, text, label), reference: parseReferenceWithTag(name) }, context));
  await push('1.10.4');
  await pushTag(`${registry.host}/labelled:edge`, 'a', '3.1.0');
  await pushTag(`${registry.host}/still`, 'b');
  await pushTag(`${registry.host}/bare:edge`, 'c');
  await pushTag(`${away.host}/gone:1`, 'd');
  const names = [`${registry.host}/app:1.10.4`, `${registry.host}/app:1.10`, `${registry.host}/app:1`, `${registry.host}/app`, `${registry.host}/labelled:edge`, `${registry.host}/still`, `${registry.host}/bare:edge`, `${away.host}/gone:1`];
  for (const name of names) await pullImage({ store: here.store, remote, reference: parseReferenceWithTag(name) }, context);
  image(here.store, 'made here');
  makeImage(here.store, { name: 'local:1', layers: [{ a: 'b' }] });

  const find = async (): Promise<Map<string, OutdatedImage>> =>
    new Map((await findOutdated(usedImages(here.store), remote, here.store, context)).map((entry) => [entry.name.slice(entry.name.indexOf('/') + 1), entry]));
  const fresh = await find();
  assert.deepEqual([...fresh.keys()].sort(), ['app:1', 'app:1.10', 'app:1.10.4', 'app:latest', 'bare:edge', 'gone:1', 'labelled:edge', 'still:latest']);
  for (const entry of fresh.values()) assert.deepEqual([entry.change, entry.newer, isBehind(entry, 'patch')], ['same', {}, false], entry.name);

  await push('1.10.7');
  await push('1.12.0');
  await push('2.0.0');
  await pushTag(`${registry.host}/labelled:edge`, 'a2', '3.2.0');
  await pushTag(`${registry.host}/bare:edge`, 'c2');
  await away.stop();
  const found = await find();
  const told = (name: string): unknown => {
    const { here: before, now, change, newer } = found.get(name)!;
    return [before.version, now?.version, change, newer];
  };
  assert.deepEqual(told('app:1.10.4'), ['1.10.4', '1.10.4', 'same', { patch: '1.10.7', minor: '1.12.0', major: '2.0.0' }]);
  assert.deepEqual(told('app:1.10'), ['1.10.4', '1.10.7', 'patch', { minor: '1.12', major: '2.0' }]);
  assert.deepEqual(told('app:1'), ['1.10.4', '1.12.0', 'minor', { major: '2' }]);
  assert.deepEqual(told('app:latest'), ['1.10.4', '2.0.0', 'major', {}]);
  assert.deepEqual(told('labelled:edge'), ['3.1.0', '3.2.0', 'minor', {}]);
  assert.deepEqual(told('still:latest'), [undefined, undefined, 'same', {}]);
  assert.deepEqual(told('bare:edge'), [undefined, undefined, 'moved', {}]);
  assert.equal(found.get('gone:1')!.change, 'unknown');
  assert.match(found.get('gone:1')!.error!, /nothing listens there/);
  assert.deepEqual(['app:1.10', 'app:1', 'app:latest', 'labelled:edge', 'still:latest', 'bare:edge'].map((name) => isBehind(found.get(name)!, 'major')), [true, true, true, false, false, true]);
});
