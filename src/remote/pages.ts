/** Lists that a registry gives page by page, each with a Link to the next one. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import type { ApiRequest, Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { checkTarget } from './hosts.ts';
import { manifestLimit } from './manifests.ts';
import { parseTarget, readDocument } from './transport.ts';
import type { HttpResponse } from './transport.ts';

/** Pages of one list; a registry that goes on is refused. */
const mostPages = 10_000;

export interface Page {
  /** At most 4 MiB. Undefined when the status is another one than 200. */
  bytes?: Buffer;
  response: HttpResponse;
}

/** The pages, asked for as they are consumed. `what` is the list, for messages: `the list of tags`. */
export async function* readPages(connection: Connection, endpoint: Endpoint, request: Omit<ApiRequest, 'method'>, what: string, context: Context): AsyncGenerator<Page> {
  let { at } = request;
  for (let page = 0; page < mostPages; page++) {
    const response = await connection.send(endpoint, { ...request, method: 'GET', at }, context);
    const bytes = await readDocument(response, manifestLimit, what, context);
    if (response.status !== 200) {
      yield { response };
      return;
    }
    yield { bytes, response };
    const next = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec([response.headers.link ?? ''].flat().join(', '));
    if (!next) return;
    const url = parseTarget(next[1]!, response.url);
    checkTarget(response.url, url, 'the next page');
    at = url;
  }
  throw new SiruError('REGISTRY', `${endpoint.host} never comes to an end with ${what}${request.repository === undefined ? '' : ` of ${request.repository}`}`);
}

/** The strings of an array member of a page. Throws REGISTRY when the page is no JSON. */
export function stringsIn(bytes: Buffer, member: string, what: string, endpoint: Endpoint): string[] {
  let list: unknown;
  try {
    list = (JSON.parse(bytes.toString('utf8')) as Record<string, unknown> | null)?.[member];
  } catch (cause) {
    throw new SiruError('REGISTRY', `${endpoint.host} answered no JSON to a request for ${what}`, { cause });
  }
  return Array.isArray(list) ? (list as unknown[]).filter((one) => typeof one === 'string') : [];
}
