/** `GET /v2/<name>/tags/list`. */
import type { AppContext } from '../context.ts';
import { answerJson } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { onlyMethods } from './methods.ts';
import { nextPage, pageOf } from './page.ts';

export async function answerTags({ access, storage }: AppContext, exchange: Exchange, repository: string): Promise<void> {
  onlyMethods(exchange, ['GET', 'HEAD']);
  await access.allow({ user: exchange.user, action: 'pull', repository, request: exchange.request });
  const page = pageOf(exchange);
  const { items, more } = await storage.tags.list(repository, page);
  if (items.length === 0 && !(await storage.repositories.has(repository))) throw unknownRepository(repository);
  answerJson(exchange, 200, { name: repository, tags: items }, nextPage(exchange, page.limit, items.at(-1), more));
}

export function unknownRepository(repository: string): Refusal {
  return new Refusal('NAME_UNKNOWN', `there is no repository ${repository}`, { detail: { name: repository } });
}
