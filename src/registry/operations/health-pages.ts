/** `/healthz`: the process answers. `/readyz`: the storage can be written to and answers, and the server is not ending. */
import { messageOf } from '../../base/errors.ts';
import { answerBytes } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { RouteGroup } from '../hooks.ts';
import { onlyMethods } from '../routes/methods.ts';
import type { Storage } from '../storage.ts';

export interface HealthOptions {
  storage: Storage;
  /** Fires when the server is told to end. */
  signal?: AbortSignal;
  /** Told why it is not ready; the answer does not say it. */
  onError?: (error: unknown) => void;
}

/** Milliseconds for which an answer of the storage is good, so that nobody keeps the disk busy by asking. */
const answerAge = 1000;

export function createHealthPages({ storage, signal, onError = () => {} }: HealthOptions): RouteGroup {
  let known: { at: number; ready: Promise<boolean> } | undefined;
  const isReady = (): Promise<boolean> => {
    if (known === undefined || performance.now() - known.at > answerAge) {
      const ready = storage.ready().then(() => true, (error: unknown) => {
        onError(new Error(`not ready: ${messageOf(error)}`, { cause: error }));
        return false;
      });
      known = { at: performance.now(), ready };
    }
    return known.ready;
  };
  return {
    name: 'health',
    matches: (path) => path === '/healthz' || path === '/readyz',
    async handle(exchange) {
      onlyMethods(exchange, ['GET', 'HEAD']);
      if (exchange.path === '/healthz') return say(exchange, 200, 'alive');
      if (signal?.aborted) return say(exchange, 503, 'ending');
      return (await isReady()) ? say(exchange, 200, 'ready') : say(exchange, 503, 'the storage cannot be used; the log says why');
    },
  };
}

function say(exchange: Exchange, status: number, text: string): void {
  answerBytes(exchange, status, Buffer.from(`${text}\n`), { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
}
