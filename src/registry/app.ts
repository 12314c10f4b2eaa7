/**
 * The registry as one function from a request to its answer. It listens nowhere: server.ts does, and tests may.
 *
 *     const app = createApp({ storage, access, groups: [metricsPages], onEvent: [audit, metrics.count] })
 *     http.createServer(app.handle)
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isSiruError } from '../base/errors.ts';
import { everybody } from './context.ts';
import type { AppContext } from './context.ts';
import { answerRefusal } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Access, EventSink, RouteGroup, ServerEvent, Upstream } from './hooks.ts';
import { Refusal } from './refusal.ts';
import { parseRoute } from './route.ts';
import type { Route } from './route.ts';
import { answerBase } from './routes/base.ts';
import { answerBlob } from './routes/blobs.ts';
import { answerCatalog } from './routes/catalog.ts';
import { answerManifest } from './routes/manifests.ts';
import { answerReferrers } from './routes/referrers.ts';
import { answerTags } from './routes/tags.ts';
import { answerUpload, answerUploads } from './routes/uploads.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import { StorageError, isDiskFull } from './storage-error.ts';
import type { Storage } from './storage.ts';

export interface AppOptions {
  storage: Storage;
  access?: Access;
  upstream?: Upstream;
  groups?: readonly RouteGroup[];
  /** True: nothing but the groups is here. */
  groupsOnly?: boolean;
  onEvent?: readonly EventSink[];
  settings?: Partial<Settings>;
}

export interface App {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Requests that are not answered yet. */
  readonly inFlight: number;
}

export function createApp(options: AppOptions): App {
  const sinks = options.onEvent ?? [];
  let inFlight = 0;
  const context: AppContext = {
    storage: options.storage,
    access: options.access ?? everybody,
    upstream: options.upstream,
    groups: options.groups ?? [],
    settings: { ...defaultSettings, ...options.settings },
    emit: (event: ServerEvent) => {
      for (const sink of sinks) sink(event);
    },
    inFlight: () => inFlight,
  };
  const find = options.groupsOnly ? (): undefined => undefined : parseRoute;
  return {
    get inFlight() {
      return inFlight;
    },
    handle(request, response) {
      inFlight++;
      void serve(context, find, request, response).finally(() => inFlight--);
    },
  };
}

async function serve(context: AppContext, find: typeof parseRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const at = Date.now();
  const begun = performance.now();
  const remote = context.access.addressOf?.(request) ?? request.socket.remoteAddress;
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const exchange: Exchange = {
    id: randomUUID(),
    request,
    response,
    method: request.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    user: undefined,
    repository: undefined,
    bytesIn: 0,
    bytesOut: 0,
  };
  response.setHeader('x-request-id', exchange.id);
  // A client that goes away is told by the reading or the writing that it breaks.
  response.on('error', () => {});
  let route = 'unknown';
  let fault: unknown;
  let told: string | undefined;
  try {
    const group = context.groups.find((one) => one.matches(exchange.path));
    if (group !== undefined) {
      route = group.name;
      await group.handle(exchange, context);
    } else {
      response.setHeader('docker-distribution-api-version', 'registry/2.0');
      refuseOtherSites(exchange);
      const parsed = find(exchange.path);
      if (parsed === undefined) throw new Refusal('UNSUPPORTED', `there is nothing at ${exchange.path.slice(0, 300)}`, { status: 404 });
      route = parsed.route;
      if ('repository' in parsed) exchange.repository = parsed.repository;
      exchange.user = await context.access.identify(request);
      await dispatch(context, exchange, parsed);
    }
  } catch (error) {
    // A client that went away is no fault, and cannot be answered.
    if (!isGone(exchange)) {
      const refusal = refusalOf(error, exchange);
      if (refusal.status >= 500) fault = error;
      told = refusal.message;
      answerRefusal(exchange, refusal);
    }
  }
  if (!response.writableFinished && !response.destroyed) await new Promise<void>((resolve) => response.once('close', resolve));
  context.emit({
    type: 'request', id: exchange.id, at, method: exchange.method, path: exchange.path, route, repository: exchange.repository,
    status: response.headersSent ? response.statusCode : 0,
    broken: !response.writableFinished,
    user: exchange.user?.name, remote, agent: request.headers['user-agent'],
    bytesIn: exchange.bytesIn, bytesOut: exchange.bytesOut, milliseconds: performance.now() - begun, refusal: told, error: fault,
  });
}

/**
 * A browser that knows the user's password sends it along with what pages of other sites ask for; the registry's own pages only
 * ever come from itself. Clients do not send this header. Throws DENIED.
 */
function refuseOtherSites({ method, request }: Exchange): void {
  const site = request.headers['sec-fetch-site'];
  if (method === 'GET' || method === 'HEAD' || site === undefined || site === 'same-origin' || site === 'none') return;
  throw new Refusal('DENIED', 'pages of other sites cannot change anything here');
}

function isGone({ request, response }: Exchange): boolean {
  return response.destroyed || request.socket.destroyed || (request.destroyed && !request.complete);
}

function dispatch(context: AppContext, exchange: Exchange, route: Route): void | Promise<void> {
  switch (route.route) {
    case 'base': return answerBase(context, exchange);
    case 'catalog': return answerCatalog(context, exchange);
    case 'manifest': return answerManifest(context, exchange, route);
    case 'blob': return answerBlob(context, exchange, route);
    case 'uploads': return answerUploads(context, exchange, route.repository);
    case 'upload': return answerUpload(context, exchange, route);
    case 'tags': return answerTags(context, exchange, route.repository);
    case 'referrers': return answerReferrers(context, exchange, route);
  }
}

/** What the client is told. The reason of a fault of our own stays in the log. */
function refusalOf(error: unknown, exchange: Exchange): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StorageError) {
    const { about } = error;
    switch (about.fault) {
      case 'DIGEST': return new Refusal('DIGEST_INVALID', `the bytes have the digest ${about.actual}`, { detail: { digest: about.expected, actual: about.actual } });
      case 'RANGE': return new Refusal('RANGE_INVALID', `${about.size} bytes are here: the next ones begin at ${about.size}`, { headers: rangeOf(about.size, exchange.path) });
      case 'BUSY': return new Refusal('UNAVAILABLE', 'another request is writing to this upload', { headers: { 'retry-after': '1' } });
      case 'MISSING': return missing([...about.blobs, ...about.manifests]);
    }
  }
  if (isDiskFull(error)) return new Refusal('UNAVAILABLE', 'the registry has no room left', { status: 507, cause: error });
  if (isSiruError(error) && error.code === 'DOCUMENT') return new Refusal('MANIFEST_INVALID', error.message, { cause: error });
  return new Refusal('UNKNOWN', `the registry failed; its log tells more under ${exchange.id}`, { cause: error });
}

function rangeOf(size: number, path: string): Record<string, string> {
  return { range: `0-${Math.max(0, size - 1)}`, location: path };
}

function missing(digests: readonly string[]): Refusal {
  return new Refusal('MANIFEST_BLOB_UNKNOWN', `the repository does not have ${digests.slice(0, 3).join(', ')}${digests.length > 3 ? ` and ${digests.length - 3} more` : ''}`, { detail: { digests: digests.slice(0, 100) } });
}
