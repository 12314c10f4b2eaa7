/** The library's calls that move and list, against Siru's own registry, which lists referrers itself, with skopeo as another client. */
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { makeImage } from './images/testing/make-image.ts';
import { temporaryStore } from './images/testing/temporary-store.ts';
import { annotateIndex, attach, copy, createIndex, inspectIndex, isSiruError, listRepositories, listTags, openStore, push, referrers } from './index.ts';
import { sha256 } from './oci/digest.ts';
import { formatPlatform } from './oci/platform.ts';
import { referrersTag } from './remote/referrers.ts';
import { serve } from './remote/testing/serve.ts';
import { startTestServer } from './registry/testing/start-server.ts';

const skip = spawnSync('skopeo', ['--version']).error ? 'skopeo is not installed' : false;
// Not synchronously: the server is in this process.
const skopeo = async (...words: string[]): Promise<string> => (await promisify(execFile)('skopeo', ['--insecure-policy', ...words])).stdout;
const raw = (name: string): Promise<string> => skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`);

async function gather<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

test('an index is made, copied with what refers to it, listed and fetched', { skip }, async () => {
  await using server = await startTestServer();
  await using other = await startTestServer();
  await using here = await temporaryStore();
  const { store, folder } = here;
  const data = randomBytes(2 << 20);
  for (const architecture of ['amd64', 'arm64']) {
    const name = `${server.host}/group/app:1-${architecture}`;
    makeImage(store, { name, layers: [{ data }, { 'bin/tool': architecture }], platform: { os: 'linux', architecture } });
    await push({ store, reference: name });
  }
  const app = `${server.host}/group/app:1`;
  const index = await createIndex({ target: app, sources: [`${app}-amd64`, `${app}-arm64`] });
  assert.equal(sha256(await raw(app)), index.digest);
  const tree = await inspectIndex({ image: app });
  assert.deepEqual(tree.children!.map(({ platform }) => formatPlatform(platform!)), ['linux/amd64', 'linux/arm64']);
  assert.ok(tree.bytes.equals(index.bytes));

  const file = join(folder, 'app.spdx.json');
  writeFileSync(file, '{}');
  const artifactType = 'application/spdx+json';
  const attached = await Promise.all([0, 1, 2, 3].map((number) => attach({ image: app, artifactType, files: [{ path: file }], annotations: { number: String(number) } })));
  await attach({ image: app, artifactType, platform: 'linux/arm64', files: [{ path: file }] });
  // The registry lists them itself, so nothing is written under the tag.
  assert.deepEqual(await gather(listTags({ repository: `${server.host}/group/app`, page: 1 })), ['1', '1-amd64', '1-arm64']);

  const moved = await copy({ source: app, target: `${other.host}/mirror/app:1`, store });
  assert.equal(moved.digest, index.digest);
  assert.equal(moved.referrers, 5);
  const again = await copy({ source: app, target: `${other.host}/mirror/app:1` });
  assert.deepEqual([again.blobs, again.referrers], [{ copied: 0, existing: 0, mounted: 0 }, 0]);
  assert.deepEqual(await gather(listRepositories({ registry: other.host })), ['mirror/app']);
  const found = await referrers({ image: `${other.host}/mirror/app:1`, artifactType, output: join(folder, 'sboms') });
  assert.deepEqual(found.referrers.map(({ digest }) => digest).toSorted(), attached.map(({ descriptor }) => descriptor.digest).toSorted());
  assert.equal(readFileSync(join(folder, 'sboms/app.spdx.json'), 'utf8'), '{}');

  const mounted = await copy({ source: `${other.host}/mirror/app:1`, target: `${other.host}/again/app:1`, referrers: false });
  assert.deepEqual(mounted.blobs, { copied: 0, existing: 0, mounted: 5 });
  const changed = await annotateIndex({ index: `${other.host}/again/app:1`, annotations: [{ key: 'note', value: 'x' }] });
  assert.equal(sha256(await raw(`${other.host}/again/app:1`)), changed.digest);
  await skopeo('copy', '--all', '--src-tls-verify=false', `docker://${other.host}/again/app:1`, `oci:${join(folder, 'taken')}:1`);
});

test('a registry without a list gets the tag from one that has a list, and gives it back', { skip }, async () => {
  const { registryMissing, startRegistry } = await import('./remote/testing/start-registry.ts');
  if (registryMissing()) return;
  await using old = await startRegistry();
  await using server = await startTestServer();
  await using here = await temporaryStore();
  const { store, folder } = here;
  makeImage(store, { name: `${server.host}/app:1`, layers: [{ a: 'b' }] });
  const { digest } = await push({ store, reference: `${server.host}/app:1` });
  writeFileSync(join(folder, 'note'), 'x');
  const { descriptor } = await attach({ image: `${server.host}/app:1`, artifactType: 'application/x-note', files: [{ path: join(folder, 'note') }] });
  await copy({ source: `${server.host}/app:1`, target: `${old.host}/app:1` });
  assert.ok((await gather(listTags({ repository: `${old.host}/app` }))).includes(referrersTag(digest)));
  await copy({ source: `${old.host}/app:1`, target: `${server.host}/back:1` });
  const back = await referrers({ image: `${server.host}/back:1` });
  assert.deepEqual(back.referrers.map((one) => one.digest), [descriptor.digest]);
  assert.deepEqual(await gather(listTags({ repository: `${server.host}/back` })), ['1']);
});

test('without a store, what needs one is told so', async () => {
  await assert.rejects(copy({ source: 'store:app:1', target: 'oci:/nonexistent/x' }), (error) => isSiruError(error) && error.code === 'USAGE' && /none was given/.test(error.message));
});

test('what is named by sha512 is copied as it is named', async () => {
  const { contentOf, indexOf, manifestOf, pushBlob, putManifest, randomContent } = await import('./registry/testing/content.ts');
  await using server = await startTestServer();
  await using other = await startTestServer();
  await using here = await temporaryStore();
  const [config, layer] = [contentOf('{}', 'sha512'), randomContent(5000, 'sha512')];
  for (const blob of [config, layer]) await pushBlob(server.url, 'app', blob);
  const manifest = manifestOf({ config, layers: [layer] }, 'sha512');
  const index = indexOf([manifest]);
  assert.equal((await putManifest(server.url, 'app', manifest.digest, manifest)).status, 201);
  assert.equal((await putManifest(server.url, 'app', '1', index, 'application/vnd.oci.image.index.v1+json')).status, 201);
  const folder = `oci:${join(here.folder, 'layout')}:1`;
  await copy({ source: `${server.host}/app:1`, target: folder });
  assert.equal((await copy({ source: folder, target: `${other.host}/app:1` })).digest, index.digest);
  assert.equal((await fetch(`${other.url}/v2/app/manifests/${manifest.digest}`)).status, 200);
  assert.equal((await fetch(`${other.url}/v2/app/blobs/${layer.digest}`, { method: 'HEAD' })).status, 200);
  await assert.rejects(copy({ source: folder, target: 'store:app:1', store: here.store }), (error) => isSiruError(error) && error.code === 'UNSUPPORTED');
});

test('an upload that was killed with its copy is gone on with, and of the source the rest alone is read', async () => {
  await using server = await startTestServer();
  await using other = await startTestServer();
  await using here = await temporaryStore();
  makeImage(here.store, { name: `${server.host}/app:1`, layers: [{ data: randomBytes(8 << 20) }] });
  await push({ store: here.store, reference: `${server.host}/app:1` });
  let cut = true;
  let served = 0;
  await using slow = await serve(async (request, response) => {
    const answer = await fetch(`${server.url}${request.url}`, { method: request.method, headers: request.headers as Record<string, string> });
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (request.method === 'GET' && body.length > 4 << 20 && cut) return void response.write(body.subarray(0, 6 << 20)); // and no more
    if (request.method === 'GET' && request.url!.includes('/blobs/')) served += body.length;
    response.end(body);
  });
  const root = join(here.folder, 'store-of-child');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'images/testing/copy-process.ts'), root, `${slow.host}/app:1`, `${other.host}/app:1`], { stdio: 'inherit' });
  const largest = (): number => Math.max(0, ...(readdirSync(other.root, { recursive: true }) as string[]).map((file) => statSync(join(other.root, file), { throwIfNoEntry: false })?.size ?? 0));
  while (largest() < 5 << 20) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  cut = false;
  await using store = await openStore({ root });
  const { digest } = await copy({ source: `${slow.host}/app:1`, target: `${other.host}/app:1`, store });
  assert.ok(served < 4 << 20, `${served} bytes were read again`);
  assert.equal((await inspectIndex({ image: `${other.host}/app:1` })).digest, digest);
});
