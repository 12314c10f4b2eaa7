/** `/`: the repositories that the viewer sees, found by a part of their names. */
import type { AppContext } from '../../context.ts';
import type { Exchange } from '../../exchange.ts';
import { largestRequest, seenRepositories } from '../../routes/seen-repositories.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { placeLink } from '../layout.ts';
import type { Page } from '../page.ts';
import { mustBeAllowed } from '../viewer.ts';
import { plural } from '../words.ts';

const perPage = 50;
/** Tags of a repository are counted up to here. */
const mostCounted = 1000;

export async function repositoriesPage(context: AppContext, exchange: Exchange, host: string): Promise<Page> {
  await mustBeAllowed(context, exchange, 'catalog');
  const q = (exchange.query.get('q') ?? '').trim().slice(0, largestRequest);
  const last = exchange.query.get('last') ?? undefined;
  const { items, more } = await seenRepositories(context, exchange, { limit: perPage, containing: q.toLowerCase(), ...(last !== undefined && { last }) });
  const rows: Html[] = [];
  for (const name of items) {
    const count = await context.storage.repositories.countTags(name, mostCounted + 1);
    rows.push(html`<tr><th scope="row">${placeLink({ repository: name })}</th><td class="number">${count > mostCounted ? `over ${mostCounted}` : count}</td></tr>\n`);
  }
  const title = q === '' ? 'Repositories' : `Repositories with “${q}”`;
  const content = html`<h1>${title}</h1>
${rows.length === 0 ? nothing(q, last, host) : html`<div class="table"><table>
<caption>${plural(rows.length, 'repository')}${last !== undefined ? ` after ${last}` : ''}${more && ', more on the next page'}</caption>
<thead><tr><th scope="col">Repository</th><th scope="col" class="number">Tags</th></tr></thead>
<tbody>
${rows}</tbody>
</table></div>`}
${pages('/', { ...(q !== '' && { q }) }, last, more ? items.at(-1) : undefined)}
${q !== '' && html`<p><a href="/">All repositories</a></p>`}`;
  return { title, content };
}

function nothing(q: string, last: string | undefined, host: string): Html {
  if (last !== undefined) return html`<p class="empty">There are no more.</p>`;
  if (q !== '') return html`<p class="empty">No repository that you may see has this in its name.</p>`;
  return html`<div class="empty"><p>There is nothing here yet, or nothing that you may see. A push makes a repository:</p><pre><code>siru tag app:1.0 ${host}/app:1.0
siru push ${host}/app:1.0</code></pre></div>`;
}

/** Links to the first and the next page of a list. */
export function pages(path: string, query: Record<string, string>, last: string | undefined, next: string | undefined): Html {
  if (last === undefined && next === undefined) return html``;
  const to = (more: Record<string, string>): string => {
    const text = new URLSearchParams({ ...query, ...more }).toString();
    return text === '' ? path : `${path}?${text}`;
  };
  return html`<nav aria-label="Pages" class="pages">${last !== undefined && html`<a href="${to({})}">First page</a>`}${next !== undefined && html`<a rel="next" href="${to({ last: next })}">Next page</a>`}</nav>`;
}
