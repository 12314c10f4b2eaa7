/** `GET /_siru/v1/search?q=`: repositories whose names contain a text, for clients. `n` and `last` as in the catalog. */
import { answerJson } from '../exchange.ts';
import type { RouteGroup } from '../hooks.ts';
import { onlyMethods } from './methods.ts';
import { nextPage, pageOf } from './page.ts';
import { largestRequest, seenRepositories } from './seen-repositories.ts';

/** Tells clients that this is no other registry's answer. */
const searchType = 'application/vnd.siru.search.v1+json';

export const searchRoute: RouteGroup = {
  name: 'search',
  matches: (path) => path === '/_siru/v1/search',
  async handle(exchange, context) {
    onlyMethods(exchange, ['GET', 'HEAD']);
    exchange.user = await context.access.identify(exchange.request);
    await context.access.allow({ user: exchange.user, action: 'catalog', request: exchange.request });
    const page = pageOf(exchange);
    const containing = (exchange.query.get('q') ?? '').slice(0, largestRequest).toLowerCase();
    const { items, more } = await seenRepositories(context, exchange, { ...page, containing });
    answerJson(exchange, 200, { repositories: items }, { 'content-type': searchType, ...nextPage(exchange, page.limit, items.at(-1), more) });
  },
};
