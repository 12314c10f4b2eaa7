/** Brings an image from a registry into the store. */
import { SiruError, isSiruError } from '../base/errors.ts';
import type { Context } from '../base/context.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { shortId, type Digest } from '../oci/digest.ts';
import { isIndex, isManifest } from '../oci/media-types.ts';
import { formatPlatform, hostPlatform, matchesPlatform } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, formatReference } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import type { Remote } from '../remote/client.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { fetchManifest } from './fetch-manifest.ts';
import { checkPlatform } from './platform.ts';
import { joinConfig, readImage } from './read.ts';
import { noteAsked } from './revalidation.ts';
import { takeBlob } from './take-blob.ts';
import { startTransfer } from './transfer.ts';
import { together } from './together.ts';

export interface PullOptions {
  store: Store;
  remote: Remote;
  reference: Reference;
  /** The host's when not given; then an image that is for one other platform alone is taken with a warning. */
  platform?: Platform;
  /** An image that is for one platform alone is taken even when it is for another one than `platform`. */
  takeSingle?: boolean;
  /** `missing` asks no registry when the image is here for the platform; `never` asks none at all. `always` when not given. */
  policy?: 'always' | 'missing' | 'never';
  /** What the registry said just now that the reference stands for: it is not asked again. */
  head?: Digest;
}

const parallel = 4;
/**
 * Pulls an image: the manifest, and for an index the one child that the platform chooses; the config; and the layers that
 * are not here yet. The name is set when all is here. Throws NOT_FOUND, PLATFORM, AUTH, NETWORK, REGISTRY, DIGEST,
 * DOCUMENT, UNSUPPORTED, STORE, CANCELLED; the store is then as before but for whole blobs that nothing names.
 */
export async function pullImage(options: PullOptions, context: Context): Promise<StoredImage> {
  const { store, remote, policy = 'always' } = options;
  const reference = options.reference.tag === undefined && options.reference.digest === undefined ? { ...options.reference, tag: 'latest' } : options.reference;
  const what = familiarReference(reference);
  const local = localImage(store, reference, options.platform, policy === 'always');
  if (policy !== 'always' && local) return local;
  if (policy === 'never') {
    throw new SiruError('NOT_FOUND', `no image ${what} here, and pulling is switched off`, { hint: `pull it first: siru pull ${what}` });
  }
  // What a digest names never changes, and what a tag names is cheap to ask.
  if (local && reference.digest !== undefined) return local;
  if (local && (options.head ?? (await remote.headManifest(reference, context))?.digest) === local.descriptor.digest) {
    noteAsked(store, reference);
    context.emit({ type: 'status', text: `${what} is up to date` });
    return local;
  }

  const { top, documents, descriptor, manifest } = await fetchManifest(remote, reference, options.platform ?? hostPlatform(), store, context);
  const { config: configDescriptor } = manifest;

  await fetchBlob(options, reference, configDescriptor, context);
  const { config, layers } = joinConfig(manifest, what, store.blobs.read(configDescriptor.digest));
  if (options.platform && !(options.takeSingle && isManifest(top.mediaType))) checkPlatform(config, options.platform, what);
  else if (!options.platform && isManifest(top.mediaType)) warnOfPlatform(config, what, context);

  const distinct = new Map(layers.map((layer) => [layer.descriptor.digest, layer.descriptor]));
  await together([...distinct.values()], parallel, context, (layer, inner) => fetchBlob(options, reference, layer, inner));

  for (const bytes of documents) store.blobs.put(bytes);
  const image = { descriptor: { mediaType: top.mediaType, digest: top.digest, size: top.size }, imageId: configDescriptor.digest, manifest: descriptor.digest };
  store.images.put(image);
  store.registries.sawBlobs(reference.domain, reference.path, [configDescriptor.digest, ...distinct.keys()]);
  store.images.addRepoDigest(top.digest, `${reference.domain}/${reference.path}@${top.digest}`);
  // A reference with a digest names by that alone: docker makes no tag of `app:1@sha256:...` either.
  if (reference.tag !== undefined && reference.digest === undefined) {
    store.images.tag(formatReference(reference), top.digest);
    noteAsked(store, reference);
  }
  return store.images.byId(top.digest).find((stored) => stored.descriptor.digest === top.digest)!;
}

/** The image when all of it is here for the platform. */
function localImage(store: Store, reference: Reference, wanted: Platform | undefined, fresh: boolean): StoredImage | undefined {
  const stored = reference.digest === undefined
    ? store.images.byName(formatReference(reference))
    : store.images.byId(reference.digest).find(({ descriptor, manifest }) => descriptor.digest === reference.digest || manifest === reference.digest);
  if (!stored) return undefined;
  // Without a wish, whatever is here will do, but a pull brings what this machine runs.
  const platform = wanted ?? (fresh && isIndex(stored.descriptor.mediaType) ? hostPlatform() : undefined);
  try {
    const image = readImage(store, stored, platform);
    return image.layers.every(({ descriptor }) => store.blobs.has(descriptor.digest, descriptor.size)) ? stored : undefined;
  } catch (error) {
    if (error instanceof SiruError && ['PLATFORM', 'NOT_FOUND', 'DIGEST', 'DOCUMENT'].includes(error.code)) return undefined;
    throw error;
  }
}

/** Fetches a blob unless it is here. Of several pulls that want it, in this process or another, one fetches it. */
async function fetchBlob({ store, remote }: PullOptions, reference: Reference, descriptor: Descriptor, context: Context): Promise<void> {
  const { digest, size } = descriptor;
  const transfer = startTransfer(context, 'pull', shortId(digest), size);
  if (store.blobs.has(digest, size)) return transfer.state('exists');
  transfer.state('waiting');
  using _lock = await store.lock(`blob:${digest}`, context);
  if (store.blobs.has(digest, size)) return transfer.state('exists');
  transfer.state('moving');
  try {
    await takeBlob(store, descriptor, {
      open: async (begun) => (await remote.getBlob(reference, descriptor, context, begun)).chunks,
      transfer,
      onUseless: ({ message }) => context.emit({ type: 'status', text: `the part of ${shortId(digest)} that came before is of no use (${message}); fetching it from the start` }),
    });
  } catch (error) {
    transfer.state('failed');
    if (!isSiruError(error) || error.code !== 'DIGEST') throw error;
    throw new SiruError('DIGEST', `${familiarReference(reference)}: the blob that came is not the one that was asked for: ${error.message}`, {
      hint: 'try again; if it stays so, the registry, a mirror or a proxy on the way holds a damaged copy',
      cause: error,
    });
  }
  transfer.state('done');
}

function warnOfPlatform({ os, architecture, variant }: ImageConfig, what: string, context: Context): void {
  const own = { os, architecture, variant };
  if (matchesPlatform(hostPlatform(), own)) return;
  context.emit({ type: 'warning', text: `${what} is an image for ${formatPlatform(own)}, this machine is ${formatPlatform(hostPlatform())}` });
}
