/**
 * A registry from its options to its end: storage, hooks, app and server put together. Parts that are configured are
 * opened here, and closed in the opposite order.
 */
import { SiruError } from '../base/errors.ts';
import { createApp } from './app.ts';
import type { AppOptions } from './app.ts';
import { openFileStorage } from './files/open.ts';
import { startServer } from './server.ts';
import type { RegistryServer } from './server.ts';

export interface ServeOptions extends Omit<AppOptions, 'storage'> {
  root: string;
  listen: string;
  tls?: { certificate: string; key: string };
  /** Fires when it shall end. */
  signal: AbortSignal;
  /** Milliseconds that running requests have then. */
  grace: number;
  /** Told of what goes wrong in the background. */
  onError: (error: unknown) => void;
  /** Called when it listens. */
  onListening: (server: RegistryServer) => void;
}

/** Returns when the signal has fired and all is written; gives the number of requests that were cut. */
export async function serveRegistry(options: ServeOptions): Promise<number> {
  const { root, listen, tls, signal, grace, onError, onListening, ...hooks } = options;
  if (signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: signal.reason });
  await using storage = await openFileStorage({ root, onError });
  const app = createApp({ ...hooks, storage });
  const server = await startServer({ app, listen, ...(tls && { tls }) });
  onListening(server);
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  return server.stop(grace);
}
