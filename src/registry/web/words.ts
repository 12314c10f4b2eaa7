/** Sizes, times and shortened texts on pages. */
import { ago } from '../../base/human-duration.ts';
import { humanSize } from '../../base/human-size.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';

/** Characters of a text from an image that are shown. */
const longestText = 4000;

export function sizeText(bytes: number | undefined): Html {
  return bytes === undefined || !Number.isSafeInteger(bytes) || bytes < 0 ? html`<span class="faint">unknown</span>` : html`<span title="${bytes} bytes">${humanSize(bytes).replace(/(?<=\d)(?=[a-zA-Z])/, ' ')}</span>`;
}

export function timeText(time: number | undefined, now: number): Html {
  if (time === undefined || Number.isNaN(time) || Math.abs(time) > 8.64e15) return html`<span class="faint">unknown</span>`;
  const iso = new Date(time).toISOString();
  return html`<time datetime="${iso}" title="${iso.slice(0, 19).replace('T', ' ')} UTC">${ago(time, now)}</time>`;
}

export function clipped(text: string, most: number = longestText): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length - most} characters more)`;
}

export function plural(count: number, word: string): string {
  return `${count} ${count === 1 ? word : word.endsWith('y') ? `${word.slice(0, -1)}ies` : `${word}s`}`;
}
