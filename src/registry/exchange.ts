/** A request and its answer, on the way through the routes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { User } from './hooks.ts';
import { Refusal } from './refusal.ts';

export interface Exchange {
  /** Unique; sent back as `x-request-id`. */
  id: string;
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  /** As sent, without the query. */
  path: string;
  query: URLSearchParams;
  user: User | undefined;
  /** For the log; the routes fill it. */
  repository: string | undefined;
  bytesIn: number;
  bytesOut: number;
}

type Headers = Record<string, string | number>;

/** Bytes of a body that are read for nothing after a refusal, to keep the connection. */
const smallRest = 1024 * 1024;
/** Milliseconds that a client with a larger body has to notice the refusal. */
const patience = 5000;

/** Answers without a body. */
export function answer(exchange: Exchange, status: number, headers: Headers = {}): void {
  exchange.response.writeHead(status, status === 204 ? headers : { 'content-length': 0, ...headers });
  exchange.response.end();
}

/** Answers with bytes that are in memory; HEAD gets the headers alone. */
export function answerBytes(exchange: Exchange, status: number, bytes: Buffer, headers: Headers): void {
  exchange.response.writeHead(status, { ...headers, 'content-length': bytes.length });
  if (exchange.method === 'HEAD') {
    exchange.response.end();
    return;
  }
  exchange.bytesOut += bytes.length;
  exchange.response.end(bytes);
}

export function answerJson(exchange: Exchange, status: number, value: unknown, headers: Headers = {}): void {
  answerBytes(exchange, status, Buffer.from(JSON.stringify(value)), { 'content-type': 'application/json', ...headers });
}

/** The specification's error document. Where an answer has begun already, the connection is cut: nothing else can be said. */
export function answerRefusal(exchange: Exchange, refusal: Refusal): void {
  const { response, request } = exchange;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const headers: Headers = { ...refusal.headers };
  if (!request.complete && hasBody(request)) {
    // The client still sends. Closing at once would cut the answer off, so what comes is thrown away for a while.
    request.resume();
    if (!(Number(request.headers['content-length']) <= smallRest)) {
      headers.connection = 'close';
      const timer = setTimeout(() => request.socket.destroy(), patience);
      request.once('close', () => clearTimeout(timer));
    }
  }
  const { reason: code, message, detail } = refusal;
  answerJson(exchange, refusal.status, { errors: [detail === undefined ? { code, message } : { code, message, detail }] }, headers);
}

/** The body of a request, counted. Who stops reading can still answer. */
export async function* bodyOf(exchange: Exchange): AsyncGenerator<Buffer> {
  for await (const chunk of exchange.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    exchange.bytesIn += chunk.length;
    yield chunk;
  }
}

/** The whole body in memory, at most `limit` bytes. Throws SIZE_INVALID. */
export async function readBody(exchange: Exchange, limit: number, what: string): Promise<Buffer> {
  const tooLarge = (): Refusal => new Refusal('SIZE_INVALID', `the ${what} is larger than ${limit} bytes`, { status: 413 });
  if (Number(exchange.request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(exchange)) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}
