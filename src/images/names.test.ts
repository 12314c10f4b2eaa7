/** Names: resolve, tag, remove, login. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import { registryMissing, startRegistry } from '../remote/testing/start-registry.ts';
import { loggedInAs, login, logout } from './login.ts';
import { removeImage } from './remove.ts';
import { findImage, resolveImage } from './resolve.ts';
import { tagImage } from './tag.ts';
import { makeImage } from './testing/make-image.ts';
import { temporaryStore } from './testing/temporary-store.ts';

test('an image is meant by its name, digest, ID or a part of it', async () => {
  await using here = await temporaryStore();
  const { store } = here;
  const image = makeImage(store, { name: 'group/app:1', layers: [{ a: '1' }] });
  store.images.addRepoDigest(image.descriptor.digest, `docker.io/group/app@${image.descriptor.digest}`);
  const { imageId, descriptor: { digest } } = image;
  for (const text of ['group/app:1', 'docker.io/group/app:1', imageId, imageId.slice(7), imageId.slice(7, 19), imageId.slice(0, 20), digest, `group/app@${digest}`, `group/app:other@${digest}`]) {
    assert.equal(resolveImage(store, text).descriptor.digest, digest, text);
  }
  assert.equal(findImage(store, 'group/app'), undefined);
  assert.equal(findImage(store, `other/app@${digest}`), undefined);
  assert.throws(() => resolveImage(store, 'group/ap:1'), { code: 'NOT_FOUND', hint: 'there is group/app:1' });
  assert.throws(() => resolveImage(store, 'group/app'), { code: 'NOT_FOUND', hint: 'there is group/app:1' });
  assert.throws(() => resolveImage(store, 'app:1'), { code: 'NOT_FOUND', hint: 'there is group/app:1' });
  assert.throws(() => resolveImage(store, 'NoName'), { code: 'REFERENCE' });
});

test('a part of an ID that several images share is ambiguous, and a name wins over an ID', async () => {
  await using here = await temporaryStore();
  const { store } = here;
  const images = Array.from({ length: 17 }, (_, index) => makeImage(store, { layers: [{ a: String(index) }] }));
  const first = images.map(({ imageId }) => imageId[7]!).find((digit, index, all) => all.indexOf(digit) !== index)!;
  assert.throws(() => resolveImage(store, first), { code: 'AMBIGUOUS' });
  const named = images[3]!;
  store.images.tag(`docker.io/library/${first}:latest`, named.descriptor.digest);
  assert.equal(resolveImage(store, first).imageId, named.imageId);
});

test('a tag moves from one image to another', async () => {
  await using here = await temporaryStore();
  const { store } = here;
  const first = makeImage(store, { name: 'app:1', layers: [{ a: '1' }] });
  const second = makeImage(store, { layers: [{ a: '2' }] });
  assert.deepEqual(tagImage(store, second.imageId, 'app:1').before, first.descriptor.digest);
  assert.equal(resolveImage(store, 'app:1').imageId, second.imageId);
  assert.deepEqual(resolveImage(store, first.imageId).names, []);
  assert.equal(tagImage(store, 'app:1', 'localhost:5000/x').name, 'localhost:5000/x:latest');
  assert.throws(() => tagImage(store, 'app:1', `x@${first.descriptor.digest}`), { code: 'REFERENCE' });
});

test('rmi takes a name, and the image with its last one', async () => {
  await using here = await temporaryStore();
  const { store } = here;
  const image = makeImage(store, { name: 'app:1', layers: [{ a: '1' }] });
  tagImage(store, 'app:1', 'app:2');
  assert.deepEqual(removeImage(store, 'app:1'), { untagged: ['app:1'], deleted: [] });
  store.images.addRepoDigest(image.descriptor.digest, `docker.io/library/app@${image.descriptor.digest}`);
  assert.deepEqual(removeImage(store, 'app:2'), { untagged: ['app:2', `app@${image.descriptor.digest}`], deleted: [image.imageId] });
  assert.throws(() => removeImage(store, 'app:2'), { code: 'NOT_FOUND' });
});

test('rmi by ID refuses several names unless forced, and what a container uses', async () => {
  await using here = await temporaryStore();
  const { store } = here;
  const { imageId } = makeImage(store, { name: 'app:1', layers: [{ a: '1' }] });
  tagImage(store, 'app:1', 'other:1');
  assert.throws(() => removeImage(store, imageId), { code: 'IN_USE' });
  assert.throws(() => removeImage(store, imageId, { force: true, users: () => [{ name: 'web', running: true }] }), { code: 'IN_USE', message: /container web/ });
  assert.deepEqual(removeImage(store, imageId, { force: true, users: () => [{ name: 'web', running: false }] }), { untagged: ['app:1', 'other:1'], deleted: [imageId] });
  const second = makeImage(store, { name: 'app:1', layers: [{ a: '2' }] });
  assert.throws(() => removeImage(store, 'app:1', { users: () => [{ name: 'web', running: false }] }), { code: 'IN_USE' });
  assert.deepEqual(removeImage(store, second.imageId.slice(7, 20)), { untagged: ['app:1'], deleted: [second.imageId] });
});

test('login keeps credentials only when the registry takes them', { skip: registryMissing() }, async () => {
  await using registry = await startRegistry({ basic: true });
  await using here = await temporaryStore();
  const file = join(here.folder, 'docker', 'config.json');
  const about = { registry: registry.host, environment: { HOME: here.folder, DOCKER_CONFIG: join(here.folder, 'docker') } };
  await assert.rejects(login({ ...about, username: 'tester', password: 'wrong' }, contextOf()), { code: 'AUTH' });
  assert.equal(existsSync(file), false);
  assert.deepEqual(await login({ ...about, username: 'tester', password: 'secret' }, contextOf()), { registry: registry.host, keptIn: file });
  assert.equal(await loggedInAs(about), 'tester');
  assert.deepEqual(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { auths: object }).auths), [registry.host]);
  assert.deepEqual(await logout(about), { registry: registry.host, removed: true });
  assert.deepEqual(await logout(about), { registry: registry.host, removed: false });
});
