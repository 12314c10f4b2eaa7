/** The tags of a repository, page by page. */
import type { Context } from '../base/context.ts';
import { isTag, type Reference } from '../oci/reference.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { pullScope } from './manifests.ts';
import { readPages, stringsIn } from './pages.ts';

export interface ListOptions {
  /** Asked for at once; 1000 when not given. */
  page?: number;
  /** Asks the registry itself and no mirror of it. */
  own?: boolean;
}

const pageSize = 1000;

/** All tags, each page sorted, asked for as they are consumed. Tags that break the grammar are passed over. */
export async function* listTags(connection: Connection, endpoint: Endpoint, reference: Pick<Reference, 'path'>, options: ListOptions, context: Context): AsyncGenerator<string> {
  const what = 'the list of tags';
  const pages = readPages(connection, endpoint, {
    at: `tags/list?${listQuery(options)}`,
    repository: reference.path,
    headers: { accept: 'application/json' },
    scopes: [pullScope(endpoint.prefix + reference.path)],
    accept: [200],
    about: { action: 'list', what: 'list of tags' },
  }, what, context);
  for await (const { bytes } of pages) for (const tag of stringsIn(bytes!, 'tags', what, endpoint).sort()) if (isTag(tag)) yield tag;
}

export function listQuery({ page = pageSize }: ListOptions): string {
  return `n=${page}`;
}
