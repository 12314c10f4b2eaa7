import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import type { Event } from '../base/events.ts';
import { sha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { createRemote } from './client.ts';
import type { Remote, RemoteOptions } from './client.ts';
import { serve } from './testing/serve.ts';
import type { TestServer } from './testing/serve.ts';
import { registryMissing, startRegistry } from './testing/start-registry.ts';
import { opensslMissing, startTokenServer } from './testing/start-token-server.ts';

const skip = registryMissing();
const context = contextOf();
/** A client that reads no configuration of this machine and loses no time. */
const client = (options: RemoteOptions = {}): Remote =>
  createRemote({ environment: { HOME: '/nonexistent' }, credentials: async () => undefined, retry: { delay: 5 }, ...options });

async function* pieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function gather<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

async function pushSmallImage(remote: Remote, reference: { domain: string; path: string; tag: string }): Promise<{ bytes: Buffer; config: Buffer; layer: Buffer; digest: Digest }> {
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  const layer = randomBytes(3 << 20);
  for (const blob of [config, layer]) {
    await remote.uploadBlob(reference, { open: () => pieces(blob), digest: () => sha256(blob), size: blob.length }, context);
  }
  const bytes = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
    layers: [{ mediaType: mediaTypes.layer, digest: sha256(layer), size: layer.length }],
  }));
  const digest = await remote.putManifest(reference, bytes, mediaTypes.manifest, context);
  return { bytes, config, layer, digest };
}

test('what was pushed to a registry comes back byte for byte', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  const reference = { domain: registry.host, path: 'group/app', tag: '1' };
  const { bytes, layer, digest } = await pushSmallImage(remote, reference);

  const manifest = await remote.getManifest(reference, context);
  assert.deepEqual(manifest, { bytes, mediaType: mediaTypes.manifest, digest, servedBy: registry.host });
  assert.deepEqual(await remote.headManifest(reference, context), { digest, mediaType: mediaTypes.manifest, size: bytes.length, servedBy: registry.host });
  assert.equal(await remote.headManifest({ ...reference, tag: 'none' }, context), undefined);

  const descriptor = { mediaType: mediaTypes.layer, digest: sha256(layer), size: layer.length };
  assert.ok((await collect((await remote.getBlob(reference, descriptor, context)).chunks)).equals(layer));
  assert.ok((await collect((await remote.getBlob(reference, descriptor, context, 1_000_000)).chunks)).equals(layer.subarray(1_000_000)));
  assert.equal(await remote.hasBlob(reference, descriptor, context), true);
  assert.equal(await remote.hasBlob(reference, { ...descriptor, digest: sha256('no') }, context), false);
});

test('a stream of unknown length is uploaded, and its digest is asked for at its end', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  const reference = { domain: registry.host, path: 'app', tag: '1' };
  const bytes = randomBytes(5 << 20);
  await remote.uploadBlob(reference, { open: () => pieces(bytes), digest: () => sha256(bytes) }, context);
  assert.equal(await remote.hasBlob(reference, { digest: sha256(bytes), size: bytes.length }, context), true);
  await assert.rejects(remote.uploadBlob(reference, { open: () => pieces(bytes), digest: () => sha256('lie') }, context), { code: 'REGISTRY', status: 400 });
});

test('a blob is mounted from another repository, or an upload is opened when it is not there', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  const { layer } = await pushSmallImage(remote, { domain: registry.host, path: 'first', tag: '1' });
  const second = { domain: registry.host, path: 'second', tag: '1' };
  assert.deepEqual(await remote.mountBlob(second, sha256(layer), 'first', context), { mounted: true });
  assert.equal(await remote.hasBlob(second, { digest: sha256(layer), size: layer.length }, context), true);
  const other = randomBytes(100);
  const answer = await remote.mountBlob(second, sha256(other), 'first', context);
  assert.equal(answer.mounted, false);
  if (!answer.mounted) await remote.uploadBlob(second, { open: () => pieces(other), digest: () => sha256(other), size: other.length }, context, answer.session);
  assert.equal(await remote.hasBlob(second, { digest: sha256(other), size: other.length }, context), true);
});

test('tags are listed', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  for (const tag of ['1', '2', 'latest']) await pushSmallImage(remote, { domain: registry.host, path: 'app', tag });
  assert.deepEqual((await gather(remote.listTags({ domain: registry.host, path: 'app' }, context))).sort(), ['1', '2', 'latest']);
  await assert.rejects(gather(remote.listTags({ domain: registry.host, path: 'none' }, context)), (error: Error) => error.message === `registry ${registry.host} has no repository none`);
});

test('what a registry lacks is told in words', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  await assert.rejects(remote.getManifest({ domain: registry.host, path: 'none', tag: 'x' }, context), {
    code: 'NOT_FOUND', status: 404, message: `registry ${registry.host} has no manifest x in none`,
  });
});

test('basic authentication: right, wrong and no credentials', { skip }, async () => {
  await using registry = await startRegistry({ basic: true });
  const reference = { domain: registry.host, path: 'app', tag: '1' };
  await using right = client({ credentials: async () => ({ kind: 'password', username: 'tester', password: 'secret' }) });
  await pushSmallImage(right, reference);
  await right.ping(registry.host, context);
  await using none = client();
  await assert.rejects(none.getManifest(reference, context), { code: 'AUTH', status: 401, hint: `the repository may not exist, or needs a login: log in with: siru login ${registry.host}` });
  await using wrong = client({ credentials: async () => ({ kind: 'password', username: 'tester', password: 'no' }) });
  await assert.rejects(wrong.ping(registry.host, context), { code: 'AUTH', status: 401 });
});

test('mirrors are asked before the registry, in order, and say who served', { skip }, async () => {
  await using registry = await startRegistry();
  await using remote = client();
  const { digest } = await pushSmallImage(remote, { domain: registry.host, path: 'library/busy', tag: '1' });
  await using dead = await serve((_, response) => void response.writeHead(404).end());
  await using mirrored = client({ registries: { mirrors: { 'docker.io': [dead.host, registry.host] } } });
  const manifest = await mirrored.getManifest({ domain: 'docker.io', path: 'library/busy', tag: '1' }, context);
  assert.equal(manifest.digest, digest);
  assert.equal(manifest.servedBy, registry.host);
  assert.equal((await mirrored.headManifest({ domain: 'docker.io', path: 'library/busy', tag: '1' }, context))?.servedBy, registry.host);
});

test('a bearer token is fetched for the scope, used again, and renewed once when it is refused', async () => {
  let issued = 0;
  let valid = '';
  await using auth = await serve((request, response) => {
    assert.equal(request.headers.authorization, `Basic ${Buffer.from('me:pw').toString('base64')}`);
    valid = `t${++issued}`;
    response.end(JSON.stringify({ token: valid, expires_in: 300 }));
  });
  await using registry = await serve((request, response) => {
    if (request.headers.authorization !== `Bearer ${valid}`) {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${auth.host}/token",service="srv",scope="repository:x:pull"` }).end();
    } else response.writeHead(200, { 'docker-content-digest': sha256('{}'), 'content-length': '2' }).end();
  });
  await using remote = client({ credentials: async () => ({ kind: 'password', username: 'me', password: 'pw' }) });
  const reference = { domain: registry.host, path: 'x', tag: '1' };
  await remote.headManifest(reference, context);
  await remote.headManifest(reference, context);
  assert.equal(issued, 1);
  assert.deepEqual([...new URL(`http://x${auth.seen[0]!.url}`).searchParams], [['service', 'srv'], ['scope', 'repository:x:pull'], ['account', 'me']]);
  valid = 'revoked';
  await remote.headManifest(reference, context);
  assert.equal(issued, 2);
});

test('an identity token is exchanged by POST', async () => {
  await using auth = await serve((request, response) => {
    const form = new URLSearchParams(request.body.toString());
    assert.equal(request.method, 'POST');
    assert.equal(form.get('grant_type'), 'refresh_token');
    assert.equal(form.get('refresh_token'), 'refresh');
    response.end(JSON.stringify({ access_token: 'abc' }));
  });
  await using registry = await serve((request, response) => {
    if (request.headers.authorization !== 'Bearer abc') response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${auth.host}/token",service="s"` }).end();
    else response.writeHead(200).end('{}');
  });
  await using remote = client({ credentials: async () => ({ kind: 'identity', token: 'refresh' }) });
  await remote.ping(registry.host, context);
});

test('a redirect to another host carries no credentials', async () => {
  const blob = randomBytes(1000);
  await using store = await serve((_, response) => void response.end(blob));
  await using registry = await serve((request, response) => {
    if (!request.headers.authorization) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    else response.writeHead(307, { location: `http://${store.host}/elsewhere?X-Amz-Signature=1` }).end();
  });
  await using remote = client({ credentials: async () => ({ kind: 'password', username: 'me', password: 'pw' }) });
  const { chunks } = await remote.getBlob({ domain: registry.host, path: 'x' }, { mediaType: '', digest: sha256(blob), size: blob.length }, context);
  assert.ok((await collect(chunks)).equals(blob));
  assert.equal(store.seen[0]!.headers.authorization, undefined);
});

test('redirects in a circle end', async () => {
  await using registry = await serve((request, response) => void response.writeHead(302, { location: request.url }).end());
  await using remote = client();
  await assert.rejects(remote.getManifest({ domain: registry.host, path: 'x', tag: '1' }, context), { code: 'REGISTRY', message: /redirects in a circle/ });
});

test('a manifest of 100 MB is refused before it is read', async () => {
  let sent = 0;
  for (const announced of [true, false]) {
    await using registry = await serve((_, response) => {
      response.writeHead(200, announced ? { 'content-length': String(100 << 20) } : {});
      const more = (): void => {
        while (!response.destroyed && sent < 100 << 20 && response.write(Buffer.alloc(65_536, ' '))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    });
    await using remote = client();
    await assert.rejects(remote.getManifest({ domain: registry.host, path: 'x', tag: '1' }, context), { code: 'DOCUMENT' });
  }
  assert.ok(sent < 40 << 20);
});

test('a manifest with another digest than was asked for, or than the registry says, is refused', async () => {
  await using registry = await serve((_, response) => void response.writeHead(200, { 'docker-content-digest': sha256('other') }).end('{}'));
  await using remote = client();
  await assert.rejects(remote.getManifest({ domain: registry.host, path: 'x', tag: '1' }, context), { code: 'DIGEST' });
  await assert.rejects(remote.getManifest({ domain: registry.host, path: 'x', digest: sha256('third') }, context), { code: 'DIGEST' });
});

test('429 with Retry-After is waited for, and told', async () => {
  let asked = 0;
  await using registry = await serve((request, response) => {
    if (request.url === '/v2/') response.writeHead(200).end();
    else if (asked++ === 0) response.writeHead(429, { 'retry-after': '1' }).end();
    else response.writeHead(200).end('{}');
  });
  const events: Event[] = [];
  await using remote = client();
  const started = Date.now();
  await remote.getManifest({ domain: registry.host, path: 'x', tag: '1' }, contextOf({ onEvent: (event) => events.push(event) }));
  assert.ok(Date.now() - started >= 950);
  assert.deepEqual(events, [{ type: 'status', text: `${registry.host} answered 429; trying again in 1.0 s` }]);
});

test('a limit on pulls is told once when little is left, and when nothing is', async () => {
  let remaining = 8;
  await using registry = await serve((_, response) => {
    const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': `${remaining};w=21600` };
    if (remaining-- > 0) response.writeHead(200, headers).end('{}');
    else response.writeHead(429, { ...headers, 'retry-after': '3600', 'ratelimit-remaining': '0;w=21600' }).end();
  });
  await using remote = client();
  const events: Event[] = [];
  const get = (): Promise<unknown> => remote.getManifest({ domain: registry.host, path: 'x', tag: '1' }, contextOf({ onEvent: (event) => events.push(event) }));
  await get();
  await get();
  assert.deepEqual(events, [{ type: 'status', text: `${registry.host}: 8 of 100 pulls are left for 6 h` }]);
  remaining = 0;
  await assert.rejects(get(), { code: 'REGISTRY', status: 429, retryAfter: '3600', message: `registry ${registry.host} takes no more requests for now: 0 of 100 pulls are left for 6 h` });
});

test('an upload that is put off is waited for as the registry asks', async () => {
  const blob = randomBytes(4 << 20);
  let patches = 0;
  await using registry = await serve((request, response) => {
    if (request.method === 'POST') response.writeHead(202, { location: '/v2/x/blobs/uploads/1' }).end();
    else if (request.method === 'PATCH' && ++patches === 1) response.writeHead(429, { 'retry-after': '1' }).end();
    else if (request.method === 'PATCH') response.writeHead(202, { location: request.url }).end();
    else response.writeHead(201).end();
  });
  await using remote = client();
  const events: Event[] = [];
  await remote.uploadBlob({ domain: registry.host, path: 'x' }, { open: () => pieces(blob), digest: () => sha256(blob), size: blob.length }, contextOf({ onEvent: (event) => events.push(event) }));
  assert.ok(events.some((event) => event.type === 'status' && /takes no more requests for now\); trying again in 1\.0 s/.test(event.text)));
  assert.equal(patches, 2);
});

test('retries are bounded, and a Retry-After of a day is not waited for', async () => {
  let asked = 0;
  await using registry = await serve((request, response) => {
    asked++;
    response.writeHead(503, request.url!.includes('slow') ? { 'retry-after': '86400' } : {}).end('{"errors":[{"code":"UNAVAILABLE","message":"down\\u001b[2J"}]}');
  });
  await using remote = client();
  await assert.rejects(remote.getManifest({ domain: registry.host, path: 'x', tag: '1' }, context), { code: 'REGISTRY', status: 503, message: /down \[2J/ });
  assert.equal(asked, 5);
  await assert.rejects(remote.getManifest({ domain: registry.host, path: 'slow', tag: '1' }, context), { status: 503 });
  assert.equal(asked, 6);
});

test('a blob that breaks off is gone on with where it stopped, with and without Range', async () => {
  const blob = randomBytes(300_000);
  for (const ranges of [true, false]) {
    let cuts = 0;
    await using registry = await serve((request, response) => {
      const from = ranges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
      const body = blob.subarray(from);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': String(body.length), ...(from > 0 ? { 'content-range': `bytes ${from}-299999/300000` } : {}) });
      if (cuts++ < 2) response.write(body.subarray(0, cuts * 70_000), () => setTimeout(() => response.destroy(), 20));
      else response.end(body);
    });
    await using remote = client();
    const { chunks } = await remote.getBlob({ domain: registry.host, path: 'x' }, { mediaType: '', digest: sha256(blob), size: blob.length }, context);
    assert.ok((await collect(chunks)).equals(blob));
    assert.equal(registry.seen.length, 3);
  }
});

test('a blob that is longer or shorter than promised is refused', async () => {
  const blob = randomBytes(1000);
  await using registry = await serve((_, response) => void response.end(blob));
  await using remote = client();
  for (const size of [999, 1001]) {
    const { chunks } = await remote.getBlob({ domain: registry.host, path: 'x' }, { mediaType: '', digest: sha256(blob), size }, context);
    await assert.rejects(collect(chunks), { code: 'DIGEST' });
  }
});

test('cancelling ends a request that hangs, and one that is waiting to try again', async () => {
  await using registry = await serve((request, response) => {
    if (request.url!.includes('wait')) response.writeHead(503, { 'retry-after': '30' }).end();
  });
  for (const path of ['hang', 'wait']) {
    await using remote = client();
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    await assert.rejects(remote.getManifest({ domain: registry.host, path, tag: '1' }, contextOf({ signal: stop.signal })), { code: 'CANCELLED' });
  }
});

test('a manifest in the middle of which the caller cancels is cancelled, not a fault of the network', async () => {
  await using registry = await serve((_, response) => {
    response.writeHead(200, { 'content-type': mediaTypes.manifest, 'content-length': '1000' }).write('{');
  });
  await using remote = client();
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 200);
  await assert.rejects(remote.getManifest({ domain: registry.host, path: 'x', tag: '1' }, contextOf({ signal: stop.signal })), { code: 'CANCELLED' });
});

test('a manifest of any kind that has another digest than it was asked for is refused', async () => {
  const descriptor = { mediaType: mediaTypes.config, digest: sha256('config'), size: 6 };
  for (const mediaType of [mediaTypes.manifest, mediaTypes.dockerManifest, mediaTypes.index, mediaTypes.dockerIndex, undefined]) {
    const isIndex = mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex;
    const body = JSON.stringify({ schemaVersion: 2, ...(mediaType && { mediaType }), ...(isIndex ? { manifests: [] } : { config: descriptor, layers: [] }) });
    for (const type of [mediaType ?? mediaTypes.manifest, 'application/vnd.docker.distribution.manifest.v1+prettyjws']) {
      await using registry = await serve((request, response) => {
        // To a tag, the registry's own word is what is checked.
        response.writeHead(200, { 'content-type': type, ...(request.url!.endsWith('/1') && { 'docker-content-digest': sha256('other') }) }).end(body);
      });
      await using remote = client();
      await assert.rejects(remote.getManifest({ domain: registry.host, path: 'x', digest: sha256('other') }, context), { code: 'DIGEST' }, `${mediaType} as ${type}`);
      await assert.rejects(remote.getManifest({ domain: registry.host, path: 'x', tag: '1' }, context), { code: 'DIGEST' }, `${mediaType} as ${type}`);
      assert.equal((await remote.getManifest({ domain: registry.host, path: 'x', digest: sha256(body) }, context)).digest, sha256(body));
    }
  }
});

test('a registry that is started anew meanwhile is waited for; one that never answered is not', async () => {
  const answer = (_: unknown, response: ServerResponse): void => void response.writeHead(200).end('{}');
  const first = await serve(answer);
  await using remote = client({ retry: { attempts: 4, delay: 5 } });
  const reference = { domain: first.host, path: 'x', tag: '1' };
  await remote.getManifest(reference, context);
  await first[Symbol.asyncDispose]();
  let starting: Promise<TestServer> | undefined;
  const waited = contextOf({ onEvent: () => void (starting ??= serve(answer, '127.0.0.1', Number(first.host.split(':')[1]))) });
  assert.equal((await remote.getManifest(reference, waited)).bytes.toString(), '{}');
  assert.ok(starting);
  await using _second = await starting;
  const events: Event[] = [];
  await using other = client();
  await assert.rejects(other.getManifest({ ...reference, domain: '127.0.0.1:9' }, contextOf({ onEvent: (event) => events.push(event) })), { code: 'NETWORK', message: /nothing listens there/ });
  assert.deepEqual(events, []);
});

test('a server that never answers is given up after the time limit', async () => {
  await using registry = await serve(() => {});
  await using remote = client({ timeout: 50, retry: { attempts: 2, delay: 1 } });
  await assert.rejects(remote.getManifest({ domain: registry.host, path: 'x', tag: '1' }, context), { code: 'NETWORK', message: /no answer in time/ });
});

test('an upload that breaks off is started anew', async () => {
  const blob = randomBytes(4 << 20);
  let sessions = 0;
  const got: number[] = [];
  await using registry = await serve((request, response) => {
    if (request.method === 'POST') response.writeHead(202, { location: `/v2/x/blobs/uploads/${++sessions}` }).end();
    else if (request.method === 'PATCH') {
      got.push(request.body.length);
      if (sessions === 1) response.destroy();
      else response.writeHead(202, { location: request.url }).end();
    } else response.writeHead(201).end();
  });
  await using remote = client();
  await remote.uploadBlob({ domain: registry.host, path: 'x' }, { open: () => pieces(blob), digest: () => sha256(blob), size: blob.length }, context);
  assert.deepEqual(got, [blob.length, blob.length]);
});

test('an upload that the server refuses early ends without sending the rest', async () => {
  await using registry = await serve((request, response) => {
    if (request.method === 'POST') response.writeHead(202, { location: 'uploads/1' }).end();
    else response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"quota"}]}');
  });
  await using remote = client();
  const blob = randomBytes(2 << 20);
  await assert.rejects(remote.uploadBlob({ domain: registry.host, path: 'x' }, { open: () => pieces(blob), digest: () => sha256(blob), size: blob.length }, context), { code: 'AUTH', message: `push access to ${registry.host}/x denied (quota)` });
});

test('a host that is neither loopback nor allowed is spoken to in TLS only', async () => {
  await using remote = client({ retry: { attempts: 1 } });
  await assert.rejects(remote.getManifest({ domain: 'registry.invalid', path: 'x', tag: '1' }, context), { code: 'NETWORK', message: /^cannot reach registry\.invalid: / });
  await using plain = client({ registries: { mirrors: { 'docker.io': ['http://registry.invalid'] } } });
  await assert.rejects(plain.getManifest({ domain: 'docker.io', path: 'library/x', tag: '1' }, context), { code: /CONFIG|NETWORK/, message: /plain HTTP to registry\.invalid is not allowed/ });
});

test('requests go through HTTP_PROXY, but not to loopback', async () => {
  await using proxy = await serve((request, response) => {
    if (request.url === 'http://registry.invalid/v2/x/manifests/1') response.writeHead(200).end('{}');
    else response.writeHead(500).end();
  });
  const environment = { HTTP_PROXY: `http://${proxy.host}`, NO_PROXY: 'example.com', HOME: '/nonexistent' };
  await using remote = createRemote({ environment, credentials: async () => undefined, registries: { insecure: ['registry.invalid'], mirrors: { 'a.invalid': ['http://registry.invalid'] } } });
  assert.equal((await remote.getManifest({ domain: 'a.invalid', path: 'x', tag: '1' }, context)).bytes.toString(), '{}');
  await using direct = await serve((_, response) => void response.end('{"direct":true}'));
  assert.equal((await remote.getManifest({ domain: direct.host, path: 'x', tag: '1' }, context)).bytes.toString(), '{"direct":true}');
});

test('a real registry with a token server: anonymous pull, push by password and by identity token', { skip: skip || opensslMissing() }, async () => {
  await using tokens = await startTokenServer();
  await using registry = await startRegistry({ token: tokens.options });
  const reference = { domain: registry.host, path: 'group/app', tag: '1' };
  await using anonymous = client();
  await assert.rejects(pushSmallImage(anonymous, reference), { code: 'AUTH', message: new RegExp(`^push access to ${registry.host}/group/app denied`) });
  await using tester = client({ credentials: async () => ({ kind: 'password', username: 'tester', password: 'secret' }) });
  const { layer, digest } = await pushSmallImage(tester, reference);
  // One token for the pushes of a repository, however many requests they take.
  assert.equal(tokens.seen.filter(({ headers }) => headers.authorization !== undefined).length, 1);
  assert.equal((await anonymous.getManifest(reference, context)).digest, digest);
  await using identity = client({ credentials: async () => ({ kind: 'identity', token: 'refresh' }) });
  const second = { ...reference, path: 'other' };
  assert.deepEqual(await identity.mountBlob(second, sha256(layer), 'group/app', context), { mounted: true });
  await using wrong = client({ credentials: async () => ({ kind: 'password', username: 'tester', password: 'no' }) });
  await assert.rejects(wrong.getManifest(reference, context), { code: 'AUTH', message: /denied \(wrong password\)/ });
});

test('TLS: an unknown authority is refused with advice, an insecure host is not verified', { skip: skip || opensslMissing() }, async () => {
  await using tokens = await startTokenServer();
  await using registry = await startRegistry({ tls: tokens });
  const reference = { domain: registry.host, path: 'app', tag: '1' };
  await using careful = client();
  await assert.rejects(careful.getManifest(reference, context), { code: 'NETWORK', hint: /certificate authority/ });
  await using careless = client({ registries: { insecure: [registry.host] } });
  await pushSmallImage(careless, reference);
});
