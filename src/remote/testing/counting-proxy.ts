/** For tests: stands before a server on loopback, counts the bytes both ways, and stops where a test wants to cut the line. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface CountingProxy extends AsyncDisposable {
  host: string;
  /** Bytes that came from clients. */
  up: number;
  /** Bytes that came from the server. */
  down: number;
  /** Resolves when so many bytes have come from there in all; no more are taken on the connections that are open then. */
  stopAt(direction: 'up' | 'down', bytes: number): Promise<void>;
}

export async function countingProxy(target: string): Promise<CountingProxy> {
  let stop: { direction: 'up' | 'down'; at: number; reached: () => void } | undefined;
  const sockets = new Set<Socket>();
  const pass = (direction: 'up' | 'down', from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('error', () => {}).on('close', () => {
      sockets.delete(from);
      // What came before still goes on its way.
      to.end();
    });
    let stopped = false;
    from.on('data', (chunk: Buffer) => {
      proxy[direction] += chunk.length;
      const full = !to.write(chunk);
      if (stop?.direction === direction && proxy[direction] >= stop.at) {
        stopped = true;
        stop.reached();
        stop = undefined;
      }
      if (!full && !stopped) return;
      from.pause();
      if (!stopped) to.once('drain', () => from.resume());
    });
  };
  const server = createServer((inner) => {
    const outer = connect(Number(target.split(':')[1]), '127.0.0.1');
    pass('up', inner, outer);
    pass('down', outer, inner);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: CountingProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    up: 0,
    down: 0,
    stopAt(direction, at) {
      const { promise, resolve } = Promise.withResolvers<void>();
      stop = { direction, at, reached: resolve };
      return promise;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
