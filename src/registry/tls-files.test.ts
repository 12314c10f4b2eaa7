/** TLS over real sockets: certificates that change while the server listens, and clients that need one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Server as TlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { makeAuthority } from '../remote/testing/make-certificates.ts';
import { createApp } from './app.ts';
import { openFileStorage } from './files/open.ts';
import { startServer } from './server.ts';
import { readTlsFiles, watchTlsFiles } from './tls-files.ts';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

/** The common name of the certificate that the server shows. Throws what the connection breaks with. */
async function shownName(address: string, options: ConnectionOptions): Promise<string> {
  const socket = await talk(address, options);
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

/** After an answer: TLS 1.3 tells of a client's certificate that is refused only then. */
function talk(address: string, options: ConnectionOptions): Promise<TLSSocket> {
  const port = Number(address.split(':').at(-1));
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'registry.test', ...options }, () => socket.write('GET /v2/ HTTP/1.1\r\nhost: registry.test\r\n\r\n'));
    socket.once('data', () => resolve(socket)).once('error', reject).once('close', () => reject(new Error('closed')));
  });
}

function put(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

test('a new certificate is shown without a restart; connections that are there go on; half of a pair changes nothing', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  using authority = makeAuthority();
  const paths = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const first = authority.issue('first', 'DNS:registry.test');
  const second = authority.issue('second', 'DNS:registry.test');
  put(paths.certificate, first.cert);
  put(paths.key, first.key);
  await using storage = await openFileStorage({ root: join(folder, 'content'), durable: false });
  await using server = await startServer({ app: createApp({ storage }), listen: '127.0.0.1:0', tls: readTlsFiles(paths) });
  const faults: unknown[] = [];
  using _watch = watchTlsFiles(server.server as TlsServer, paths, (error) => faults.push(error));
  const ca = authority.ca;
  assert.equal(await shownName(server.address, { ca }), 'first');
  const old = await talk(server.address, { ca });
  put(paths.certificate, second.cert);
  while (faults.length === 0) await wait(50);
  assert.match(String(faults[0]), /the key .*key\.pem is not that of the certificate/);
  assert.equal(await shownName(server.address, { ca }), 'first');
  put(paths.key, second.key);
  while (await shownName(server.address, { ca }) !== 'second') await wait(50);
  old.write('GET /v2/ HTTP/1.1\r\nhost: registry.test\r\n\r\n');
  await new Promise((resolve) => old.once('data', resolve));
  old.destroy();
  put(paths.key, 'no key, but a secret');
  while (faults.length === 1) await wait(50);
  assert.match(String(faults[1]), /has no private key/);
  assert.ok(!String(faults[1]).includes('secret'));
  assert.equal(await shownName(server.address, { ca }), 'second');
});

test('with an authority for clients only they get in', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  using authority = makeAuthority();
  using stranger = makeAuthority();
  const paths = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), clients: join(folder, 'clients.pem') };
  const pair = authority.issue('server', 'DNS:registry.test');
  put(paths.certificate, pair.cert);
  put(paths.key, pair.key);
  put(paths.clients, authority.ca);
  await using storage = await openFileStorage({ root: join(folder, 'content'), durable: false });
  await using server = await startServer({ app: createApp({ storage }), listen: '127.0.0.1:0', tls: readTlsFiles(paths) });
  const ca = authority.ca;
  assert.equal(await shownName(server.address, { ca, ...authority.issue('client') }), 'server');
  await assert.rejects(shownName(server.address, { ca }));
  await assert.rejects(shownName(server.address, { ca, ...stranger.issue('client') }));
  using _watch = watchTlsFiles(server.server as TlsServer, paths, assert.ifError);
  put(paths.clients, stranger.ca);
  const own = stranger.issue('client2');
  while (await shownName(server.address, { ca, ...own }).catch(() => '') !== 'server') await wait(50);
  await assert.rejects(shownName(server.address, { ca, ...authority.issue('client') }), 'the requirement stays when files change');
});

test('what is no certificate is told before the server listens', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  using authority = makeAuthority();
  const { cert, key } = authority.issue('one', 'DNS:registry.test');
  const paths = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const cases: [certificate: string, key: string, message: RegExp][] = [
    [cert, authority.issue('two', 'DNS:registry.test').key, /is not that of the certificate/], ['', key, /has no certificate in PEM/], [cert, cert, /has no private key/], [key, key, /has no certificate/],
  ];
  for (const [certificate, secret, message] of cases) {
    put(paths.certificate, certificate);
    put(paths.key, secret);
    assert.throws(() => readTlsFiles(paths), { code: 'CONFIG', message });
  }
  assert.throws(() => readTlsFiles({ ...paths, key: join(folder, 'absent') }), /cannot read/);
});
