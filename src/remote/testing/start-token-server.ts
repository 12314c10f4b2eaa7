/** For tests: a token server as distribution's token specification has it, whose tokens a test registry takes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate, createSign, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from './serve.ts';
import type { TestServer } from './serve.ts';
import type { TestRegistryOptions } from './start-registry.ts';

export interface TestTokenServer extends AsyncDisposable {
  /** For startRegistry({ token }). */
  options: NonNullable<TestRegistryOptions['token']>;
  /** A self-signed certificate for localhost, and its key: paths of PEM files. */
  certificate: string;
  key: string;
  seen: TestServer['seen'];
}

/** Why there can be none here, for `test(..., { skip })`; false when there can. */
export function opensslMissing(): string | false {
  return spawnSync('openssl', ['version'], { stdio: 'ignore' }).error ? 'openssl is not installed' : false;
}

/**
 * Grants what `tester` with the password `secret` asks for, and only pulls to anybody else. The refresh token `refresh` is
 * as good as that password.
 */
export async function startTokenServer(): Promise<TestTokenServer> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-token-'));
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const der = new X509Certificate(readFileSync(certificate)).raw.toString('base64');
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const basic = `Basic ${Buffer.from('tester:secret').toString('base64')}`;

  const server = await serve((request, response) => {
    const form = new URLSearchParams(request.body.toString());
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    const trusted = request.headers.authorization === basic || form.get('refresh_token') === 'refresh';
    if (request.headers.authorization !== undefined && !trusted) return void response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}');
    const scopes = request.method === 'POST' ? (form.get('scope') ?? '').split(' ').filter(Boolean) : query.getAll('scope');
    const access = scopes.map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',').filter((action) => trusted || action === 'pull') };
    });
    const now = Math.floor(Date.now() / 1000);
    const head = `${encode({ typ: 'JWT', alg: 'RS256', x5c: [der] })}.${encode({ iss: 'test', sub: trusted ? 'tester' : '', aud: 'registry', exp: now + 300, nbf: now - 10, iat: now, jti: randomUUID(), access })}`;
    const token = `${head}.${createSign('RSA-SHA256').update(head).sign(readFileSync(key)).toString('base64url')}`;
    response.end(JSON.stringify({ token, access_token: token, expires_in: 300 }));
  });
  return {
    options: { realm: `http://${server.host}/token`, service: 'registry', issuer: 'test', certificate },
    certificate, key,
    seen: server.seen,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}
