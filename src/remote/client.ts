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
import { listRepositories, searchRepositories } from './catalog.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from './manifests.ts';
import type { RemoteManifest, RemoteManifestHead } from './manifests.ts';
import type { TransportOptions } from './transport.ts';
import { changeReferrersTag, listReferrers, readReferrersTag, referrersIn } from './referrers.ts';
import { listTags } from './tags.ts';
import type { ListOptions } from './tags.ts';
import { startUpload, uploadBlob } from './uploads.ts';
import type { Upload, UploadSession } from './uploads.ts';

export interface RemoteOptions extends TransportOptions {
  registries?: RegistryOptions;
  /** Instead of looking them up in docker's files: for the registry's name in references. */
  credentials?: (registry: string) => Promise<Credentials | undefined>;
  /** Milliseconds until a list of referrers that was written under a tag is looked at again; 250 when not given. */
  settle?: number;
}

export interface Referrers {
  /** Each once. */
  descriptors: Descriptor[];
  /** The registry keeps a list itself. */
  api: boolean;
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
  /** Deletes what the reference's digest, else its tag, names. Throws NOT_FOUND, UNSUPPORTED, AUTH. */
  deleteManifest(reference: Reference, context: Context): Promise<void>;
  listTags(reference: Pick<Reference, 'domain' | 'path'>, context: Context, options?: ListOptions): AsyncIterable<string>;
  /** Names of the repositories, where the registry lists them. Throws UNSUPPORTED when it does not. */
  listRepositories(domain: string, context: Context, options?: ListOptions): AsyncIterable<string>;
  /** Those whose names contain the text, lower case: a registry of Siru looks for them itself, of others the list is read. Throws as listRepositories. */
  searchRepositories(domain: string, text: string, context: Context, options?: ListOptions): AsyncIterable<string>;
  /** Artifacts whose subject has this digest: what the registry lists, and what the index under the tag `sha256-<hex>` does. */
  listReferrers(reference: Pick<Reference, 'domain' | 'path'>, digest: Digest, context: Context, artifactType?: string): Promise<Referrers>;
  /**
   * Sees to it that a referrer that was put is found: nothing is to do where the registry keeps a list itself, which is asked
   * and not guessed from a header. Elsewhere it is added to the index under the tag, beside those of others.
   */
  addReferrer(reference: Pick<Reference, 'domain' | 'path'>, digest: Digest, referrer: Descriptor, context: Context): Promise<void>;
  /** The opposite, for one that was deleted. */
  removeReferrer(reference: Pick<Reference, 'domain' | 'path'>, digest: Digest, referrer: Digest, context: Context): Promise<void>;
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
  const { settle = 250 } = options;
  /** Repositories that have no list of referrers, so that each is asked once. */
  const withoutList = new Set<string>();
  /** Writers of one index wait for each other here; only those elsewhere have to be guessed. */
  const writers = new Map<string, Promise<void>>();

  const ownList = async (endpoint: Endpoint, repository: Pick<Reference, 'domain' | 'path'>, digest: Digest, artifactType: string | undefined, context: Context): Promise<Descriptor[] | undefined> => {
    const key = `${endpoint.host}/${endpoint.prefix}${repository.path}`;
    if (withoutList.has(key)) return undefined;
    const list = await listReferrers(connection, endpoint, repository, digest, artifactType, context);
    if (!list) withoutList.add(key);
    return list;
  };
  const changeTag = async (repository: Pick<Reference, 'domain' | 'path'>, digest: Digest, change: { add?: Descriptor; remove?: Digest }, context: Context): Promise<void> => {
    const key = `${repository.domain}/${repository.path}@${digest}`;
    const write = (writers.get(key) ?? Promise.resolve()).then(() => changeReferrersTag(connection, own(repository), repository, digest, change, settle, context));
    writers.set(key, write.catch(() => {}));
    await write;
  };

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
    deleteManifest: (reference, context) => deleteManifest(connection, own(reference), reference, context),
    async *listTags(reference, context, list = {}) {
      if (list.own) return yield* listTags(connection, own(reference), reference, list, context);
      // The first page says which place answers; the rest comes from there.
      const { tags, head } = await connection.first(reference, context, async (endpoint) => {
        const pages = listTags(connection, endpoint, reference, list, context);
        return { tags: pages, head: await pages.next() };
      });
      if (head.done) return;
      yield head.value;
      yield* tags;
    },
    listRepositories: (domain, context, list = {}) => listRepositories(connection, own({ domain }), list, context),
    searchRepositories: (domain, text, context, list = {}) => searchRepositories(connection, own({ domain }), text, list, context),
    listReferrers: (repository, digest, context, artifactType) => connection.first(repository, context, async (endpoint) => {
      const [listed, tagged] = await Promise.all([
        ownList(endpoint, repository, digest, artifactType, context),
        readReferrersTag(connection, endpoint, repository, digest, context),
      ]);
      const fromTag = referrersIn(tagged).filter((one) => artifactType === undefined || one.artifactType === artifactType);
      const all = new Map([...(listed ?? []), ...fromTag].reverse().map((one) => [one.digest, one]));
      return { descriptors: [...all.values()].reverse(), api: listed !== undefined };
    }),
    async addReferrer(repository, digest, referrer, context) {
      if ((await ownList(own(repository), repository, digest, undefined, context)) === undefined) await changeTag(repository, digest, { add: referrer }, context);
    },
    async removeReferrer(repository, digest, referrer, context) {
      if (await readReferrersTag(connection, own(repository), repository, digest, context)) await changeTag(repository, digest, { remove: referrer }, context);
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
