/** `GET /v2/<name>/referrers/<digest>`: an index of the manifests whose subject this is. */
import { mediaTypes } from '../../oci/media-types.ts';
import type { AppContext } from '../context.ts';
import { answerJson } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { onlyMethods } from './methods.ts';
import { nextPage } from './page.ts';

/** Descriptors of a page: with annotations a page stays below the 4 MiB that clients read. */
const largestPage = 1000;

export async function answerReferrers({ access, storage }: AppContext, exchange: Exchange, { repository, digest }: Extract<Route, { route: 'referrers' }>): Promise<void> {
  onlyMethods(exchange, ['GET', 'HEAD']);
  await access.allow({ user: exchange.user, action: 'pull', repository, digest, request: exchange.request });
  const artifactType = exchange.query.get('artifactType') ?? '';
  const last = exchange.query.get('last') ?? '';
  const asked = Number(exchange.query.get('n') ?? largestPage);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, largestPage) : largestPage;
  const { items, more } = await storage.manifests.referrers(repository, digest, {
    limit,
    ...(artifactType !== '' && { artifactType }),
    ...(last !== '' && { last }),
  });
  answerJson(exchange, 200, { schemaVersion: 2, mediaType: mediaTypes.index, manifests: items }, {
    'content-type': mediaTypes.index,
    ...(artifactType !== '' && { 'oci-filters-applied': 'artifactType' }),
    ...nextPage(exchange, limit, items.at(-1)?.digest, more),
  });
}
