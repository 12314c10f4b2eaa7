/** `/r/<repository>:<tag>` and `/r/<repository>@<digest>`: what the manifest is. */
import type { AppContext } from '../../context.ts';
import type { Exchange } from '../../exchange.ts';
import { Refusal } from '../../refusal.ts';
import { describeImage, mostPlatforms } from '../describe-image.ts';
import type { Described, ImagePart } from '../describe-image.ts';
import { html } from '../html.ts';
import type { Content, Html } from '../html.ts';
import { digestText, placeLink, shortDigest } from '../layout.ts';
import type { Page } from '../page.ts';
import { pagePath, referenceOf } from '../place.ts';
import type { Place } from '../place.ts';
import { companionsOf } from '../referrers.ts';
import type { Companion } from '../referrers.ts';
import { mayDelete, mustBeAllowed } from '../viewer.ts';
import { clipped, plural, sizeText } from '../words.ts';
import { configSection, historySection, pairsTable } from './config.ts';
import { pages } from './repositories.ts';
import { badge } from './repository.ts';

/** Layers of one page. */
const mostLayers = 500;
/** Tags of a manifest that a page names. */
const mostTags = 50;

export async function imagePage(context: AppContext, exchange: Exchange, place: Place, host: string): Promise<Page> {
  const { storage } = context;
  const { repository } = place;
  await mustBeAllowed(context, exchange, 'pull', place);
  const stored = await storage.manifests.get(repository, place.digest === undefined ? { tag: place.tag! } : { digest: place.digest });
  if (stored === undefined) throw new Refusal('MANIFEST_UNKNOWN', `there is no ${referenceOf(place)}`);
  const about = await describeImage(storage, repository, stored);
  const tags = await storage.tags.leadingTo(repository, stored.digest, { limit: mostTags });
  const last = exchange.query.get('last') ?? undefined;
  const companions = await companionsOf(storage, repository, stored.digest, last);
  const what = { image: 'Image', index: 'Images for several platforms', artifact: 'Artifact' }[about.type];
  const content = html`<h1>${place.tag === undefined ? html`${repository}@<wbr>${shortDigest(stored.digest)}` : referenceOf(place)}</h1>
<dl class="facts">
<div><dt>${what}</dt><dd>${about.type === 'index' ? plural(about.parts.filter((part) => part.about === undefined).length, 'platform') : about.type === 'artifact' ? about.artifactType : badge(about.platform ?? 'unknown')}</dd></div>
<div><dt>Size</dt><dd>${sizeText(about.size)}</dd></div>
<div><dt>Digest</dt><dd><code>${stored.digest}</code></dd></div>
${tags.items.length > 0 && html`<div><dt>Tags</dt><dd>${tags.items.map((tag) => html`${placeLink({ repository, tag }, tag)} `)}${tags.more && 'and more'}</dd></div>`}
${about.subject && html`<div><dt>Belongs to</dt><dd>${placeLink({ repository, digest: about.subject.digest }, html`<code>${shortDigest(about.subject.digest)}</code>`)}</dd></div>`}
</dl>
${last === undefined && html`${pullSection(about, place, host)}
${about.type === 'index' ? partsSection(about, repository) : layersSection(about)}
${about.config && configSection(about.config)}
${about.config && historySection(about.config)}
${pairsTable('Annotations', 'Annotation', Object.entries(about.annotations))}`}
${companionsSection(companions.items, repository)}
${pages(pagePath(place), {}, last, companions.more ? companions.items.at(-1)?.digest : undefined)}
${last === undefined && (await deleteLinks(context, exchange, place, stored.digest))}`;
  return { title: place.tag === undefined ? `${repository}@${shortDigest(stored.digest)}` : referenceOf(place), place, content };
}

function pullSection({ type, stored }: Described, place: Place, host: string): Html {
  const name = `${host}/${referenceOf(place)}`;
  const pinned = `${host}/${place.repository}@${stored.digest}`;
  return html`<h2>How to pull</h2>
<pre><code>${type === 'artifact' ? html`siru copy ${name} oci:${place.repository.split('/').at(-1)}` : html`siru pull ${name}
docker pull ${name}`}</code></pre>
${place.tag !== undefined && type !== 'artifact' && html`<p class="faint">Exactly this one, whatever the tag becomes:</p>
<pre><code>siru pull ${pinned}</code></pre>`}`;
}

function partsSection({ parts, moreParts }: Described, repository: string): Html {
  const images = parts.filter(({ about }) => about === undefined);
  const rest = parts.filter(({ about }) => about !== undefined);
  const link = ({ descriptor, size }: ImagePart): Content => (size === undefined
    ? html`${digestText(descriptor.digest)} <span class="faint">not here</span>`
    : placeLink({ repository, digest: descriptor.digest }, digestText(descriptor.digest)));
  return html`<h2>Platforms</h2>
<div class="table"><table>
<caption>${plural(images.length, 'manifest')}${moreParts > 0 ? `, and ${moreParts} more than the ${mostPlatforms} that are shown` : ''}</caption>
<thead><tr><th scope="col">Platform</th><th scope="col" class="number">Size</th><th scope="col">Digest</th></tr></thead>
<tbody>
${images.map((part) => html`<tr><th scope="row">${part.platform ?? part.descriptor.artifactType ?? 'no platform'}</th><td class="number">${sizeText(part.size)}</td><td>${link(part)}</td></tr>
`)}</tbody>
</table></div>
${rest.length > 0 && html`<h2>Attestations in the index</h2>
<div class="table"><table>
<caption>What the builder says of the images above</caption>
<thead><tr><th scope="col">About</th><th scope="col" class="number">Size</th><th scope="col">Digest</th></tr></thead>
<tbody>
${rest.map((part) => html`<tr><th scope="row">${platformOf(images, part.about!)}</th><td class="number">${sizeText(part.size)}</td><td>${link(part)}</td></tr>
`)}</tbody>
</table></div>`}`;
}

function platformOf(images: readonly ImagePart[], digest: string): Content {
  return images.find(({ descriptor }) => descriptor.digest === digest)?.platform ?? digestText(digest);
}

function layersSection({ layers, type }: Described): Html {
  if (layers.length === 0) return html`<h2>${type === 'image' ? 'Layers' : 'Files'}</h2><p class="empty">There are none.</p>`;
  const shown = layers.slice(0, mostLayers);
  const total = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  const caption = `${plural(layers.length, type === 'image' ? 'layer' : 'file')}${layers.length > shown.length ? `, of which ${shown.length} are shown` : type === 'image' ? ', the bottom one first' : ''}`;
  return html`<h2>${type === 'image' ? 'Layers' : 'Files'}</h2>
<div class="table"><table>
<caption>${caption}; ${sizeText(total)} as they are sent</caption>
<thead><tr><th scope="col" class="number">#</th><th scope="col">${type === 'image' ? 'Made by' : 'Name'}</th><th scope="col" class="number">Size</th><th scope="col" class="wide">Digest</th></tr></thead>
<tbody>
${shown.map(({ descriptor, instruction }, i) => html`<tr><td class="number">${i + 1}</td><td class="text">${type === 'image' ? step(instruction) : fileOf(descriptor)}</td><td class="number">${sizeText(descriptor.size)}</td><td class="wide">${digestText(descriptor.digest)}</td></tr>
`)}</tbody>
</table></div>`;
}

export function step(instruction: string): Html {
  if (instruction === '') return html`<span class="faint">The history does not tell.</span>`;
  return html`<code class="step">${clipped(instruction.replace(/[ \t]{2,}/g, ' '))}</code>`;
}

function fileOf({ annotations = {}, mediaType }: Described['layers'][number]['descriptor']): Html {
  const title = annotations['org.opencontainers.image.title'];
  const predicate = annotations['in-toto.io/predicate-type'];
  return html`${title !== undefined && html`${clipped(title, 300)} `}${badge(mediaType)}${predicate !== undefined && html` ${clipped(predicate, 300)}`}`;
}

function companionsSection(items: readonly Companion[], repository: string): Html {
  if (items.length === 0) return html`<h2>Referrers</h2><p class="empty">No signature, bill of materials or attestation refers to it.</p>`;
  return html`<h2>Referrers</h2>
<div class="table"><table>
<caption>${plural(items.length, 'manifest')} that refer to this one</caption>
<thead><tr><th scope="col">Kind</th><th scope="col">Type</th><th scope="col" class="number wide">Manifest</th><th scope="col">Digest</th></tr></thead>
<tbody>
${items.map((item) => html`<tr><th scope="row">${item.kind}</th><td class="text">${clipped(item.artifactType, 300)}${item.tag !== undefined && html` <span class="faint">tag ${item.tag.slice(0, 16)}…</span>`}${annotationOf(item)}</td><td class="number wide">${sizeText(item.size)}</td><td>${placeLink({ repository, digest: item.digest }, digestText(item.digest))}</td></tr>
`)}</tbody>
</table></div>`;
}

/** The annotation that tells most, when there is one. */
function annotationOf({ annotations }: Companion): Content {
  const text = annotations['org.opencontainers.image.description'] ?? annotations['org.opencontainers.image.title'];
  return text !== undefined && html`<br><span class="faint">${clipped(text, 300)}</span>`;
}

async function deleteLinks(context: AppContext, exchange: Exchange, place: Place, digest: Place['digest']): Promise<Content> {
  const { repository, tag } = place;
  const whole: Place = { repository, digest: digest! };
  const links: Content[] = [];
  if (tag !== undefined && (await mayDelete(context, exchange, { repository, tag }))) links.push(html`<a class="button danger" href="${pagePath({ repository, tag }, 'delete')}">Delete the tag ${tag}…</a>`);
  if (await mayDelete(context, exchange, whole)) links.push(html`<a class="button danger" href="${pagePath(whole, 'delete')}">Delete the manifest…</a>`);
  return links.length > 0 && html`<div class="actions">${links}</div>`;
}
