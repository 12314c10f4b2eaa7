/** Another registry as a source: the repository `team/app` of this one is `PLACE/team/app` there. */
import { contextOf } from '../../base/context.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { Source } from './work.ts';

/** `place` is `registry.example` or `registry.example/prefix`. Throws REFERENCE. */
export function remoteSource(remote: Remote, place: string, signal?: AbortSignal): Source {
  const name = place.replace(/\/+$/, '');
  parseReference(`${name}/any`);
  const context = contextOf({ ...(signal && { signal }) });
  return {
    name,
    async blob(repository, digest, size) {
      const reference = parseReference(`${name}/${repository}`);
      return (await remote.getBlob(reference, { mediaType: mediaTypes.layer, digest, size }, context)).chunks;
    },
    async manifest(repository, digest) {
      return (await remote.getManifest({ ...parseReference(`${name}/${repository}`), digest }, context)).bytes;
    },
  };
}
