/** `/delete/<repository>:<tag>` and `/delete/<repository>@<digest>`: asks, then does it. */
import type { AppContext } from '../../context.ts';
import type { Exchange } from '../../exchange.ts';
import { readBody } from '../../exchange.ts';
import { Refusal } from '../../refusal.ts';
import { contentEvent } from '../../routes/content-event.ts';
import { wrongMethod } from '../../routes/methods.ts';
import { html } from '../html.ts';
import { shortDigest } from '../layout.ts';
import type { Page } from '../page.ts';
import { pagePath, referenceOf } from '../place.ts';
import type { Place } from '../place.ts';
import { isFormToken, isSameOrigin, newFormToken } from '../same-origin.ts';
import { mustBeAllowed } from '../viewer.ts';

/** Bytes of a form. */
const largestForm = 4096;
/** Tags that go along which the page names. */
const mostTags = 100;

export async function deletePage(context: AppContext, exchange: Exchange, place: Place): Promise<Page> {
  if (!context.settings.deletes) throw new Refusal('UNSUPPORTED', 'this registry deletes nothing');
  await mustBeAllowed(context, exchange, 'delete', place);
  if (exchange.method === 'POST') return carryOut(context, exchange, place);
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw wrongMethod(exchange, ['GET', 'HEAD', 'POST']);
  const { repository, tag } = place;
  const stored = await context.storage.manifests.get(repository, tag === undefined ? { digest: place.digest! } : { tag });
  if (stored === undefined) throw new Refusal('MANIFEST_UNKNOWN', `there is no ${referenceOf(place)}`);
  const tags = tag === undefined ? await context.storage.tags.leadingTo(repository, stored.digest, { limit: mostTags }) : { items: [], more: false };
  const { token, setCookie } = newFormToken(exchange.request);
  const short = tag === undefined ? `${repository}@${shortDigest(stored.digest)}` : referenceOf(place);
  const content = html`<h1>Delete ${short}?</h1>
${tag !== undefined
    ? html`<p>The tag <strong>${tag}</strong> will be gone. The manifest that it leads to stays until nothing needs it, and can be had by its digest:</p><pre><code>${stored.digest}</code></pre>`
    : html`<pre><code>${stored.digest}</code></pre><p>The manifest will be gone, and whoever pulls it by its digest will not get it any more.${tags.items.length === 0 ? ' No tag leads to it.' : ' These tags lead to it and go too:'}</p>
${tags.items.length > 0 && html`<ul>${tags.items.map((one) => html`<li>${one}</li>`)}${tags.more && html`<li>and more</li>`}</ul>`}`}
<form method="post" action="${pagePath(place, 'delete')}">
<input type="hidden" name="token" value="${token}"><input type="hidden" name="digest" value="${stored.digest}">
<div class="actions"><button class="danger">Delete ${tag === undefined ? 'the manifest' : 'the tag'}</button><a href="${pagePath(place)}">Keep it</a></div>
</form>`;
  return { title: `Delete ${short}`, place, content, headers: { 'set-cookie': setCookie } };
}

async function carryOut(context: AppContext, exchange: Exchange, place: Place): Promise<Page> {
  const form = new URLSearchParams((await readBody(exchange, largestForm, 'form')).toString('utf8'));
  if (!isSameOrigin(exchange.request) || !isFormToken(exchange.request, form.get('token') ?? '')) {
    throw new Refusal('DENIED', 'the form does not come from a page of this registry, or it is older than an hour: open the page again');
  }
  const { access, storage } = context;
  const { user } = exchange;
  const { repository, tag, digest } = place;
  const seen = form.get('digest');
  const mayGo = (name: string, before: NonNullable<Place['digest']>): void => {
    if (before !== seen) throw new Refusal('DENIED', `the tag ${name} leads to another manifest since the page was shown`, { status: 409 });
    access.changeTag?.({ user, repository, tag: name, before, to: undefined });
  };
  const gone = tag === undefined
    ? await storage.manifests.delete(repository, digest!, (name) => mayGo(name, digest!))
    : await storage.tags.delete(repository, tag, (before) => mayGo(tag, before));
  if (!gone) throw new Refusal('MANIFEST_UNKNOWN', `there is no ${referenceOf(place)} any more`);
  context.emit(contentEvent(exchange, { type: 'delete', kind: tag === undefined ? 'manifest' : 'tag', repository, digest, tags: tag === undefined ? [] : [tag] }));
  return { title: 'Deleted', content: html``, status: 303, headers: { location: pagePath({ repository }) } };
}
