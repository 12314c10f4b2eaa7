/**
 * HTML as a tagged template: what is put in is text, and shows as what it is.
 *
 *     html`<p title="${label}">${text}</p>`
 *
 * Lists are joined, undefined and false are nothing, other templates stay as they are. Attributes must be quoted. Control
 * characters and those that turn the direction of writing show as �: a page must not look like what it is not.
 */
// oxlint-disable no-control-regex -- control characters are what this file is about

export interface Html {
  readonly html: string;
}

export type Content = string | number | undefined | false | Html | readonly Content[];

export function html(strings: TemplateStringsArray, ...values: Content[]): Html {
  let text = strings[0]!;
  for (const [i, value] of values.entries()) text += textOf(value) + strings[i + 1]!;
  return { html: text };
}

function textOf(value: Content): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  return 'html' in value ? value.html : value.map(textOf).join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeText(text: string): string {
  return text
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u2069\ufeff]/g, '\ufffd')
    .replace(/[&<>"']/g, (found) => entities[found]!);
}
