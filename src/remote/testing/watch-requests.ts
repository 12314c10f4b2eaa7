/** For tests: stands before a registry on loopback and notes each request. */
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WatchedRegistry extends AsyncDisposable {
  host: string;
  /** `METHOD url` of each request so far. */
  requests: string[];
}

export async function watchRequests(host: string): Promise<WatchedRegistry> {
  const requests: string[] = [];
  const server = createServer((inner, answer) => {
    requests.push(`${inner.method} ${inner.url}`);
    const outer = send(`http://${host}${inner.url}`, { method: inner.method, headers: inner.headers, agent: false }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    outer.on('error', () => answer.destroy());
    inner.on('error', () => outer.destroy());
    inner.pipe(outer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
