/** The repositories of a registry, where it lists them: docker-registry and others that follow it (`GET /v2/_catalog`). */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { splitName } from '../oci/reference.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { readPages, stringsIn } from './pages.ts';
import { listQuery } from './tags.ts';
import type { ListOptions } from './tags.ts';

/**
 * All repositories, in the registry's order, asked for as they are consumed. Throws UNSUPPORTED when the registry has no
 * such list, AUTH when it shows it to others only, REGISTRY, NETWORK.
 */
export async function* listRepositories(connection: Connection, endpoint: Endpoint, options: ListOptions, context: Context): AsyncGenerator<string> {
  const what = 'the list of repositories';
  const none = (): SiruError => new SiruError('UNSUPPORTED', `registry ${endpoint.registry} has no list of its repositories`, {
    hint: endpoint.registry === 'docker.io' ? 'Docker Hub is searched on its web page; tags of a repository are listed by: siru ls NAME' : 'the specification knows no such list, and not every registry has one; tags of a repository are listed by: siru ls NAME',
  });
  if (endpoint.registry === 'docker.io') throw none();
  const pages = readPages(connection, endpoint, {
    at: `_catalog?${listQuery(options)}`,
    headers: { accept: 'application/json' },
    scopes: ['registry:catalog:*'],
    accept: [200, 400, 404, 405, 406, 410, 501],
    about: { action: 'list', what: 'list of repositories' },
  }, what, context);
  for await (const { bytes } of pages) {
    if (!bytes) throw none();
    for (const name of stringsIn(bytes, 'repositories', what, endpoint)) if (splitName(name) !== undefined) yield name;
  }
}

/** Media type of the answer, which no other registry gives. */
const searchType = 'application/vnd.siru.search.v1+json';

/** The same of repositories whose names contain the text. */
export async function* searchRepositories(connection: Connection, endpoint: Endpoint, text: string, options: ListOptions, context: Context): AsyncGenerator<string> {
  const what = 'the repositories that were found';
  let isOurs = false;
  // Only a registry of Siru knows this address; others answer whatever they like, and then their list is read.
  if (text !== '' && endpoint.registry !== 'docker.io') {
    const pages = readPages(connection, endpoint, {
      at: `/_siru/v1/search?${listQuery(options)}&q=${encodeURIComponent(text)}`,
      headers: { accept: 'application/json' },
      scopes: ['registry:catalog:*'],
      accept: [200, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 410, 501],
      about: { action: 'list', what: 'list of repositories' },
    }, what, context);
    for await (const { bytes, response } of pages) {
      if (!bytes || response.headers['content-type'] !== searchType) break;
      isOurs = true;
      for (const name of stringsIn(bytes, 'repositories', what, endpoint)) if (splitName(name) !== undefined && name.includes(text)) yield name;
    }
  }
  if (isOurs) return;
  for await (const name of listRepositories(connection, endpoint, options, context)) if (name.includes(text)) yield name;
}
