/**
 * A registry from its configuration to its end: storage, hooks, app and server put together. Parts that are configured are
 * opened here, and closed in the opposite order.
 */
import { readFileSync } from 'node:fs';
import type { Server as TlsServer } from 'node:https';
import { SiruError, messageOf } from '../base/errors.ts';
import type { AccessConfiguration } from './access/configuration.ts';
import type { OpenedAccess } from './access/open-access.ts';
import { createApp } from './app.ts';
import type { App, AppOptions } from './app.ts';
import { auditFile, createAudit } from './audit.ts';
import type { Configuration } from './config/configuration.ts';
import { defaultRegistryRoot } from './default-root.ts';
import type { Core } from './files/core.ts';
import { openFileStorage } from './files/open.ts';
import { defaultInterval, policyOf } from './garbage/policy.ts';
import { scheduleCollections, watchClock } from './garbage/schedule.ts';
import { createPullNotes } from './retention/pull-notes.ts';
import type { EventSink, RouteGroup } from './hooks.ts';
import { createNursery } from './nursery.ts';
import { createHealthPages } from './operations/health-pages.ts';
import { createMetrics } from './operations/metrics-page.ts';
import type { Metrics, MetricsOptions } from './operations/metrics-page.ts';
import { searchRoute } from './routes/search.ts';
import { startServer } from './server.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';
import { readTlsFiles, watchTlsFiles } from './tls-files.ts';

export interface ServeOptions {
  configuration: Configuration;
  /** Fires when it shall end. */
  signal: AbortSignal;
  /** Told of what goes wrong in the background. */
  onError: (error: unknown) => void;
  /** Called when it listens. */
  onListening: (about: { address: string; root: string; secure: boolean; metrics: string | undefined }) => void;
  onEvent: readonly EventSink[];
}

const defaultGrace = 30_000;

/** Returns when the signal has fired and all is written; gives the number of requests that were cut. */
export async function serveRegistry({ configuration, signal, onError, onListening, onEvent }: ServeOptions): Promise<number> {
  if (signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: signal.reason });
  const { root = defaultRegistryRoot(), listen = '127.0.0.1:5000', grace = defaultGrace, tls } = configuration;
  const secret = tls && readTlsFiles(tls);
  await using storage = await openFileStorage({ root, onError, onGarbage: createNursery() });
  using pulls = createPullNotes(storage.core, onError);
  await using audit = configuration.audit && createAudit({ write: auditFile(configuration.audit.file, onError), pulls: configuration.audit.pulls ?? false });
  const opened = configuration.access && await openedAccess(configuration.access, root, storage, onError);
  await using upstream = configuration.upstreams && await (await import('./upstream/open-upstreams.ts')).openUpstreams({ upstreams: configuration.upstreams, storage, onError, isImmutable: await immutableOf(configuration.access) });
  const health = createHealthPages({ storage, signal, onError });
  const apart = configuration.metrics?.listen;
  let app: App;
  using metrics = createMetrics({ ...metricsOptions(configuration), inFlight: () => app.inFlight });
  const common: AppOptions = { storage, settings: settingsOf(configuration), ...(opened && { access: opened.access }), ...(upstream && { upstream }) };
  const groups = [health, ...(apart === undefined ? [metrics.page] : []), ...(opened?.groups ?? []), searchRoute, ...(await webPages(configuration))];
  const sinks = [...onEvent, metrics.count, pulls.sink, ...(audit ? [audit.sink] : [])];
  using _clock = watchClock(storage.core, onError);
  await using _collections = collectionsOf(configuration, storage.core, sinks, metrics, onError);
  await using _retention = await retentionOf(configuration, storage.core, sinks, onError);
  app = createApp({ ...common, groups, onEvent: sinks });
  await using server = await startServer({ app, listen, ...(secret && { tls: secret }) });
  using _watch = tls && watchTlsFiles(server.server as TlsServer, tls, onError);
  await using aside = apart === undefined ? undefined : await startServer({ app: createApp({ ...common, groups: [health, metrics.page], groupsOnly: true }), listen: apart });
  onListening({ address: server.address, root, secure: secret !== undefined, metrics: aside?.address });
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  // Waited for here: the storage is closed when this returns.
  return await server.stop(grace);
}

/** Manifests that a collection takes are told of as those that a user deletes; of blobs nobody keeps account. */
function collectionsOf({ garbage = {} }: Configuration, core: Core, sinks: readonly EventSink[], metrics: Metrics, onError: (error: unknown) => void): AsyncDisposable | undefined {
  const { schedule = true, interval = defaultInterval } = garbage;
  if (!schedule) return undefined;
  return scheduleCollections(core, {
    policy: policyOf(garbage), interval, onError,
    onOutcome: metrics.collected,
    onRemoved: ({ what, repository, digest, bytes }) => {
      metrics.removed({ what, bytes });
      if (what !== 'manifest') return;
      for (const sink of sinks) sink({ type: 'delete', kind: 'manifest', repository: repository!, digest, tags: [], bytes, user: 'collection', id: '', at: core.now() });
    },
  });
}

/** Tags that retention takes are told of as those that a user deletes. */
async function retentionOf({ retention, access }: Configuration, core: Core, sinks: readonly EventSink[], onError: (error: unknown) => void): Promise<AsyncDisposable | undefined> {
  const { interval, policies = [] } = retention ?? {};
  if (interval === undefined || policies.length === 0) return undefined;
  const { scheduleRetention } = await import('./retention/schedule.ts');
  const isImmutable = await immutableOf(access);
  return scheduleRetention(core, interval, {
    policies,
    ...(isImmutable && { isImmutable }),
    onGone: ({ repository, tag, digest }) => {
      for (const sink of sinks) sink({ type: 'delete', kind: 'tag', repository, digest, tags: [tag], bytes: 0, user: 'retention', id: '', at: core.now() });
    },
  }, onError);
}

async function immutableOf({ immutable }: AccessConfiguration = {}): Promise<((repository: string, tag: string) => boolean) | undefined> {
  return immutable && (await import('./access/immutable-tags.ts')).createImmutable(immutable);
}

async function webPages({ web = {} }: Configuration): Promise<RouteGroup[]> {
  if (web.serve === false) return [];
  const { createWebPages } = await import('./web/web-pages.ts');
  return [createWebPages(web.host === undefined ? {} : { host: web.host })];
}

function metricsOptions({ metrics = {} }: Configuration): MetricsOptions {
  const { public: isPublic, token } = metrics;
  return {
    ...(isPublic !== undefined && { public: isPublic }),
    ...(token !== undefined && { token: readToken(token) }),
  };
}

async function openedAccess(configuration: AccessConfiguration, root: string, storage: Storage, onError: (error: unknown) => void): Promise<OpenedAccess> {
  const { openAccess } = await import('./access/open-access.ts');
  return openAccess({ configuration, root, usage: (which) => storage.repositories.usage(which), onError });
}

function settingsOf({ delete: deletes, require }: Configuration): Settings {
  return {
    deletes: deletes ?? defaultSettings.deletes,
    requireBlobs: require?.blobs ?? defaultSettings.requireBlobs,
    requireManifests: require?.manifests ?? defaultSettings.requireManifests,
  };
}

function readToken(path: string): string {
  const token = readText(path).trim();
  if (!/^[\x21-\x7e]{16,}$/.test(token)) throw new SiruError('CONFIG', `${path} has no token`, { hint: 'Write 16 visible characters or more into it, as from: openssl rand -hex 32' });
  return token;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SiruError('CONFIG', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}
