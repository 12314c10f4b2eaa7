/**
 * For tests: a registry that keeps what came of an upload that broke off, as the specification has it and docker-registry has
 * not, and that counts. It stops reading where a test wants to end the client.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface KeepingRegistry extends AsyncDisposable {
  host: string;
  /** Bytes of blobs that came in. */
  received: number;
  /** `METHOD path` of each request. */
  requests: string[];
  blobs: Map<string, Buffer>;
  manifests: Map<string, Buffer>;
  /** Resolves when this many bytes have come in all; nothing more is read until `go` is called. */
  stopAt(bytes: number): Promise<void>;
  go(): void;
  /** Forgets the uploads, as a registry that was started anew. */
  forget(): void;
  /** Closes every connection. */
  cut(): void;
}

export async function startKeepingRegistry(): Promise<KeepingRegistry> {
  const uploads = new Map<string, Buffer[]>();
  let ids = 0;
  let stop: { at: number; reached: () => void; resume: Promise<void>; go: () => void } | undefined;
  const sizeOf = (chunks: Buffer[]): number => chunks.reduce((sum, { length }) => sum + length, 0);
  const read = async (request: IncomingMessage, into: Buffer[]): Promise<void> => {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      into.push(chunk);
      registry.received += chunk.length;
      if (stop && registry.received >= stop.at) {
        stop.reached();
        await stop.resume;
      }
    }
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', headers } = request;
    const url = new URL(request.url ?? '', 'http://x');
    registry.requests.push(`${method} ${url.pathname}`);
    const answer = (status: number, more: Record<string, string> = {}): void => void response.writeHead(status, more).end();
    const upload = /^(.*\/blobs\/uploads\/)(\d*)$/.exec(url.pathname);
    const named = /\/(blobs|manifests)\/([^/]+)$/.exec(url.pathname);
    if (upload && method === 'POST') {
      uploads.set(String(++ids), []);
      return answer(202, { location: `${upload[1]}${ids}` });
    }
    if (upload) {
      const chunks = uploads.get(upload[2]!);
      if (!chunks) return answer(404);
      const have = sizeOf(chunks);
      const here = { location: url.pathname, range: `0-${Math.max(0, have - 1)}` };
      if (method === 'GET') return answer(204, here);
      const from = /^(\d+)-/.exec(headers['content-range'] ?? '')?.[1];
      if (method === 'PATCH' && Number(from ?? 0) !== have) return answer(416, here);
      await read(request, chunks);
      if (method === 'PATCH') return answer(202, { ...here, range: `0-${sizeOf(chunks) - 1}` });
      const bytes = Buffer.concat(chunks);
      const digest = url.searchParams.get('digest') ?? '';
      uploads.delete(upload[2]!);
      if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest) return answer(400);
      registry.blobs.set(digest, bytes);
      return answer(201, { location: `${upload[1]}../${digest}` });
    }
    if (named?.[1] === 'manifests' && method === 'PUT') {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      registry.manifests.set(named[2]!, Buffer.concat(chunks));
      return answer(201);
    }
    const found = named?.[1] === 'blobs' ? registry.blobs.get(named[2]!) : named && registry.manifests.get(named[2]!);
    if (!found) return answer(404);
    response.writeHead(200, { 'content-length': String(found.length), 'docker-content-digest': `sha256:${createHash('sha256').update(found).digest('hex')}` });
    response.end(method === 'HEAD' ? undefined : found);
  };
  const server = createServer((request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry: KeepingRegistry = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: 0,
    requests: [],
    blobs: new Map(),
    manifests: new Map(),
    stopAt(at) {
      const { promise: resume, resolve: go } = Promise.withResolvers<void>();
      const { promise, resolve: reached } = Promise.withResolvers<void>();
      stop = { at, reached, resume, go };
      return promise;
    },
    go() {
      stop?.go();
      stop = undefined;
    },
    forget: () => uploads.clear(),
    cut: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      registry.go();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}
