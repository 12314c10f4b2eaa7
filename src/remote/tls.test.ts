/** Certificates of hosts, client certificates, proxies, and where credentials go, against TLS servers on loopback. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerOptions } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { contextOf } from '../base/context.ts';
import { sha256 } from '../oci/digest.ts';
import { certificatesFor } from './certificates.ts';
import { createRemote } from './client.ts';
import type { Remote, RemoteOptions } from './client.ts';
import { makeAuthority } from './testing/make-certificates.ts';
import type { TestAuthority } from './testing/make-certificates.ts';
import { registryMissing, startRegistry } from './testing/start-registry.ts';
import { opensslMissing } from './testing/start-token-server.ts';

const skip = opensslMissing();
const context = contextOf();
const folder = mkdtempSync(join(tmpdir(), 'siru-tls-'));
let authority: TestAuthority;
let named: { cert: string; key: string };
before(() => {
  if (skip) return;
  authority = makeAuthority();
  named = authority.issue('server', 'DNS:registry.test', 'DNS:blobs.test', 'IP:127.0.0.1');
});
after(() => {
  authority?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Seen {
  url: string;
  headers: IncomingMessage['headers'];
  /** Common name of the client's certificate. */
  client?: string;
}

async function serveTls(handler: (request: IncomingMessage, response: ServerResponse) => void, options: ServerOptions = {}): Promise<{ port: number; seen: Seen[] } & AsyncDisposable> {
  const seen: Seen[] = [];
  const server = createServer({ ...named, ...options }, (request, response) => {
    request.resume();
    const subject = (request.socket as TLSSocket).getPeerCertificate?.()?.subject as { CN?: string } | undefined;
    seen.push({ url: request.url ?? '', headers: request.headers, ...(subject?.CN !== undefined && { client: subject.CN }) });
    handler(request, response);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A proxy that knows the names of hosts which nobody else knows. */
async function startProxy(ports: Record<string, number>): Promise<{ host: string; asked: { to: string; authorization?: string }[] } & AsyncDisposable> {
  const asked: { to: string; authorization?: string }[] = [];
  const sockets = new Set<Socket>();
  const server = createPlainServer((_, response) => void response.writeHead(500).end());
  server.on('connect', (request, client: Socket) => {
    asked.push({ to: request.url ?? '', ...(request.headers['proxy-authorization'] !== undefined && { authorization: request.headers['proxy-authorization'] }) });
    const port = ports[request.url ?? ''];
    if (port === undefined) return void client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    const outer = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(outer).pipe(client);
    });
    for (const socket of [client, outer]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let folders = 0;
/** A folder as certs.d. */
function certificates(hosts: Record<string, Record<string, string>>): string {
  const top = join(folder, String(folders++));
  for (const [host, files] of Object.entries(hosts)) {
    mkdirSync(join(top, host), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(top, host, name), text);
  }
  return top;
}

const client = (options: RemoteOptions & { environment?: Record<string, string> } = {}): Remote =>
  createRemote({ credentials: async () => undefined, retry: { delay: 5, attempts: 1 }, ...options, environment: { HOME: '/nonexistent', ...options.environment } });
const manifest = { status: 200, headers: { 'docker-content-digest': sha256('{}'), 'content-length': '2' } };
const answerManifest = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(manifest.status, manifest.headers).end('{}');

test('a host with an authority of its own is trusted when certs.d has that, and no other host is', { skip: skip || registryMissing() }, async () => {
  const files = certificates({ pem: { 'server.crt': named.cert, 'server.key': named.key } });
  await using registry = await startRegistry({ tls: { certificate: join(files, 'pem/server.crt'), key: join(files, 'pem/server.key') } });
  const reference = { domain: registry.host, path: 'app', tag: '1' };
  await using none = client();
  await assert.rejects(none.getManifest(reference, context), { code: 'NETWORK', hint: new RegExp(`certs\\.d/${registry.host}/ca\\.crt`) });
  await using other = client({ registries: { certificates: [certificates({ '127.0.0.1:1': { 'ca.crt': authority.ca } })] } });
  await assert.rejects(other.getManifest(reference, context), { code: 'NETWORK' });
  await using right = client({ registries: { certificates: [certificates({ [registry.host]: { 'ca.crt': authority.ca } })] } });
  assert.equal(await right.headManifest(reference, context), undefined);
  // Where people put it.
  const home = certificates({ [`siru/certs.d/${registry.host}`]: { 'my.crt': authority.ca } });
  await using usual = client({ environment: { XDG_CONFIG_HOME: home } });
  assert.equal(await usual.headManifest(reference, context), undefined);
  await using docker = client({ environment: { HOME: certificates({ [`.docker/certs.d/${registry.host}`]: { 'ca.crt': authority.ca } }) } });
  assert.equal(await docker.headManifest(reference, context), undefined);
});

test('a client certificate is shown to its host, and to no other', { skip }, async () => {
  const mine = authority.issue('me');
  await using store = await serveTls((_, response) => void response.end('blob'), { requestCert: true, rejectUnauthorized: false, ca: authority.ca });
  await using registry = await serveTls((request, response) => {
    if (request.url!.includes('/blobs/')) response.writeHead(307, { location: `https://127.0.0.1:${store.port}/blob` }).end();
    else answerManifest(request, response);
  }, { requestCert: true, rejectUnauthorized: true, ca: authority.ca });
  const host = `127.0.0.1:${registry.port}`;
  const reference = { domain: host, path: 'app', tag: '1' };
  const storeFiles = { [`127.0.0.1:${store.port}`]: { 'ca.crt': authority.ca } };
  await using bare = client({ registries: { certificates: [certificates({ [host]: { 'ca.crt': authority.ca }, ...storeFiles })] } });
  await assert.rejects(bare.getManifest(reference, context), { code: 'NETWORK', hint: new RegExp(`certs\\.d/${host}/client\\.cert`) });
  await using right = client({ registries: { certificates: [certificates({ [host]: { 'ca.crt': authority.ca, 'client.cert': mine.cert, 'client.key': mine.key }, ...storeFiles })] } });
  assert.equal((await right.getManifest(reference, context)).bytes.toString(), '{}');
  assert.equal(registry.seen[0]!.client, 'me');
  const { chunks } = await right.getBlob(reference, { mediaType: '', digest: sha256('blob'), size: 4 }, context);
  for await (const chunk of chunks) assert.equal(Buffer.from(chunk).toString(), 'blob');
  assert.equal(store.seen[0]!.client, undefined);
});

test('TLS goes through HTTPS_PROXY with its user and password, certificates of hosts included, and past it by NO_PROXY', { skip }, async () => {
  const mine = authority.issue('me');
  await using registry = await serveTls(answerManifest, { requestCert: true, rejectUnauthorized: true, ca: authority.ca });
  await using proxy = await startProxy({ 'registry.test:443': registry.port });
  const registries = { certificates: [certificates({ 'registry.test': { 'ca.crt': authority.ca, 'client.cert': mine.cert, 'client.key': mine.key } })] };
  const reference = { domain: 'registry.test', path: 'app', tag: '1' };
  await using remote = client({ registries, environment: { HTTPS_PROXY: `http://us%20er:p%40ss@${proxy.host}` } });
  assert.equal((await remote.getManifest(reference, context)).bytes.toString(), '{}');
  assert.deepEqual(proxy.asked, [{ to: 'registry.test:443', authorization: `Basic ${Buffer.from('us er:p@ss').toString('base64')}` }]);
  assert.equal(registry.seen[0]!.client, 'me');
  assert.equal(registry.seen[0]!.headers['proxy-authorization'], undefined);

  await using past = client({ registries, environment: { HTTPS_PROXY: `http://${proxy.host}`, NO_PROXY: '.test' } });
  await assert.rejects(past.getManifest(reference, context), { code: 'NETWORK' });
  assert.equal(proxy.asked.length, 1);
  await using away = client({ registries, environment: { HTTPS_PROXY: 'http://secret:word@127.0.0.1:9' } });
  await assert.rejects(away.getManifest(reference, context), { code: 'NETWORK', message: 'cannot reach registry.test by the proxy 127.0.0.1:9: nothing listens there' });
  await using refused = client({ registries, environment: { HTTPS_PROXY: `http://secret:word@${proxy.host}` } });
  await assert.rejects(refused.getManifest({ ...reference, domain: 'unknown.test' }, context), (error: Error & { code: string; hint?: string }) => {
    assert.equal(error.code, 'NETWORK');
    assert.equal(error.message, `cannot reach unknown.test by the proxy ${proxy.host}: it answered 502`);
    assert.match(error.hint!, /HTTPS_PROXY/);
    return true;
  });
});

test('credentials go to the registry and its token server, and nowhere that these name', { skip }, async () => {
  let realm = 'https://registry.test/token';
  let target = 'https://blobs.test/there';
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url!.startsWith('/token')) response.end('{"token":"abc"}');
    else if (request.url === '/there') response.end('blob');
    else if (request.headers.authorization !== 'Bearer abc') response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end();
    else if (request.method === 'POST') response.writeHead(202, { location: target }).end();
    else response.writeHead(307, { location: target, 'set-cookie': 'a=b' }).end();
  };
  await using registry = await serveTls(answer);
  await using blobs = await serveTls(answer);
  await using proxy = await startProxy({ 'registry.test:443': registry.port, 'blobs.test:443': blobs.port });
  const options = {
    registries: { certificates: [certificates({ 'registry.test': { 'ca.crt': authority.ca }, 'blobs.test': { 'ca.crt': authority.ca } })] },
    environment: { HTTPS_PROXY: `http://${proxy.host}` },
    credentials: async () => ({ kind: 'password', username: 'me', password: 'pw' }) as const,
  };
  const reference = { domain: 'registry.test', path: 'app', tag: '1' };
  const descriptor = { mediaType: '', digest: sha256('blob'), size: 4 };
  {
    await using remote = client(options);
    const { chunks } = await remote.getBlob(reference, descriptor, context);
    for await (const chunk of chunks) assert.equal(Buffer.from(chunk).toString(), 'blob');
    assert.deepEqual(registry.seen.map(({ url, headers }) => [url.split('?')[0], headers.authorization?.split(' ')[0]]), [
      [`/v2/app/blobs/${descriptor.digest}`, undefined], ['/token', 'Basic'], [`/v2/app/blobs/${descriptor.digest}`, 'Bearer'],
    ]);
    assert.deepEqual(blobs.seen.map(({ url, headers }) => [url, headers.authorization, headers.cookie]), [['/there', undefined, undefined]]);
  }
  const before = proxy.asked.length;
  for (target of ['http://blobs.test/there', 'https://169.254.169.254/latest', 'https://10.0.0.1/x', 'https://[::1]/x', 'ftp://blobs.test/']) {
    await using remote = client(options);
    await assert.rejects(remote.getBlob(reference, descriptor, context), { code: 'REGISTRY', message: /refused, / }, target);
    await assert.rejects(remote.uploadBlob(reference, { open: async function* () {}, digest: () => sha256(''), size: 0 }, context), { code: 'REGISTRY', message: /refused, / }, target);
  }
  for (realm of ['http://registry.test/token', 'https://192.168.1.1/token', 'https://169.254.169.254/token', 'file:///etc/passwd']) {
    await using remote = client(options);
    await assert.rejects(remote.getManifest(reference, context), { code: 'REGISTRY', message: /as its token server: refused, / }, realm);
  }
  assert.ok(proxy.asked.slice(before).every(({ to }) => to === 'registry.test:443'));
});

test('folders of certificates that are no good are told with their file', { skip }, () => {
  const mine = authority.issue('me');
  const other = authority.issue('other');
  const bad: [Record<string, string>, RegExp][] = [
    [{ 'ca.crt': 'nonsense' }, /ca\.crt: /],
    [{ 'client.cert': mine.cert }, /client\.cert: there is no client\.key/],
    [{ 'client.key': mine.key }, /client\.key: there is no certificate/],
    [{ 'client.cert': mine.cert, 'client.key': other.key }, /client\.key is not the key of client\.cert/],
    [{ 'client.cert': mine.cert, 'client.key': 'nonsense' }, /client\.key: /],
    [{ 'ca.crt': authority.ca + '#'.repeat(1 << 20) }, /larger than/],
    [Object.fromEntries(Array.from({ length: 65 }, (_, number) => [`${number}.crt`, authority.ca])), /more than 64 files/],
  ];
  for (const [files, message] of bad) {
    assert.throws(() => certificatesFor(new URL('https://h.test/'), { HOME: '/nonexistent' }, [certificates({ 'h.test': files })]), { code: 'CONFIG', message });
  }
  const good = certificates({ 'h.test': { 'a.crt': authority.ca, 'notes.txt': 'nothing', 'client.cert': mine.cert, 'client.key': mine.key } });
  assert.deepEqual(certificatesFor(new URL('https://h.test/v2/'), { HOME: '/nonexistent' }, [good]), { folder: join(good, 'h.test'), ca: [authority.ca], cert: mine.cert, key: mine.key });
  assert.equal(certificatesFor(new URL('https://h.test:8443/'), { HOME: '/nonexistent' }, [good]), undefined);
});
