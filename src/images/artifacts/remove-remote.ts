/** Deletes in a registry. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import { readDocuments } from '../read.ts';

/**
 * The tag, or with a digest the manifest and all its tags. An artifact is taken out of the list of what refers to its subject.
 * Throws NOT_FOUND, UNSUPPORTED, AUTH, REGISTRY, USAGE without tag and digest.
 */
export async function removeRemote(remote: Remote, reference: Reference, context: Context): Promise<{ digest?: Digest }> {
  const { domain, path, tag, digest } = reference;
  if (digest === undefined) {
    if (tag === undefined) throw new SiruError('USAGE', `${domain}/${path} is a repository; what of it is to go?`, { hint: 'name a tag or a digest' });
    await remote.deleteManifest({ domain, path, tag }, context);
    return {};
  }
  const { bytes, mediaType } = await remote.getManifest({ domain, path, digest }, context);
  const read = readDocuments(bytes, mediaType, digest);
  const { subject } = read.type === 'manifest' ? read.manifest : read.index;
  await remote.deleteManifest({ domain, path, digest }, context);
  if (subject) await remote.removeReferrer({ domain, path }, subject.digest, digest, context);
  return { digest };
}
