/**
 * The pages for browsers: `/`, `/r/...`, `/delete/...` and `/login`. No script, nothing from elsewhere; all that comes from images
 * is text.
 */
import type { AppContext } from '../context.ts';
import { answerBytes, answerJson } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { RouteGroup } from '../hooks.ts';
import { isHost } from '../names.ts';
import { Refusal } from '../refusal.ts';
import { onlyMethods } from '../routes/methods.ts';
import { html } from './html.ts';
import { layout } from './layout.ts';
import type { Page } from './page.ts';
import { deletePage } from './pages/delete.ts';
import { imagePage } from './pages/image.ts';
import { repositoriesPage } from './pages/repositories.ts';
import { repositoryPage } from './pages/repository.ts';
import { parsePlace } from './place.ts';
import { styleBytes, stylePath } from './style.ts';

export interface WebOptions {
  /** Name of the registry in commands; else what the browser sent as Host. */
  host?: string;
}

const policy = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'private, no-store',
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export function createWebPages(options: WebOptions = {}): RouteGroup {
  return {
    name: 'web',
    matches: (path) => path === '/' || path === '/login' || path.startsWith('/r/') || path.startsWith('/delete/') || path.startsWith('/_siru/web/'),
    async handle(exchange, context) {
      if (exchange.path === stylePath) {
        onlyMethods(exchange, ['GET', 'HEAD']);
        return answerBytes(exchange, 200, styleBytes, { 'content-type': 'text/css; charset=utf-8', 'cache-control': 'public, max-age=31536000, immutable', 'x-content-type-options': 'nosniff' });
      }
      if (exchange.path === '/' && !wantsPage(exchange)) return answerJson(exchange, 200, { registry: '/v2/' }, { vary: 'accept' });
      const host = hostOf(exchange, options);
      let page: Page;
      try {
        exchange.user = await context.access.identify(exchange.request);
        page = await pageOf(exchange, context, host);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        page = refusalPage(error);
      }
      const { title, content, place, status = 200, headers = {} } = page;
      const { html: text } = layout({ title, ...(place && { place }), user: exchange.user?.name, hasUsers: context.access.hasUsers !== false, host }, content);
      answerBytes(exchange, status, Buffer.from(text), { ...pageHeaders, ...headers });
    },
  };
}

async function pageOf(exchange: Exchange, context: AppContext, host: string): Promise<Page> {
  const { path } = exchange;
  if (path.startsWith('/delete/')) {
    const place = parsePlace(path.slice('/delete/'.length));
    if (place === undefined || (place.tag === undefined && place.digest === undefined)) throw nothing();
    exchange.repository = place.repository;
    return deletePage(context, exchange, place);
  }
  onlyMethods(exchange, ['GET', 'HEAD']);
  if (path === '/') return repositoriesPage(context, exchange, host);
  if (path === '/login') return login(exchange, context);
  const place = path.startsWith('/r/') ? parsePlace(path.slice('/r/'.length)) : undefined;
  if (place === undefined) throw nothing();
  exchange.repository = place.repository;
  return place.tag === undefined && place.digest === undefined ? repositoryPage(context, exchange, place, host) : imagePage(context, exchange, place, host);
}

/** A browser asks for name and password when it gets a 401, and sends them from then on. */
function login({ user }: Exchange, { access }: AppContext): Page {
  if (user === undefined && access.hasUsers !== false) throw new Refusal('UNAUTHORIZED', 'sign in with your name and password');
  return { title: 'Signed in', content: html``, status: 303, headers: { location: '/' } };
}

function nothing(): Refusal {
  return new Refusal('NAME_UNKNOWN', 'there is no such page');
}

function refusalPage({ status, message, headers, reason }: Refusal): Page {
  const title = reason === 'UNAUTHORIZED' ? 'Sign in' : status === 403 ? 'Not allowed' : status === 404 ? 'Not found' : 'Not possible';
  const { allow, 'retry-after': after } = headers;
  return {
    title, status,
    content: html`<h1>${title}</h1><p>${`${message.slice(0, 1).toUpperCase()}${message.slice(1, 1000)}.`}</p><p><a href="/">Repositories</a></p>`,
    headers: {
      ...(allow !== undefined && { allow }),
      ...(after !== undefined && { 'retry-after': after }),
      // Whatever the registry's clients are told: a browser can do this.
      ...(status === 401 && { 'www-authenticate': 'Basic realm="registry", charset="UTF-8"' }),
    },
  };
}

/** False for a client that asks for JSON and not for pages. */
function wantsPage({ request: { headers: { accept = '*/*' } } }: Exchange): boolean {
  return /text\/html|\*\/\*|text\/\*/i.test(accept) || !/json/i.test(accept);
}

function hostOf({ request: { headers: { host } } }: Exchange, options: WebOptions): string {
  return options.host ?? (host !== undefined && isHost(host) ? host : 'REGISTRY');
}
