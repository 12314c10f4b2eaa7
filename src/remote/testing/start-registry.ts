/**
 * For tests: a real registry (Debian's docker-registry) on loopback, in a temporary folder. Tests that need it skip when
 * `registryMissing()` gives a reason.
 *
 *     const registry = await startRegistry()
 *     ... push to `${registry.host}/group/app:1` ...
 *     await registry.stop()
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  host: string;
  /** Folder of its data. */
  root: string;
  stop(): Promise<void>;
}

export interface TestRegistryOptions {
  /** Asks for `tester` with the password `secret` (basic authentication). */
  basic?: boolean;
  /** Asks for tokens of this server; see startTokenServer. */
  token?: { realm: string; service: string; issuer: string; certificate: string };
  /** Serves TLS with this certificate and key (paths of PEM files). */
  tls?: { certificate: string; key: string };
}

/** Why there can be no registry here, for `test(..., { skip })`; false when there can. */
export function registryMissing(): string | false {
  return spawnSync('docker-registry', ['--version'], { stdio: 'ignore' }).error ? 'docker-registry is not installed' : false;
}

// bcrypt of "secret"
const htpasswd = 'tester:$2y$04$VVmYdzPAT1lOZzZu1hPhEePH6UJ3eMJ/CqbrYLs4XZtCg9el/cjfO\n';

export async function startRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const root = mkdtempSync(join(tmpdir(), 'siru-registry-'));
  const lines = [
    'version: 0.1',
    'log: { level: info, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: ${JSON.stringify(join(root, 'data'))} }, delete: { enabled: true } }`,
    'http:',
    '  addr: 127.0.0.1:0',
  ];
  if (options.tls) lines.push(`  tls: { certificate: ${JSON.stringify(options.tls.certificate)}, key: ${JSON.stringify(options.tls.key)} }`);
  if (options.basic) {
    writeFileSync(join(root, 'htpasswd'), htpasswd);
    lines.push(`auth: { htpasswd: { realm: test, path: ${JSON.stringify(join(root, 'htpasswd'))} } }`);
  }
  if (options.token) {
    const { realm, service, issuer, certificate } = options.token;
    lines.push(`auth: { token: { realm: ${JSON.stringify(realm)}, service: ${JSON.stringify(service)}, issuer: ${JSON.stringify(issuer)}, rootcertbundle: ${JSON.stringify(certificate)} } }`);
  }
  const file = join(root, 'config.yml');
  writeFileSync(file, `${lines.join('\n')}\n`);

  const child = spawn('docker-registry', ['serve', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' },
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const port = await new Promise<string>((resolve, reject) => {
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (log === '' || log.length < 100_000) log += text;
      const found = /listening on (?:\S*):(\d+)/.exec(log);
      if (found) resolve(found[1]!);
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`docker-registry ended: ${log}`)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(root, { recursive: true, force: true });
  };
  return { host: `127.0.0.1:${port}`, root: join(root, 'data'), stop, [Symbol.asyncDispose]: stop };
}
