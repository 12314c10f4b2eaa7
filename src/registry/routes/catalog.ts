/** `GET /v2/_catalog`, as docker-registry has it: the repositories that the user may see. */
import type { AppContext } from '../context.ts';
import { answerJson } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { onlyMethods } from './methods.ts';
import { nextPage, pageOf } from './page.ts';
import { seenRepositories } from './seen-repositories.ts';

export async function answerCatalog(context: AppContext, exchange: Exchange): Promise<void> {
  onlyMethods(exchange, ['GET', 'HEAD']);
  await context.access.allow({ user: exchange.user, action: 'catalog', request: exchange.request });
  const page = pageOf(exchange);
  const { items, more } = await seenRepositories(context, exchange, page);
  answerJson(exchange, 200, { repositories: items }, nextPage(exchange, page.limit, items.at(-1), more));
}
