/**
 * A registry from its configuration to its end: storage, hooks, app and server put together. Parts that are configured are
 * opened here, and closed in the opposite order.
 */
import { readFileSync } from 'node:fs';
import { SiruError, messageOf } from '../base/errors.ts';
import { createApp } from './app.ts';
import type { Configuration } from './config/configuration.ts';
import { defaultRegistryRoot } from './default-root.ts';
import { openFileStorage } from './files/open.ts';
import type { EventSink } from './hooks.ts';
import { startServer } from './server.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings.ts';

export interface ServeOptions {
  configuration: Configuration;
  /** Fires when it shall end. */
  signal: AbortSignal;
  /** Told of what goes wrong in the background. */
  onError: (error: unknown) => void;
  /** Called when it listens. */
  onListening: (about: { address: string; root: string; secure: boolean }) => void;
  onEvent: readonly EventSink[];
}

const defaultGrace = 30_000;

/** Returns when the signal has fired and all is written; gives the number of requests that were cut. */
export async function serveRegistry({ configuration, signal, onError, onListening, onEvent }: ServeOptions): Promise<number> {
  if (signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: signal.reason });
  const { root = defaultRegistryRoot(), listen = '127.0.0.1:5000', grace = defaultGrace, tls } = configuration;
  const secret = tls && { certificate: readPem(tls.certificate), key: readPem(tls.key) };
  await using storage = await openFileStorage({ root, onError });
  const app = createApp({ storage, onEvent, settings: settingsOf(configuration) });
  const server = await startServer({ app, listen, ...(secret && { tls: secret }) });
  onListening({ address: server.address, root, secure: secret !== undefined });
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  // Waited for here: the storage is closed when this returns.
  return await server.stop(grace);
}

function settingsOf({ delete: deletes, require }: Configuration): Settings {
  return {
    deletes: deletes ?? defaultSettings.deletes,
    requireBlobs: require?.blobs ?? defaultSettings.requireBlobs,
    requireManifests: require?.manifests ?? defaultSettings.requireManifests,
  };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SiruError('CONFIG', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}
