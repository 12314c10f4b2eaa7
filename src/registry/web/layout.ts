/** What all pages have around their content. */
import { html } from './html.ts';
import type { Content, Html } from './html.ts';
import { referenceOf, pagePath } from './place.ts';
import type { Place } from './place.ts';
import { stylePath } from './style.ts';

export interface Frame {
  title: string;
  /** For the way back, above the content. */
  place?: Place;
  user: string | undefined;
  /** True when users can sign in. */
  hasUsers: boolean;
  host: string;
}

export function layout({ title, place, user, hasUsers, host }: Frame, content: Html): Html {
  const trail: Content[] = place === undefined ? [] : [
    html`<li><a href="/">Repositories</a></li>`,
    place.tag === undefined && place.digest === undefined
      ? html`<li aria-current="page">${place.repository}</li>`
      : html`<li><a href="${pagePath({ repository: place.repository })}">${place.repository}</a></li><li aria-current="page">${place.tag ?? html`<code>${shortDigest(place.digest!)}</code>`}</li>`,
  ];
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${host}</title>
<link rel="stylesheet" href="${stylePath}">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<div class="bar">
<a class="home" href="/"><span aria-hidden="true">▤</span> ${host}</a>
<form role="search" action="/" method="get">
<label for="q">Find repositories</label>
<input id="q" name="q" type="search" placeholder="Find repositories" maxlength="200" autocomplete="off" spellcheck="false">
<button>Find</button>
</form>
${user !== undefined ? html`<p class="user">${user}</p>` : hasUsers && html`<p class="user"><a href="/login">Sign in</a></p>`}
</div>
</header>
${place !== undefined && html`<nav aria-label="Place"><ol class="trail">${trail}</ol></nav>`}
<main id="content" tabindex="-1">
${content}
</main>
</body>
</html>
`;
}

/** `sha256:0123456789ab`: enough to tell one from another. */
export function shortDigest(digest: string): string {
  const colon = digest.indexOf(':');
  return digest.slice(0, colon + 13);
}

/** A digest that can be read whole by pointing at it. */
export function digestText(digest: string): Html {
  return html`<code title="${digest}">${shortDigest(digest)}</code>`;
}

export function placeLink(place: Place, text: Content = referenceOf(place)): Html {
  return html`<a href="${pagePath(place)}">${text}</a>`;
}
