/** Lists in pages: `n` and `last` of the query, and the Link to the next page (RFC 5988). */
import type { Exchange } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import type { PageOptions } from '../storage.ts';

/** Items of a page when the client asks for no number, or for more. */
export const largestPage = 10_000;

/** Throws PAGINATION_NUMBER_INVALID. */
export function pageOf(exchange: Exchange): PageOptions {
  const n = exchange.query.get('n');
  if (n !== null && !/^\d{1,15}$/.test(n)) throw new Refusal('PAGINATION_NUMBER_INVALID', `n=${n.slice(0, 40)} is not a number`, { detail: { n: n.slice(0, 40) } });
  const last = exchange.query.get('last');
  return { limit: n === null ? largestPage : Math.min(Number(n), largestPage), ...(last !== null && last !== '' && { last }) };
}

/** The header of a page after which there are more. */
export function nextPage(exchange: Exchange, limit: number, last: string | undefined, more: boolean): Record<string, string> {
  if (!more || last === undefined) return {};
  const query = new URLSearchParams(exchange.query);
  query.set('n', String(limit));
  query.set('last', last);
  return { link: `<${exchange.path}?${query.toString()}>; rel="next"` };
}
