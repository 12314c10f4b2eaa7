/** `siru registry serve` as a process: what it says, how it ends, and clients that people use against it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { pushImage, randomContent } from '../src/registry/testing/content.ts';
import { openUpload, send, withDigest } from '../src/registry/testing/uploads.ts';
import { needs } from './support/missing.ts';
import { startOwnRegistry } from './support/own-registry.ts';
import { command, siru } from './support/siru.ts';
import { createWorld } from './support/world.ts';

const folder = (t: TestContext): string => {
  const root = mkdtempSync(join(tmpdir(), 'siru-server-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
};

test('told to end, it lets a running upload finish, takes no new connection, and says so', async (t) => {
  const root = folder(t);
  const registry = await startOwnRegistry(root);
  const content = randomContent(1000);
  const location = await openUpload(registry, 'app');
  const client = request(withDigest(location, content.digest), { method: 'PUT', headers: { 'content-length': 1000 } });
  client.write(content.bytes.subarray(0, 500));
  await once(client, 'socket');
  while ((await send(location, 'GET')).headers.get('range') !== '0-499') await new Promise((resolve) => setTimeout(resolve, 20));
  const ended = registry.stop('SIGTERM');
  await assert.rejects(async () => {
    for (;;) await fetch(`${registry.url}/v2/`);
  });
  client.end(content.bytes.subarray(500));
  const [response] = (await once(client, 'response')) as [{ statusCode: number }];
  assert.equal(response.statusCode, 201);
  const { code, stderr } = await ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /PUT \/v2\/app\/blobs\/uploads\/[\w-]+ 201 .* in=1000 /);
  assert.match(stderr, /siru registry: ended\n$/);
});

test('requests that take longer than the grace time are cut, and their uploads resume', async (t) => {
  const root = folder(t);
  const content = randomContent(1000);
  const registry = await startOwnRegistry(root, ['--grace', '0s', '--log', 'json']);
  const location = await openUpload(registry, 'app');
  const client = request(location, { method: 'PATCH', headers: { 'content-length': 1000 } });
  client.on('error', () => {});
  client.write(content.bytes.subarray(0, 500));
  while ((await send(location, 'GET')).headers.get('range') !== '0-499') await new Promise((resolve) => setTimeout(resolve, 20));
  const { code, stderr } = await registry.stop('SIGTERM');
  assert.equal(code, 0);
  assert.match(stderr, /ended; 1 requests were cut/);
  const lines = stderr.trim().split('\n').map((line) => JSON.parse(line) as { message: string; id?: string });
  assert.ok(lines.every(({ message, id }) => message !== 'request' || id));
  await using again = await startOwnRegistry(root);
  const there = new URL(location.pathname, again.url);
  assert.equal((await send(withDigest(there, content.digest), 'PUT', content.bytes.subarray(500), { 'content-range': '500-999' })).status, 201);
});

test('its configuration file is checked before anything else, and flags go before it', async (t) => {
  const root = folder(t);
  const file = join(root, 'registry.yaml');
  writeFileSync(file, 'root: content\nlisten: 127.0.0.1:0\ndelete: false\nlog: none\n');
  const run = (...args: string[]): ReturnType<typeof siru> => siru(['registry', ...args], { store: '/nonexistent' });
  assert.equal((await run('check', '--config', file)).stdout, `${file} is good\n`);
  await using registry = await startOwnRegistry(join(root, 'other'), ['--config', file]);
  const { manifest } = await pushImage(registry.url, 'app', 'v1');
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/${manifest.digest}`, { method: 'DELETE' })).status, 405);
  await registry.stop();
  assert.match(readFileSync(join(root, 'other/app/index.json'), 'utf8'), /"v1"/);
  writeFileSync(file, 'lisen: 1\n');
  for (const verb of ['check', 'serve']) {
    const { code, stderr } = await run(verb, '--config', file);
    assert.equal(code, 1);
    assert.match(stderr, /registry\.yaml:1:1: unknown key "lisen" \(did you mean listen\?\)/);
  }
  assert.match((await run('serve', '--root', join(root, 'other'), '--listen', 'nowhere')).stderr, /"nowhere" is no address/);
  assert.match((await run('serv')).stderr, /registry serv: no such command/);
});

test('it brings what is pulled from another registry, with a configuration file that is no other of Siru', async (t) => {
  const root = folder(t);
  await using upstream = await startOwnRegistry(join(root, 'one'));
  const { manifest, layers: [layer] } = await pushImage(upstream.url, 'team/app', 'v1');
  writeFileSync(join(root, 'two.yaml'), `upstreams: { prefix: up, registry: "${upstream.host}" }\n`);
  await using registry = await startOwnRegistry(join(root, 'two'), ['--config', join(root, 'two.yaml')]);
  assert.equal(await (await fetch(`${registry.url}/v2/up/team/app/manifests/v1`)).text(), manifest.bytes.toString());
  assert.deepEqual(Buffer.from(await (await fetch(`${registry.url}/v2/up/team/app/blobs/${layer!.digest}`)).arrayBuffer()), layer!.bytes);
});

test('a second server at the same address says who is in the way', async (t) => {
  await using registry = await startOwnRegistry(folder(t));
  const { code, stderr } = await siru(['registry', 'serve', '--root', folder(t), '--listen', registry.host], { store: '/nonexistent' });
  assert.equal(code, 1);
  assert.match(stderr, /the address is in use/);
});

test('siru pushes to it, lists and pulls from it', { skip: needs('run') }, async (t) => {
  await using registry = await startOwnRegistry(folder(t));
  await using world = await createWorld();
  await world.base();
  await world.ok('tag', 'base', `${registry.host}/team/base:1.0`);
  await world.ok('push', `${registry.host}/team/base:1.0`);
  await world.ok('rmi', `${registry.host}/team/base:1.0`);
  await world.ok('pull', `${registry.host}/team/base:1.0`);
  assert.match(await world.ok('images', '--format', '{{.Repository}}:{{.Tag}}'), new RegExp(`${registry.host}/team/base:1.0`));
  assert.match(await world.ok('ls', `${registry.host}/team/base`), /1\.0/);
});

test('skopeo copies to it, lists, inspects, deletes and copies from it', { skip: needs('skopeo') || needs('umoci') }, async (t) => {
  const root = folder(t);
  await using registry = await startOwnRegistry(join(root, 'registry'));
  const layout = join(root, 'layout');
  await command(['umoci', 'init', '--layout', layout]);
  await command(['umoci', 'new', '--image', `${layout}:one`]);
  writeFileSync(join(root, 'file'), 'content');
  await command(['umoci', 'insert', '--image', `${layout}:one`, join(root, 'file'), '/file']);
  const to = (name: string): string => `docker://${registry.host}/${name}`;
  const skopeo = (...words: string[]): Promise<string> => command(['skopeo', ...words]);
  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  await skopeo('copy', ...plain, `oci:${layout}:one`, to('a/one:1'));
  await skopeo('copy', ...plain, to('a/one:1'), to('b/two:2'));
  await skopeo('copy', ...plain, to('b/two:2'), `oci:${layout}:back`);
  assert.deepEqual((JSON.parse(await skopeo('list-tags', '--tls-verify=false', to('b/two'))) as { Tags: string[] }).Tags, ['2']);
  assert.equal((JSON.parse(await skopeo('inspect', '--tls-verify=false', to('b/two:2'))) as { Name: string }).Name, `${registry.host}/b/two`);
  await skopeo('copy', '--format', 'v2s2', ...plain, `oci:${layout}:one`, to('a/docker:1'));
  await skopeo('delete', '--tls-verify=false', to('a/one:1'));
  await assert.rejects(skopeo('inspect', '--tls-verify=false', to('a/one:1')));
  await registry.stop();
  await skopeo('inspect', `oci:${join(root, 'registry/b/two')}:2`);
});

test('buildah pushes to it and pulls from it', { skip: needs('buildah') }, async (t) => {
  const root = folder(t);
  await using registry = await startOwnRegistry(join(root, 'registry'));
  const buildah = (...words: string[]): Promise<string> => command(['buildah', '--root', join(root, 'store'), '--runroot', join(root, 'run'), '--storage-driver', 'vfs', ...words]);
  const container = (await buildah('from', 'scratch')).trim();
  writeFileSync(join(root, 'file'), 'content');
  await buildah('copy', container, join(root, 'file'), '/file');
  const image = (await buildah('commit', container)).trim();
  await buildah('push', '--tls-verify=false', image, `docker://${registry.host}/app:1`);
  await buildah('rmi', '-a', '-f');
  await buildah('pull', '--tls-verify=false', `${registry.host}/app:1`);
});
