/** For tests: a server in front of another one on loopback that passes requests on and keeps what they asked for. */
import { request as ask } from 'node:http';
import { serve } from './serve.ts';

export interface CountedServer extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  host: string;
  /** `HEAD /v2/app/manifests/1` since the last call. */
  taken(): string[];
}

/** `host` is where the requests go. The host that clients ask for is passed on, so that redirects lead here again. */
export async function countRequests(host: string): Promise<CountedServer> {
  const [address, port] = host.split(':') as [string, string];
  let count = 0;
  const server = await serve((request, response) => {
    const { method, url: path, headers } = request;
    const passed = ask({ host: address, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    passed.end(request.body);
  });
  return {
    host: server.host,
    taken() {
      const since = server.seen.slice(count).map(({ method, url }) => `${method} ${url}`);
      count = server.seen.length;
      return since;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
