/** For tests: an HTTP server on loopback that answers as the test says. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestServer extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  host: string;
  /** Every request so far. */
  seen: { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }[];
}

type Handler = (request: IncomingMessage & { body: Buffer }, response: ServerResponse) => void | Promise<void>;

export async function serve(handler: Handler, address: string = '127.0.0.1', port: number = 0): Promise<TestServer> {
  const seen: TestServer['seen'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      void Promise.resolve(handler(Object.assign(request, { body }), response)).catch(() => response.destroy());
    });
    request.on('error', () => {});
    response.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return {
    host: `${address}:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
