/** Another registry as a source: the repository `team/app` of this one is `PLACE/team/app` there. */
import { contextOf } from '../../base/context.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { Source } from './work.ts';

/**
 * `place` is `registry.example` or `registry.example/mirror`. With a prefix the repositories below it are those of the place, as with
 * an upstream. Throws REFERENCE.
 */
export function remoteSource(remote: Remote, place: string, { prefix = '', signal }: { prefix?: string; signal?: AbortSignal } = {}): Source {
  const name = place.replace(/\/+$/, '');
  parseReference(`${name}/any`);
  const context = contextOf({ ...(signal && { signal }) });
  const at = (repository: string): string | undefined =>
    prefix === '' ? `${name}/${repository}` : repository.startsWith(`${prefix}/`) ? `${name}/${repository.slice(prefix.length + 1)}` : undefined;
  return {
    at,
    async blob(repository, digest, size) {
      return (await remote.getBlob(parseReference(at(repository)!), { mediaType: mediaTypes.layer, digest, size }, context)).chunks;
    },
    async manifest(repository, digest) {
      return (await remote.getManifest({ ...parseReference(at(repository)!), digest }, context)).bytes;
    },
  };
}
