/** The tags of a repository, page by page. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import type { Reference } from '../oci/reference.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { checkTarget } from './hosts.ts';
import { manifestLimit, pullScope } from './manifests.ts';
import { parseTarget, readDocument } from './transport.ts';

const pageSize = 1000;
const mostPages = 10_000;
const tagForm = /^\w[\w.-]{0,127}$/;

/** All tags, in the registry's order, asked for as they are consumed. Tags that break the grammar are passed over. */
export async function* listTags(connection: Connection, endpoint: Endpoint, reference: Reference, context: Context): AsyncGenerator<string> {
  let at: string | URL = `tags/list?n=${pageSize}`;
  for (let page = 0; page < mostPages; page++) {
    const response = await connection.send(endpoint, {
      method: 'GET',
      at,
      repository: reference.path,
      headers: { accept: 'application/json' },
      scopes: [pullScope(endpoint.prefix + reference.path)],
      accept: [200],
      about: { action: 'list', what: 'list of tags' },
    }, context);
    const body = await readDocument(response, manifestLimit, 'the list of tags', context);
    let tags: unknown;
    try {
      ({ tags } = JSON.parse(body.toString('utf8')) as { tags?: unknown });
    } catch (cause) {
      throw new SiruError('REGISTRY', `${endpoint.host} answered no JSON to a request for tags`, { cause });
    }
    for (const tag of Array.isArray(tags) ? (tags as unknown[]) : []) if (typeof tag === 'string' && tagForm.test(tag)) yield tag;
    const next = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec([response.headers.link ?? ''].flat().join(', '));
    if (!next) return;
    const url = parseTarget(next[1]!, response.url);
    checkTarget(response.url, url, 'the next page');
    at = url;
  }
  throw new SiruError('REGISTRY', `${endpoint.host} never comes to an end with the tags of ${reference.path}`);
}
