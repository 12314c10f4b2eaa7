/** Repositories that the user may see, page by page. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { AppContext } from '../context.ts';
import type { Exchange } from '../exchange.ts';
import type { Page, SearchOptions } from '../storage.ts';

/** Characters of a text that is looked for. */
export const largestRequest = 200;

/** Names that are read at once while those that the user does not see are left out. */
const batch = 1000;

export async function seenRepositories({ access, storage }: AppContext, { user }: Exchange, options: SearchOptions): Promise<Page> {
  const { limit, last, ...rest } = options;
  const items: string[] = [];
  const size = access.sees ? Math.max(batch, limit + 1) : limit + 1;
  for (let from = last; ; ) {
    const page = await storage.repositories.list({ ...rest, limit: size, ...(from !== undefined && { last: from }) });
    for (const name of page.items) {
      if (access.sees && !access.sees(user, name)) continue;
      if (items.length === limit) return { items, more: true };
      items.push(name);
    }
    if (!page.more) return { items, more: false };
    from = page.items.at(-1);
    // Somebody who sees little of a large registry must not stop it for the others.
    await breathe();
  }
}
