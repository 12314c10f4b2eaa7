/**
 * Listening, and ending: no new connection is taken, requests that run get a time to finish, and uploads that break off
 * then stay as they are, to be resumed.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SiruError, errnoOf } from '../base/errors.ts';
import type { App } from './app.ts';
import { secureContextOf } from './tls-files.ts';
import type { TlsFiles } from './tls-files.ts';

export interface ServerOptions {
  app: App;
  /** `127.0.0.1:5000`, `:5000` for all addresses, `[::1]:5000`; port 0 is any free one. */
  listen: string;
  /** PEM. */
  tls?: TlsFiles;
}

/** Disposing of it stops it at once. */
export interface RegistryServer extends AsyncDisposable {
  /** `127.0.0.1:5000`: where it listens in fact. */
  address: string;
  /** For what changes while it listens: certificates. */
  server: Server | TlsServer;
  /** Ends it; requests that run have `grace` milliseconds. Gives the number of those that were cut. */
  stop(grace: number): Promise<number>;
}

/** Milliseconds until the head of a request is here. Bodies may take as long as bytes keep coming. */
const headTime = 30_000;
/** Milliseconds without a byte in either direction, after which a connection with a request is cut. */
const idleTime = 120_000;
/** Milliseconds that an idle connection is kept for the next request. */
const keepAliveTime = 65_000;

/** Throws USAGE for an address that is none, NETWORK when it cannot be listened at. */
export async function startServer({ app, listen, tls }: ServerOptions): Promise<RegistryServer> {
  const { host, port } = parseAddress(listen);
  const handle = (request: IncomingMessage, response: ServerResponse): void => app.handle(request, response);
  const options = { requestTimeout: 0, headersTimeout: headTime, keepAliveTimeout: keepAliveTime, noDelay: true };
  const server = tls ? createTlsServer({ ...options, ...secureContextOf(tls), requestCert: tls.clients !== undefined, rejectUnauthorized: true }, handle) : createServer(options, handle);
  server.timeout = idleTime;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new SiruError('NETWORK', `cannot listen at ${listen}: ${reasonOf(error)}`, {
      hint: errnoOf(error) === 'EADDRINUSE' ? 'Another program listens there; choose another address with --listen.' : undefined,
      cause: error,
    })));
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  const result: RegistryServer = {
    [Symbol.asyncDispose]: async () => void (await result.stop(0)),
    address: `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    server,
    async stop(grace) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // Connections whose request ends now are kept alive otherwise.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      let cut = 0;
      const deadline = setTimeout(() => {
        cut = app.inFlight;
        server.closeAllConnections();
      }, grace);
      await closed;
      clearInterval(sweep);
      clearTimeout(deadline);
      while (app.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      return cut;
    },
  };
  return result;
}

/** Throws USAGE. */
export function parseAddress(text: string): { host: string | undefined; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new SiruError('USAGE', `${JSON.stringify(text)} is no address to listen at`, { hint: 'Write host:port, as in 127.0.0.1:5000, [::1]:5000, or :5000 for every address of the machine.' });
  }
  return { host: match[1] ?? (match[2] || undefined), port };
}

function reasonOf(error: Error): string {
  const words: Record<string, string> = { EADDRINUSE: 'the address is in use', EACCES: 'permission denied', EADDRNOTAVAIL: 'this machine does not have the address', ENOTFOUND: 'no such host' };
  return words[errnoOf(error) ?? ''] ?? error.message;
}
