/** `/metrics`: to everybody, to who has the token, or to the registry's users. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AppContext } from '../context.ts';
import { answerBytes } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { RouteGroup } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import { onlyMethods } from '../routes/methods.ts';
import { expositionType, formatMetrics } from './exposition.ts';
import { createRequestMetrics } from './request-metrics.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { createStateMetrics } from './state-metrics.ts';

export interface MetricsOptions {
  /** True: to anybody. */
  public?: boolean;
  /** Who sends this as a bearer token may read them. */
  token?: string;
  /** Requests that the registry works on, where the page is at an address of its own. */
  inFlight?: () => number;
}

export interface Metrics extends Disposable, Omit<RequestMetrics, 'families'> {
  page: RouteGroup;
}

export function createMetrics(options: MetricsOptions = {}): Metrics {
  const { families, ...sinks } = createRequestMetrics();
  const state = createStateMetrics();
  return {
    ...sinks,
    page: {
      name: 'metrics',
      matches: (path) => path === '/metrics',
      async handle(exchange, context) {
        onlyMethods(exchange, ['GET', 'HEAD']);
        await mayRead(exchange, context, options);
        const text = formatMetrics([...families(), ...(await state.families(context.storage, options.inFlight ?? context.inFlight))]);
        answerBytes(exchange, 200, Buffer.from(text), { 'content-type': expositionType, 'cache-control': 'no-store' });
      },
    },
    [Symbol.dispose]: () => state[Symbol.dispose](),
  };
}

/** Throws UNAUTHORIZED. */
async function mayRead(exchange: Exchange, { access }: AppContext, options: MetricsOptions): Promise<void> {
  if (options.public ?? (options.token === undefined && access.hasUsers === false)) return;
  const { authorization } = exchange.request.headers;
  if (options.token !== undefined) {
    const sent = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? '';
    if (isSame(sent, options.token)) return;
    throw new Refusal('UNAUTHORIZED', 'metrics are shown to who has the token', { headers: { 'www-authenticate': 'Bearer realm="metrics"' } });
  }
  exchange.user = await access.identify(exchange.request);
  if (exchange.user === undefined) throw new Refusal('UNAUTHORIZED', 'metrics are shown to users of the registry', { headers: { 'www-authenticate': 'Basic realm="metrics"' } });
}

/** In a time that tells nothing about where they differ. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
