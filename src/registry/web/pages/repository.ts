/** `/r/<repository>`: its tags with platforms, sizes, age and digest. */
import type { AppContext } from '../../context.ts';
import type { Exchange } from '../../exchange.ts';
import { largestRequest } from '../../routes/seen-repositories.ts';
import { unknownRepository } from '../../routes/tags.ts';
import type { TagFacts } from '../../storage.ts';
import { summarize } from '../describe-image.ts';
import { html } from '../html.ts';
import type { Content, Html } from '../html.ts';
import { digestText, placeLink } from '../layout.ts';
import type { Page } from '../page.ts';
import type { Place } from '../place.ts';
import { pagePath } from '../place.ts';
import { mustBeAllowed } from '../viewer.ts';
import { plural, sizeText, timeText } from '../words.ts';
import { pages } from './repositories.ts';

const perPage = 50;
/** Platforms of a tag that the list shows. */
const mostShown = 8;

export async function repositoryPage(context: AppContext, exchange: Exchange, place: Place, host: string): Promise<Page> {
  const { repository } = place;
  const { storage } = context;
  await mustBeAllowed(context, exchange, 'pull', place);
  if (!(await storage.repositories.has(repository))) throw unknownRepository(repository);
  const q = (exchange.query.get('q') ?? '').trim().slice(0, largestRequest);
  const last = exchange.query.get('last') ?? undefined;
  const { items, more } = await storage.tags.describe(repository, { limit: perPage, containing: q, ...(last !== undefined && { last }) });
  const now = Date.now();
  const rows: Html[] = [];
  for (const tag of items) rows.push(await tagRow(context, repository, tag, now));
  const example = (items.find(({ name }) => name === 'latest') ?? items.toSorted((a, b) => b.pushed - a.pushed)[0])?.name ?? 'TAG';
  const content = html`<h1>${repository}</h1>
<dl class="facts"><div><dt>Stored</dt><dd>${sizeText(await storage.repositories.usage({ name: repository }))}</dd></div></dl>
<h2>Tags</h2>
<form class="filter" method="get" action="${pagePath({ repository })}"><label for="tag">Tags with</label><input id="tag" name="q" value="${q}" maxlength="200" autocomplete="off" spellcheck="false"><button>Show</button></form>
${rows.length === 0 ? html`<p class="empty">${q === '' && last === undefined ? 'No manifest of this repository has a tag.' : 'There is no such tag.'}</p>` : html`<div class="table"><table>
<caption>${plural(rows.length, 'tag')} of ${repository}${last !== undefined ? ` after ${last}` : ''}${more && ', more on the next page'}. Sizes are those of a pull; of an index, of all its platforms.</caption>
<thead><tr><th scope="col">Tag</th><th scope="col">Platforms</th><th scope="col" class="number">Size</th><th scope="col">Pushed</th><th scope="col" class="wide">Digest</th></tr></thead>
<tbody>
${rows}</tbody>
</table></div>`}
${pages(pagePath({ repository }), { ...(q !== '' && { q }) }, last, more ? items.at(-1)?.name : undefined)}
<h2>How to pull</h2>
<pre><code>siru pull ${host}/${repository}:${example}
docker pull ${host}/${repository}:${example}</code></pre>`;
  return { title: repository, place: { repository }, content };
}

async function tagRow({ storage }: AppContext, repository: string, { name, digest, pushed }: TagFacts, now: number): Promise<Html> {
  const stored = await storage.manifests.get(repository, { digest });
  const about = stored && (await summarize(storage, repository, stored, mostShown));
  const platforms: Content = about === undefined ? undefined
    : about.type === 'index' ? [...about.parts.filter(({ about: of }) => of === undefined).map(({ platform }) => badge(platform ?? 'no platform')), moreParts(about.moreParts)]
    : about.type === 'artifact' ? badge(about.artifactType ?? 'artifact')
    : badge(about.platform ?? 'unknown');
  return html`<tr><th scope="row">${placeLink({ repository, tag: name }, name)}</th><td>${platforms}</td><td class="number">${sizeText(about?.size)}</td><td class="whole">${timeText(pushed, now)}</td><td class="wide">${digestText(digest)}</td></tr>
`;
}

export function badge(text: string): Html {
  return html`<span class="badge" title="${text.slice(0, 300)}">${text.slice(0, 100)}</span>`;
}

function moreParts(count: number): Html {
  return html`${count > 0 && html`<span class="faint">and ${count} more</span>`}`;
}
