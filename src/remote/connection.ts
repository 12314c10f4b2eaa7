/** Requests to a registry's interface: scheme, authorization and refusals in one place, for the files of one noun each. */
import type { Context } from '../base/context.ts';
import { SiruError, isSiruError } from '../base/errors.ts';
import type { Reference } from '../oci/reference.ts';
import { createAuthorizer } from './auth.ts';
import type { RegistryConfiguration } from './configuration.ts';
import type { Credentials } from './credentials.ts';
import { endpointsOf } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { parseServerErrors, refusal } from './errors.ts';
import type { Subject } from './errors.ts';
import { isScarce, parseRateLimit, rateLimitText } from './rate-limit.ts';
import { createTransport, discard, readDocument } from './transport.ts';
import type { HttpRequest, HttpResponse, Transport, TransportOptions } from './transport.ts';

export interface ApiRequest extends Omit<HttpRequest, 'url'> {
  /** Below `/v2/<repository>/`, or an address that the registry gave; with a `/` before it, below the host. */
  at: string | URL;
  /** Absent for what is of the registry as a whole: `at` is then below `/v2/`. */
  repository?: string;
  scopes: readonly string[];
  /** Statuses that are an answer; all others are thrown as RegistryError. */
  accept: readonly number[];
  about: Pick<Subject, 'action' | 'what'>;
}

export interface Connection {
  readonly configuration: RegistryConfiguration;
  readonly transport: Transport;
  send(endpoint: Endpoint, request: ApiRequest, context: Context): Promise<HttpResponse>;
  /** GET /v2/ with the credentials there are; throws AUTH when the registry refuses them. */
  ping(endpoint: Endpoint, context: Context): Promise<void>;
  /** Tries the mirrors and then the registry itself, and gives the first answer. */
  first<T>(reference: Pick<Reference, 'domain'>, context: Context, ask: (endpoint: Endpoint) => Promise<T>): Promise<T>;
  close(): void;
}

export interface ConnectionOptions extends TransportOptions {
  configuration: RegistryConfiguration;
  /** By the registry's name in references. */
  credentials: (registry: string) => Promise<Credentials | undefined>;
}

const errorLimit = 64 * 1024;

export function createConnection(options: ConnectionOptions): Connection {
  const { configuration } = options;
  const transport = createTransport({ ...options, certificates: configuration.certificates });
  const names = new Map<string, Endpoint>();
  const schemes = new Map<string, Promise<'http' | 'https'>>();
  const unreachableMirrors = new Map<string, SiruError>();
  /** Hosts whose limit was told. */
  const scarce = new Set<string>();
  const secrets = new Map<string, Promise<Credentials | undefined>>();

  const authorizer = createAuthorizer({
    transport,
    nameOf: (host) => names.get(host)?.registry ?? host,
    unverified: (host) => names.get(host)?.unverified ?? false,
    credentials(host) {
      const registry = names.get(host)?.registry ?? host;
      let found = secrets.get(registry);
      if (!found) secrets.set(registry, (found = options.credentials(registry)));
      return found;
    },
  });

  /** https, unless the host may be spoken to in plain HTTP and does not answer a TLS greeting. */
  const schemeOf = (endpoint: Endpoint, context: Context): Promise<'http' | 'https'> => {
    if (endpoint.scheme === 'http' && !endpoint.plain) {
      throw new SiruError('CONFIG', `plain HTTP to ${endpoint.host} is not allowed`, {
        hint: `set "insecure": true for ${endpoint.host} in the configuration file to allow it`,
      });
    }
    if (endpoint.scheme !== undefined) return Promise.resolve(endpoint.scheme);
    if (!endpoint.plain) return Promise.resolve('https');
    let found = schemes.get(endpoint.host);
    if (!found) {
      schemes.set(endpoint.host, (found = probeScheme(endpoint, transport, context)));
      found.catch(() => schemes.delete(endpoint.host));
    }
    return found;
  };

  const authorized = async (endpoint: Endpoint, request: HttpRequest, scopes: readonly string[], context: Context): Promise<HttpResponse> => {
    const { host } = request.url;
    // An upload location on another host is taken without credentials, as a redirect would be.
    const own = host === endpoint.host || `${request.url.hostname}:${request.url.protocol === 'https:' ? 443 : 80}` === endpoint.host;
    names.set(endpoint.host, endpoint);
    const full = { ...request, unverified: endpoint.unverified };
    if (!own) return await transport.send(full, context);
    const header = await authorizer.header(endpoint.host, scopes, context);
    const withHeader = (value: string | undefined): HttpRequest => (value === undefined ? full : { ...full, headers: { ...full.headers, authorization: value } });
    const response = await transport.send(withHeader(header), context);
    // A 401 from where a redirect led is that host's affair.
    if (response.status !== 401 || response.url.origin !== request.url.origin) return response;
    if (request.body !== undefined && !(request.body instanceof Uint8Array)) return response;
    const answer = await authorizer.answer(endpoint.host, response, scopes, header, context);
    if (answer === undefined) return response;
    discard(response);
    return await transport.send(withHeader(answer), context);
  };

  return {
    configuration,
    transport,

    async send(endpoint, request, context) {
      const { at, repository, scopes, accept, about, ...rest } = request;
      const path = repository === undefined ? '' : `${endpoint.prefix}${repository}/`;
      const url = at instanceof URL ? at : new URL(`${await schemeOf(endpoint, context)}://${endpoint.host}${at.startsWith('/') ? at : `/v2/${path}${at}`}`);
      const attempts = endpoint.mirror ? 2 : undefined;
      const subject = { ...about, registry: endpoint.registry, repository };
      let response: HttpResponse;
      try {
        response = await authorized(endpoint, { attempts, ...rest, url }, scopes, context);
      } catch (error) {
        // The token server knows only that it refuses; what was refused is known here.
        if (isSiruError(error) && error.code === 'AUTH' && 'status' in error) {
          throw refusal(subject, Number(error.status), (error as { errors?: [] }).errors ?? [], url);
        }
        throw error;
      }
      const rate = parseRateLimit(response.headers);
      if (accept.includes(response.status)) {
        if (rate && isScarce(rate) && !scarce.has(endpoint.host)) {
          scarce.add(endpoint.host);
          context.emit({ type: 'status', text: `${endpoint.registry}: ${rateLimitText(rate)}` });
        }
        return response;
      }
      const body = request.method === 'HEAD' ? Buffer.alloc(0) : await readDocument(response, errorLimit, 'the error', context).catch(() => Buffer.alloc(0));
      throw refusal({ ...subject, rate, retryAfter: response.headers['retry-after'] }, response.status, parseServerErrors(body), response.url);
    },

    async ping(endpoint, context) {
      const url = new URL(`${await schemeOf(endpoint, context)}://${endpoint.host}/v2/`);
      const response = await authorized(endpoint, { method: 'GET', url }, [], context);
      const body = await readDocument(response, errorLimit, 'the answer', context).catch(() => Buffer.alloc(0));
      if (response.status !== 200) throw refusal({ registry: endpoint.registry, action: 'ping' }, response.status, parseServerErrors(body), response.url);
    },

    async first(reference, context, ask) {
      const failures: { endpoint: Endpoint; error: SiruError }[] = [];
      for (const endpoint of endpointsOf(reference, configuration, 'pull')) {
        try {
          const known = unreachableMirrors.get(endpoint.host);
          if (known) throw known;
          return await ask(endpoint);
        } catch (error) {
          if (!isSiruError(error) || error.code === 'CANCELLED' || context.signal.aborted) throw error;
          if (endpoint.mirror && error.code === 'NETWORK') unreachableMirrors.set(endpoint.host, error);
          failures.push({ endpoint, error });
        }
      }
      const { error } = failures.at(-1)!;
      if (failures.length === 1) throw error;
      // The registry itself may be out of reach by design; then a mirror's word is the one that counts.
      const telling = error.code === 'NETWORK' ? failures.find((failure) => failure.error.code !== 'NETWORK') : undefined;
      throw new SiruError((telling?.error ?? error).code, failures.map((failure) => `${failure.endpoint.mirror ? `mirror ${failure.endpoint.host}` : failure.endpoint.host}: ${failure.error.message}`).join('; '), {
        cause: error,
        hint: (telling?.error ?? error).hint,
      });
    },

    close: () => transport.close(),
  };
}

async function probeScheme(endpoint: Endpoint, transport: Transport, context: Context): Promise<'http' | 'https'> {
  try {
    discard(await transport.send({ method: 'GET', url: new URL(`https://${endpoint.host}/v2/`), unverified: endpoint.unverified, attempts: 1 }, context));
    return 'https';
  } catch (error) {
    const code = (isSiruError(error) ? (error.cause as { code?: unknown } | undefined)?.code : undefined) ?? '';
    // Only a host that was reached and did not answer in TLS; a bad certificate is no reason to give up secrecy.
    if (typeof code === 'string' && /^(?:EPROTO|ECONNRESET|EPIPE|ERR_SSL_(?!.*_ALERT_).*)$/.test(code)) return 'http';
    throw error;
  }
}
