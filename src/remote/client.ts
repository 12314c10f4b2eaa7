/**
 * The registry client (OCI distribution spec 1.1). One client serves one call of the library: it keeps connections, tokens
 * and what it learned of hosts until it is closed. Load this module only when a registry is needed.
 *
 *     await using remote = createRemote({ registries })
 *     const { bytes, mediaType, digest } = await remote.getManifest(reference, context)
 *     const { chunks } = await remote.getBlob(reference, descriptor, context)
 *
 * Reads ask the mirrors of the reference's registry first, in order, then the registry itself; writes go to the registry.
 */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import { getBlob, hasBlob } from './blobs.ts';
import type { RemoteBlob } from './blobs.ts';
import { loadConfiguration } from './configuration.ts';
import type { RegistryOptions } from './configuration.ts';
import { createConnection } from './connection.ts';
import { openCredentials } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { endpointsOf } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { getManifest, headManifest, putManifest } from './manifests.ts';
import type { RemoteManifest, RemoteManifestHead } from './manifests.ts';
import type { TransportOptions } from './transport.ts';
import { listTags } from './tags.ts';
import { startUpload, uploadBlob } from './uploads.ts';
import type { Upload, UploadSession } from './uploads.ts';

export interface RemoteOptions extends TransportOptions {
  registries?: RegistryOptions;
  /** Instead of looking them up in docker's files: for the registry's name in references. */
  credentials?: (registry: string) => Promise<Credentials | undefined>;
}

export interface Remote extends AsyncDisposable {
  getManifest(reference: Reference, context: Context): Promise<RemoteManifest>;
  /** What a name stands for now; undefined when nothing. Does not count against Docker Hub's pull limit. */
  headManifest(reference: Reference, context: Context): Promise<RemoteManifestHead | undefined>;
  /** The same question to the registry that a push would go to, with the rights of a push. */
  headForPush(reference: Reference, context: Context): Promise<RemoteManifestHead | undefined>;
  /** Opens a blob from an offset (0 when not given). The consumer checks the digest; the size is checked here. */
  getBlob(reference: Reference, descriptor: Descriptor, context: Context, offset?: number): Promise<RemoteBlob>;
  /** True when the repository that a push would go to has the blob. */
  hasBlob(reference: Reference, descriptor: Pick<Descriptor, 'digest' | 'size'>, context: Context): Promise<boolean>;
  /** Takes a blob over from another repository of the same registry; gives an open session when the registry would not. */
  mountBlob(reference: Reference, digest: Digest, fromPath: string, context: Context): Promise<{ mounted: true } | { mounted: false; session: UploadSession }>;
  uploadBlob(reference: Reference, upload: Upload, context: Context, session?: UploadSession): Promise<void>;
  /** Puts a manifest under the tag, or under its digest when the reference has no tag. Gives its digest. */
  putManifest(reference: Reference, bytes: Uint8Array, mediaType: string, context: Context): Promise<Digest>;
  listTags(reference: Reference, context: Context): AsyncIterable<string>;
  /** Asks the registry whether it is one and takes our credentials. Throws NETWORK, AUTH, REGISTRY. */
  ping(domain: string, context: Context): Promise<void>;
  close(): void;
}

/** Reads Siru's configuration file (throws CONFIG); connects to nothing yet. */
export function createRemote(options: RemoteOptions = {}): Remote {
  const configuration = loadConfiguration(options.registries, options.environment);
  const files = openCredentials({ dockerConfig: configuration.dockerConfig, environment: options.environment });
  const connection = createConnection({ ...options, configuration, credentials: options.credentials ?? ((registry) => files.get(registry)) });
  const own = (reference: Pick<Reference, 'domain'>): Endpoint => endpointsOf(reference, configuration, 'push')[0]!;

  const remote: Remote = {
    getManifest: (reference, context) => connection.first(reference, context, (endpoint) => getManifest(connection, endpoint, reference, context)),
    async headManifest(reference, context) {
      // "Not there" of a mirror is no answer yet: the registry itself is asked too.
      const endpoints = endpointsOf(reference, configuration, 'pull');
      const last = endpoints.at(-1)!;
      let missing = false;
      try {
        return await connection.first(reference, context, async (endpoint) => {
          const head = await headManifest(connection, endpoint, reference, 'pull', context);
          if (head === undefined) missing = true;
          if (head === undefined && endpoint.host !== last.host) throw notHere(endpoint.host);
          return head;
        });
      } catch (error) {
        if (missing && (error as { code?: string }).code === 'NOT_FOUND') return undefined;
        throw error;
      }
    },
    headForPush: (reference, context) => headManifest(connection, own(reference), reference, 'push', context),
    getBlob: (reference, descriptor, context, offset = 0) =>
      connection.first(reference, context, (endpoint) => getBlob(connection, endpoint, reference, descriptor, offset, context)),
    hasBlob: (reference, descriptor, context) => hasBlob(connection, own(reference), reference, descriptor, context),
    mountBlob: (reference, digest, from, context) => startUpload(connection, own(reference), reference, { digest, from }, context),
    uploadBlob: (reference, upload, context, session) => uploadBlob(connection, own(reference), reference, upload, session, context),
    putManifest: (reference, bytes, mediaType, context) => putManifest(connection, own(reference), reference, bytes, mediaType, context),
    async *listTags(reference, context) {
      // The first page says which place answers; the rest comes from there.
      const { tags, head } = await connection.first(reference, context, async (endpoint) => {
        const pages = listTags(connection, endpoint, reference, context);
        return { tags: pages, head: await pages.next() };
      });
      if (head.done) return;
      yield head.value;
      yield* tags;
    },
    ping: (domain, context) => connection.ping(own({ domain }), context),
    close: () => connection.close(),
    async [Symbol.asyncDispose]() {
      remote.close();
    },
  };
  return remote;
}

function notHere(host: string): SiruError {
  return new SiruError('NOT_FOUND', `${host} has no such manifest`);
}
