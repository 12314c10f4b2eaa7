/**
 * HTTP as registries need it, over node:http: redirects that carry no credentials to other hosts, retries of what may be
 * repeated, proxies, time limits, and replies whose size is bounded. It knows nothing of registries.
 */
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { checkCancelled } from '../base/context.ts';
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { createAgents } from './agents.ts';
import type { Trust } from './agents.ts';
import { certificatesFor } from './certificates.ts';
import type { HostCertificates } from './certificates.ts';
import { codeOf, isCertificateCode, redactUrl, unreachable } from './errors.ts';
import { checkTarget } from './hosts.ts';
import { proxyFor } from './proxy.ts';
import { defaultRetry, isAway, retryableCode, retryableStatus, sleep, waitBefore } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import { version } from '../base/version.ts';

export interface HttpRequest {
  method: string;
  url: URL;
  headers?: Record<string, string>;
  /** Bytes may be sent again after a fault or a redirect; a stream is sent once. */
  body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Accept any certificate. */
  unverified?: boolean;
  /** Milliseconds without a byte before the request fails. */
  timeout?: number;
  /** Fewer attempts than the client's policy says. */
  attempts?: number;
}

export interface HttpResponse {
  status: number;
  headers: IncomingMessage['headers'];
  /** Where it came from in the end. */
  url: URL;
  /** Must be read to its end or given to discard(). */
  body: IncomingMessage;
}

export interface Transport {
  /** Any status is an answer. Throws NETWORK when there was none, CANCELLED when the context's signal fired. */
  send(request: HttpRequest, context: Context): Promise<HttpResponse>;
  readonly retry: RetryPolicy;
  close(): void;
}

export interface TransportOptions {
  environment?: Readonly<Record<string, string | undefined>>;
  retry?: Partial<RetryPolicy>;
  /** Milliseconds without a byte before a request fails; 60 s when not given. */
  timeout?: number;
  /** Folders with certificates of hosts, looked into before the usual ones; see certificates.ts. */
  certificates?: readonly string[];
}

const redirects = new Set([301, 302, 303, 307, 308]);
const mostRedirects = 10;

export function createTransport(options: TransportOptions = {}): Transport {
  const environment = options.environment ?? process.env;
  const retry = { ...defaultRetry, ...options.retry };
  const agents = createAgents();
  const trustedBySystem = new Set<string>();
  /** Hosts that have answered: where nothing listens now, something is being started anew. */
  const known = new Set<string>();
  const certificates = new Map<string, HostCertificates | undefined>();
  let agentName: string | undefined;

  const exchange = async (request: HttpRequest, url: URL, headers: Record<string, string>, context: Context): Promise<HttpResponse> => {
    const trust: Trust = request.unverified ? 'none' : trustedBySystem.has(url.host) ? 'system' : 'default';
    if (url.protocol === 'https:' && !certificates.has(url.host)) certificates.set(url.host, certificatesFor(url, environment, options.certificates));
    const agent = await agents.get(url, proxyFor(url, environment), trust, certificates.get(url.host));
    const start = url.protocol === 'https:' ? (await import('node:https')).request : httpRequest;
    checkCancelled(context);
    try {
      const sent = start(url, { method: request.method, headers, agent, signal: context.signal } satisfies RequestOptions);
      const body = await answerOf(sent, request.body, request.timeout ?? options.timeout ?? 60_000);
      known.add(url.host);
      return { status: body.statusCode ?? 0, headers: body.headers, url, body };
    } catch (error) {
      // Reading the machine's own authorities takes a while, so that is done for the hosts that need it only.
      if (trust === 'default' && isCertificateCode(codeOf(error) ?? '') && repeatable(request.body)) {
        trustedBySystem.add(url.host);
        return await exchange(request, url, headers, context);
      }
      throw error;
    }
  };

  /** One attempt: the request and the redirects it leads to. */
  const follow = async (request: HttpRequest, context: Context): Promise<HttpResponse> => {
    let current = request;
    let { url } = request;
    const headers: Record<string, string> = { 'user-agent': (agentName ??= `siru/${version()}`), ...request.headers };
    for (let hop = 0; ; hop++) {
      const response = await exchange(current, url, headers, context);
      const { location } = response.headers;
      if (!redirects.has(response.status) || location === undefined) return response;
      // A 303, and what browsers made of 301 and 302, turns into a GET; a stream cannot be sent twice.
      const asGet = response.status === 303 || (response.status < 303 && current.method === 'POST');
      if (!asGet && !repeatable(current.body)) return response;
      discard(response);
      if (hop >= mostRedirects) throw new SiruError('REGISTRY', `${request.url.host} redirects in a circle: ${redactUrl(request.url)}`);
      const next = parseTarget(location, url);
      checkTarget(url, next, 'the place to go on');
      if (next.origin !== url.origin) {
        for (const name of Object.keys(headers)) if (/^(?:authorization|cookie|proxy-authorization)$/i.test(name)) delete headers[name];
      }
      if (asGet) current = { ...current, method: current.method === 'HEAD' ? 'HEAD' : 'GET', body: undefined };
      url = next;
    }
  };

  return {
    retry,
    async send(request, context) {
      const policy = { ...retry, attempts: Math.min(retry.attempts, request.attempts ?? retry.attempts) };
      for (let attempt = 1; ; attempt++) {
        checkCancelled(context);
        let wait: number | undefined;
        let why: string;
        try {
          const response = await follow(request, context);
          if (!retryableStatus(response.status) || !repeatable(request.body)) return response;
          wait = waitBefore(attempt, policy, response.headers['retry-after']);
          if (wait === undefined) return response;
          discard(response);
          why = `answered ${response.status}`;
        } catch (error) {
          if (context.signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: error });
          if (error instanceof SiruError) throw error;
          const code = codeOf(error);
          const again = (retryableCode(code) || (known.has(request.url.host) && isAway(code))) && repeatable(request.body);
          wait = again ? waitBefore(attempt, policy, undefined) : undefined;
          if (wait === undefined) throw unreachable(request.url, error, proxyFor(request.url, environment));
          why = 'did not answer';
        }
        context.emit({ type: 'status', text: `${request.url.host} ${why}; trying again in ${(wait / 1000).toFixed(1)} s` });
        await sleep(wait, context.signal).catch((cause: unknown) => {
          throw new SiruError('CANCELLED', 'cancelled', { cause });
        });
      }
    },
    close: () => agents.close(),
  };
}

/** Reads a reply that must be small. Throws DOCUMENT above the limit, NETWORK when it breaks off, CANCELLED. */
export async function readDocument(response: HttpResponse, limit: number, what: string, context: Context): Promise<Buffer> {
  const refuse = (): never => {
    response.body.destroy();
    throw new SiruError('DOCUMENT', `${what} from ${response.url.host} is larger than ${limit} bytes`, {
      hint: 'no honest registry sends such a document',
    });
  };
  if (Number(response.headers['content-length'] ?? 0) > limit) refuse();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) refuse();
      chunks.push(chunk);
    }
  } catch (error) {
    checkCancelled(context);
    throw error instanceof SiruError ? error : unreachable(response.url, error);
  }
  return Buffer.concat(chunks, size);
}

/** Gives up a reply: a short rest is read so that the connection can be used again, a long one is cut off. */
export function discard(response: HttpResponse): void {
  const { body } = response;
  body.on('error', () => {});
  if (Number(response.headers['content-length'] ?? Infinity) <= 65_536 || body.complete) body.resume();
  else body.destroy();
}

/** An address that a server gave, relative to where it gave it. */
export function parseTarget(location: string, base: URL): URL {
  if (!URL.canParse(location, base.href)) throw new SiruError('REGISTRY', `${base.host} names a place that is no URL`);
  return new URL(location, base);
}

function repeatable(body: HttpRequest['body']): boolean {
  return body === undefined || body instanceof Uint8Array;
}

function answerOf(sent: ClientRequest, body: HttpRequest['body'], timeout: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let answered = false;
    sent.setTimeout(timeout, () => sent.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })));
    sent.on('error', reject);
    sent.on('response', (response) => {
      answered = true;
      // A body that breaks off while nobody reads it must not bring the process down.
      response.on('error', () => {});
      resolve(response);
    });
    if (body === undefined || body instanceof Uint8Array) {
      sent.end(body);
      return;
    }
    // A fault of the source is the caller's own error and must come out as it is.
    pump(sent, body, () => answered).catch((error: unknown) => {
      reject(error);
      sent.destroy();
    });
  });
}

/** Writes a stream at the speed of the network; ends early when the server has answered or hung up already. */
async function pump(sent: ClientRequest, body: AsyncIterable<Uint8Array>, answered: () => boolean): Promise<void> {
  for await (const chunk of body) {
    if (sent.destroyed || answered()) break;
    if (!sent.write(chunk)) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          sent.off('drain', go).off('close', go).off('response', go);
          resolve();
        };
        sent.on('drain', go).on('close', go).on('response', go);
      });
    }
  }
  if (!sent.destroyed) sent.end();
}
