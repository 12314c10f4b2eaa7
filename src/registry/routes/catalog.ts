/** `GET /v2/_catalog`, as docker-registry has it: the repositories that the user may see. */
import type { AppContext } from '../context.ts';
import { answerJson } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { PageOptions } from '../storage.ts';
import { onlyMethods } from './methods.ts';
import { nextPage, pageOf } from './page.ts';

export async function answerCatalog(context: AppContext, exchange: Exchange): Promise<void> {
  onlyMethods(exchange, ['GET', 'HEAD']);
  await context.access.allow({ user: exchange.user, action: 'catalog', request: exchange.request });
  const page = pageOf(exchange);
  const { items, more } = await visible(context, exchange, page);
  answerJson(exchange, 200, { repositories: items }, nextPage(exchange, page.limit, items.at(-1), more));
}

async function visible({ access, storage }: AppContext, exchange: Exchange, { limit, last }: PageOptions): Promise<{ items: string[]; more: boolean }> {
  const items: string[] = [];
  for (let from = last; ; ) {
    const page = await storage.repositories.list({ limit: limit + 1, ...(from !== undefined && { last: from }) });
    for (const name of page.items) {
      if (access.sees && !access.sees(exchange.user, name)) continue;
      if (items.length === limit) return { items, more: true };
      items.push(name);
    }
    if (!page.more) return { items, more: false };
    from = page.items.at(-1);
  }
}
