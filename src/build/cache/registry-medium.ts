/** A cache in a repository of a registry. */
import { isSiruError } from '../../base/errors.ts';
import { defaultTag, familiarReference, type Reference } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { Medium } from './medium.ts';

export function registryMedium(remote: Remote, reference: Reference): Medium {
  const { domain, path, tag = defaultTag } = reference;
  const repository: Reference = { domain, path };
  return {
    name: familiarReference({ ...repository, tag }),
    tag,
    async getManifest(name, context) {
      try {
        // Asked by HEAD first: what is not there does not count against the limits of a registry.
        if (name !== tag && !(await remote.headManifest({ ...repository, tag: name }, context))) return undefined;
        return await remote.getManifest({ ...repository, tag: name }, context);
      } catch (error) {
        if (isSiruError(error) && error.code === 'NOT_FOUND') return undefined;
        throw error;
      }
    },
    async putManifest(name, bytes, mediaType, context) {
      await remote.putManifest({ ...repository, tag: name }, bytes, mediaType, context);
    },
    hasBlob: (descriptor, context) => remote.hasBlob(repository, descriptor, context),
    getBlob: async (descriptor, context) => (await remote.getBlob(repository, descriptor, context)).chunks,
    putBlob: ({ digest, size }, open, context) => remote.uploadBlob(repository, { open: (offset) => skip(open(), offset), digest: () => digest, size }, context),
  };
}

/** All but the first bytes. */
async function* skip(chunks: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array> {
  let left = offset;
  for await (const chunk of chunks) {
    if (chunk.length > left) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
