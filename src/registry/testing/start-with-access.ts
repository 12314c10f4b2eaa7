/** For tests: a server with users, and what they send. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccessConfiguration } from '../access/configuration.ts';
import { openAccess } from '../access/open-access.ts';
import type { FileStorage } from '../files/open.ts';
import type { EventSink } from '../hooks.ts';
import { startTestServer } from './start-server.ts';
import type { TestServer } from './start-server.ts';

export interface AccessServer extends TestServer {
  folder: string;
  users: string;
  faults: unknown[];
}

export function basic(name: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

export async function writeUsers(path: string, users: Readonly<Record<string, string>>): Promise<void> {
  const { hash } = await import('bcryptjs');
  const lines = await Promise.all(Object.entries(users).map(async ([name, password]) => `${name}:${await hash(password, 4)}\n`));
  writeFileSync(path, lines.join(''));
}

/** Users ann (`apple`) and bob (`berry`), unless `users` is undefined. */
export async function startWithAccess(configuration: AccessConfiguration = {}, onEvent: readonly EventSink[] = []): Promise<AccessServer> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-access-'));
  const users = join(folder, 'users');
  await writeUsers(users, { ann: 'apple', bob: 'berry' });
  const faults: unknown[] = [];
  let storage: FileStorage | undefined;
  const opened = openAccess({
    configuration: { users, ...configuration },
    root: folder,
    usage: (which) => storage!.repositories.usage(which),
    onError: (error) => faults.push(error),
  });
  const server = await startTestServer({ ...opened, onEvent });
  ({ storage } = server);
  const stop = server[Symbol.asyncDispose].bind(server);
  return Object.assign(server, {
    folder, users, faults,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}
