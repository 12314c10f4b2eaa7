/** A repository of a registry as a place to copy from and to. */
import { SiruError, isSiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { familiarReference } from '../../oci/reference.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { Store } from '../../store/store.ts';
import { keepUpload } from '../keep-upload.ts';
import { verified } from './place.ts';
import type { Document, Repository, Source, Target } from './place.ts';

/** Uploads that are smaller are made again from their start. */
const worthKeeping = 1 << 20;

/** Reads also from the mirrors of the registry. */
export function registrySource(remote: Remote, reference: Reference): Source {
  const repository: Repository = { domain: reference.domain, path: reference.path };
  const named = reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
  const name = familiarReference(named);
  return {
    name,
    repository,
    async head(context) {
      const head = await remote.headManifest(named, context);
      // A GET tells why: no such repository, or no right to it.
      if (!head) return described(await remote.getManifest(named, context));
      const { mediaType, digest, size } = head;
      return { mediaType, digest, size };
    },
    resolve: (context) => remote.getManifest(named, context),
    manifest: ({ digest }, context) => remote.getManifest({ ...repository, digest }, context).catch(absent),
    blob: async (descriptor, offset, context) => (await remote.getBlob(repository, descriptor, context, offset)).chunks,
    referrers: async (digest, context) => (await remote.listReferrers(repository, digest, context)).descriptors,
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * With a tag, or a digest that what comes must have; `latest` when the reference has neither. The store remembers how far
 * large uploads are.
 */
export function registryTarget(remote: Remote, reference: Reference, store?: () => Promise<Store>): Target {
  const repository: Repository = { domain: reference.domain, path: reference.path };
  const named: Reference = reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
  const name = familiarReference(named);
  return {
    name,
    takesReferrers: true,
    // A tag is set when all that it names is there.
    async current(context) {
      const digest = (await remote.headForPush(named.tag === undefined ? named : { ...repository, tag: named.tag }, context))?.digest;
      return named.digest !== undefined && named.digest !== digest ? undefined : digest;
    },
    // A registry takes a manifest only when it has what the manifest names.
    has: async ({ digest }, context) => (await remote.headForPush({ ...repository, digest }, context)) !== undefined,
    manifest: ({ digest }, context) => remote.getManifest({ ...repository, digest }, context).catch(absent),
    async putBlob({ descriptor, open, from, transfer }, context) {
      const { digest, size } = descriptor;
      let session;
      if (from?.domain === repository.domain && from.path !== repository.path) {
        // Asking to mount answers "is it here?" too: a registry mounts what the repository has already.
        const answer = await remote.mountBlob(repository, digest, from.path, context).catch((error: unknown) => {
          if (isSiruError(error) && error.code !== 'CANCELLED' && error.code !== 'NETWORK') return undefined; // no right to read there
          throw error;
        });
        if (answer?.mounted) return transfer.state('mounted');
        if (answer) ({ session } = answer);
      }
      if (!session && (await remote.hasBlob(repository, descriptor, context))) return transfer.state('exists');
      transfer.state('moving');
      using kept = size < worthKeeping || !store ? undefined : await keepUpload(await store(), repository, { digest }, size);
      const bytes = (offset: number): AsyncIterable<Uint8Array> => transfer.count(offset === 0 ? verified(open(), descriptor, name) : open(offset), offset);
      await remote.uploadBlob(repository, { open: bytes, digest: () => digest, size, ...kept }, context, kept?.begun ? undefined : session);
      transfer.state('done');
    },
    async putManifest({ bytes, mediaType, digest }, context) {
      await remote.putManifest({ ...repository, digest }, bytes, mediaType, context);
    },
    referrers: async (digest, context) => (await remote.listReferrers(repository, digest, context)).descriptors,
    addReferrer: (subject, referrer, context) => remote.addReferrer(repository, subject, referrer, context),
    async finish({ bytes, mediaType, digest }, _from, context) {
      if (named.digest !== undefined && named.digest !== digest) {
        throw new SiruError('DIGEST', `${name} names a digest, but what is copied has ${digest}`, { hint: 'leave the digest of the target out, and name a tag' });
      }
      await remote.putManifest({ ...named, digest }, bytes, mediaType, context);
    },
    async [Symbol.asyncDispose]() {},
  };
}

function described({ bytes, mediaType, digest }: Document): Descriptor {
  return { mediaType, digest, size: bytes.length };
}

function absent(error: unknown): undefined {
  if (isSiruError(error) && error.code === 'NOT_FOUND') return undefined;
  throw error;
}
