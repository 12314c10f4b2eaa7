/**
 * For tests: a registry server of our own on loopback, over a temporary root.
 *
 *     await using registry = await startTestServer()
 *     const response = await fetch(`${registry.url}/v2/`)
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../app.ts';
import type { AppOptions } from '../app.ts';
import { openFileStorage } from '../files/open.ts';
import type { FileStorage } from '../files/open.ts';
import type { ServerEvent } from '../hooks.ts';
import { startServer } from '../server.ts';

export interface TestServer extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  host: string;
  /** `http://127.0.0.1:<port>`. */
  url: string;
  root: string;
  storage: FileStorage;
  events: ServerEvent[];
}

export async function startTestServer(options: Partial<AppOptions> & { root?: string } = {}): Promise<TestServer> {
  const root = options.root ?? mkdtempSync(join(tmpdir(), 'siru-server-'));
  const storage = await openFileStorage({ root, durable: false, onError: (error) => console.error(error) });
  const events: ServerEvent[] = [];
  const app = createApp({ ...options, storage, onEvent: [...(options.onEvent ?? []), (event) => events.push(event)] });
  const server = await startServer({ app, listen: '127.0.0.1:0' });
  return {
    host: server.address,
    url: `http://${server.address}`,
    root,
    storage,
    events,
    async [Symbol.asyncDispose]() {
      await server.stop(0);
      await storage[Symbol.asyncDispose]();
      if (options.root === undefined) rmSync(root, { recursive: true, force: true });
    },
  };
}
