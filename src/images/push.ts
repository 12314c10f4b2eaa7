/** Brings an image from the store to a registry. */
import { SiruError, isSiruError } from '../base/errors.ts';
import type { Context } from '../base/context.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { sha256, shortId } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { compressionOf, isIndex, mediaTypes } from '../oci/media-types.ts';
import type { Compression } from '../oci/media-types.ts';
import { familiarReference } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import { readChunks } from '../layer/compress.ts';
import type { Remote } from '../remote/client.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { compressLayer, ensureCompressed, knownCompressed, makerOf } from './compress.ts';
import type { CompressionChoice } from './compress.ts';
import { keepUpload } from './keep-upload.ts';
import { createMountSources } from './mount-sources.ts';
import type { MountSources } from './mount-sources.ts';
import { readDocuments, readImage } from './read.ts';
import type { Image, ImageLayer } from './read.ts';
import { startTransfer } from './transfer.ts';
import { together } from './together.ts';

export interface PushOptions {
  store: Store;
  remote: Remote;
  image: StoredImage;
  /** Where to: with a tag, or `latest`. */
  reference: Reference;
  /** For layers that are not compressed yet; gzip when not given. Compressed ones go as they are. */
  compression?: Compression;
  /** Level of the compression; its own default when not given. */
  level?: number;
  /** Under the digest that it has here, and no tag: nothing changes its form. */
  byDigest?: boolean;
}

export interface PushResult {
  /** Of what the tag now names. */
  digest: Digest;
  /** Bytes of the manifest or index. */
  size: number;
}

interface Pushing extends PushOptions {
  mounts: MountSources;
  /** No layer changes its form. */
  fixed: boolean;
}

const parallel = 4;

/**
 * Pushes an image, or an index with those children that are here. Only what the registry lacks is sent. An image that came
 * from a registry goes as it came, byte for byte; the layers of one made here are compressed once, while they are sent, and
 * remembered. Throws AUTH, NETWORK, REGISTRY, NOT_FOUND (a blob is missing here), STORE, CANCELLED.
 */
export async function pushImage(options: PushOptions, context: Context): Promise<PushResult> {
  const { store, image, byDigest = false } = options;
  const { digest, mediaType } = image.descriptor;
  const { digest: _digest, ...named } = options.reference;
  const reference: Reference = byDigest ? { domain: named.domain, path: named.path, digest } : { ...named, tag: named.tag ?? 'latest' };
  // What has a name in some registry keeps its digest.
  const fixed = byDigest || options.compression === 'none' || image.repoDigests.some((name) => name.endsWith(`@${digest}`));
  const pushing: Pushing = { ...options, reference, fixed, mounts: createMountSources(store, reference) };
  const result = isIndex(mediaType) ? await pushIndex(pushing, context) : await pushManifest(pushing, digest, reference, context);
  // With what was sent under the local image, `images --digests` can tell what the registry calls it.
  const kept = store.images.byId(digest).some(({ descriptor }) => descriptor.digest === digest);
  if (kept) store.images.addRepoDigest(digest, `${reference.domain}/${reference.path}@${result.digest}`);
  return result;
}

async function pushIndex(pushing: Pushing, context: Context): Promise<PushResult> {
  const { store, remote, image, reference } = pushing;
  const bytes = store.blobs.read(image.descriptor.digest);
  const untagged: Reference = { domain: reference.domain, path: reference.path };
  if (await retag(pushing, bytes, image.descriptor.mediaType, context)) return { digest: image.descriptor.digest, size: bytes.length };
  const document = readDocuments(bytes, image.descriptor.mediaType, image.descriptor.digest);
  if (document.type !== 'index') throw new SiruError('DOCUMENT', `${image.descriptor.digest} is no index`);
  const { manifests } = document.index;
  const here = manifests.filter((child) => isWhole(store, child));
  for (const child of manifests) {
    if (here.includes(child)) continue;
    if (await remote.headForPush({ ...untagged, digest: child.digest }, context)) continue;
    // A registry takes no index whose children it lacks.
    context.emit({ type: 'warning', text: `${familiarReference(reference)}: not all platforms of the image are here; only the one that is goes to the registry` });
    return await pushManifest(pushing, image.manifest, reference, context);
  }
  const children = new Map<Descriptor, Descriptor>();
  for (const child of here) {
    const { digest, size } = await pushManifest(pushing, child.digest, pushing.fixed ? { ...untagged, digest: child.digest } : untagged, context);
    if (digest !== child.digest) children.set(child, { ...child, digest, size });
  }
  // The layers of an index that was made here were compressed on their way.
  const sent = children.size === 0 ? bytes : Buffer.from(JSON.stringify({ ...document.index, manifests: manifests.map((child) => children.get(child) ?? child) }, null, 2));
  const digest = await remote.putManifest(reference, sent, image.descriptor.mediaType, context);
  return { digest, size: sent.length };
}

/** True when a child of an index and all that it names is here. */
function isWhole(store: Store, child: Descriptor): boolean {
  if (!store.blobs.has(child.digest)) return false;
  try {
    const document = readDocuments(store.blobs.read(child.digest), child.mediaType, child.digest);
    if (document.type === 'index') return document.index.manifests.every((inner) => isWhole(store, inner));
    return [document.manifest.config, ...document.manifest.layers].every(({ digest }) => store.blobs.has(digest));
  } catch {
    return false;
  }
}

/** Pushes one manifest under `target`: its tag, or the digest that it comes to when that names neither. */
async function pushManifest(pushing: Pushing, manifestDigest: Digest, target: Reference, context: Context): Promise<PushResult> {
  const { store, remote, fixed } = pushing;
  const source = readManifest(store, manifestDigest);
  const docker = source.mediaType === mediaTypes.dockerManifest;
  const choice: CompressionChoice = { compression: pushing.compression === 'zstd' ? 'zstd' : 'gzip', level: pushing.level, docker };
  const open = (layer: Descriptor): boolean => !fixed && compressionOf(layer.mediaType) === 'none';

  // When every descriptor is known before anything is sent, one question may spare all the rest.
  const known = source.layers.map((layer) => (open(layer.descriptor) ? knownCompressed(store, layer, choice) : layer.descriptor));
  if (known.every((descriptor) => descriptor !== undefined)) {
    const bytes = manifestBytes(source, known);
    const digest = sha256(bytes);
    if (target.tag === undefined ? await remote.headForPush({ ...target, digest }, context) : await retag(pushing, bytes, source.mediaType, context)) {
      for (const { digest: layer, size } of known) startTransfer(context, 'push', shortId(layer), size).state('exists');
      return { digest, size: bytes.length };
    }
  }

  const config = { kind: 'blob', descriptor: source.config } as const;
  const tasks = [config, ...source.layers.map((layer, index) => ({ kind: 'layer', layer, index, known: known[index] }) as const)];
  const seen = new Map<string, Promise<Descriptor>>();
  const descriptors = await together(tasks, parallel, context, (task, inner) => {
    const key = task.kind === 'blob' ? task.descriptor.digest : (task.known?.digest ?? task.layer.diffId);
    let sending = seen.get(key);
    if (!sending) {
      sending = task.kind === 'blob' ? pushBlob(pushing, task.descriptor, inner)
        : task.known ? pushBlob(pushing, task.known, inner, open(task.layer.descriptor) ? formOf(task.layer, choice) : undefined)
        : pushUncompressed(pushing, task.layer, choice, inner);
      seen.set(key, sending);
    }
    return sending;
  });
  const bytes = manifestBytes(source, descriptors.slice(1));
  const place = target.tag === undefined ? { ...target, digest: sha256(bytes) } : target;
  const digest = await remote.putManifest(place, bytes, source.mediaType, context);
  return { digest, size: bytes.length };
}

/** A manifest of any artifact: what is no container image has no diff IDs, and is pushed as it is. */
interface Source {
  bytes: Buffer;
  mediaType: string;
  config: Descriptor;
  layers: ImageLayer[];
  manifest: Image['manifest'];
}

function readManifest(store: Store, digest: Digest): Source {
  const bytes = store.blobs.read(digest);
  const document = readDocuments(bytes, undefined, digest);
  if (document.type !== 'manifest') throw new SiruError('DOCUMENT', `${digest} is no manifest`);
  const { manifest } = document;
  const mediaType = manifest.mediaType ?? mediaTypes.manifest;
  const isImage = manifest.config.mediaType === mediaTypes.config || manifest.config.mediaType === mediaTypes.dockerConfig;
  const layers = isImage ? readImage(store, digest).layers : manifest.layers.map((descriptor) => ({ descriptor, diffId: descriptor.digest }));
  return { bytes, mediaType, config: manifest.config, layers, manifest };
}

function manifestBytes(source: Source, layers: Descriptor[]): Buffer {
  if (layers.every((layer, index) => layer.digest === source.layers[index]!.descriptor.digest)) return source.bytes;
  return Buffer.from(JSON.stringify({ ...source.manifest, layers }));
}

/** When the repository has this manifest already, only the tag has to be set, if at all. False when it has not. */
async function retag({ remote, reference }: Pushing, bytes: Buffer, mediaType: string, context: Context): Promise<boolean> {
  const digest = sha256(bytes);
  const [tagged, present] = await Promise.all([
    remote.headForPush(reference, context),
    remote.headForPush({ domain: reference.domain, path: reference.path, digest }, context),
  ]);
  if (present?.digest !== digest) return false;
  if (tagged?.digest !== digest) await remote.putManifest(reference, bytes, mediaType, context);
  return true;
}

/** What an upload of a layer is remembered by: its digest is known at its end only. Another zlib may give other bytes. */
interface LayerForm {
  digest: Digest;
  form: string;
}

function formOf({ diffId }: ImageLayer, choice: CompressionChoice): LayerForm {
  return { digest: diffId, form: `${makerOf(choice)} ${process.versions.zlib}` };
}

/** Sends a blob of the store unless the registry has it, or can take it from another repository. */
async function pushBlob({ store, remote, reference, mounts }: Pushing, descriptor: Descriptor, context: Context, made?: LayerForm, what: string = shortId(descriptor.digest)): Promise<Descriptor> {
  const { digest, size } = descriptor;
  const transfer = startTransfer(context, 'push', what, size);
  try {
    using kept = await keepUpload(store, reference, made ?? { digest }, size);
    const from = kept.begun ? undefined : mounts.repositoryOf(digest);
    let session;
    if (from === undefined) {
      if (await remote.hasBlob(reference, descriptor, context)) {
        transfer.state('exists');
        return descriptor;
      }
    } else {
      // Asking to mount answers "is it here?" too: a registry mounts what the repository has already.
      const answer = await remote.mountBlob(reference, digest, from, context).catch((error: unknown) => {
        if (isSiruError(error) && error.code !== 'CANCELLED' && error.code !== 'NETWORK') return undefined; // no right to read there
        throw error;
      });
      if (answer?.mounted) {
        transfer.state('mounted');
        return descriptor;
      }
      if (answer) ({ session } = answer);
      else if (await remote.hasBlob(reference, descriptor, context)) {
        transfer.state('exists');
        return descriptor;
      }
    }
    transfer.state('moving');
    const path = store.blobs.path(digest);
    const open = (offset: number): AsyncIterable<Uint8Array> => transfer.count(readChunks(path, { start: offset }), offset);
    await remote.uploadBlob(reference, { open, digest: () => digest, size, ...kept }, context, session);
    transfer.state('done');
    return descriptor;
  } catch (error) {
    transfer.state('failed');
    throw error;
  }
}

/** Compresses a layer and sends it at the same time. */
async function pushUncompressed(pushing: Pushing, layer: ImageLayer, choice: CompressionChoice, context: Context): Promise<Descriptor> {
  const { store, remote, reference } = pushing;
  const form = formOf(layer, choice);
  let made: Descriptor | undefined;
  {
    using _lock = await store.lock(`compress:${layer.diffId}`, context);
    using kept = await keepUpload(store, reference, form, undefined);
    made = knownCompressed(store, layer, choice);
    // Where the registry has a part of it already, its whole is needed to go on.
    if (!made && !kept.begun) {
      const transfer = startTransfer(context, 'push', shortId(layer.diffId));
      const open = (): AsyncIterable<Uint8Array> => transfer.count(compressLayer(store, layer, choice, (descriptor) => (made = descriptor), context));
      try {
        transfer.state('moving');
        await remote.uploadBlob(reference, { open, once: true, digest: () => made!.digest, keep: kept.keep }, context);
        transfer.state('done');
        return made!;
      } catch (error) {
        if (!isSiruError(error) || (error.code !== 'NETWORK' && error.code !== 'REGISTRY')) {
          transfer.state('failed');
          throw error;
        }
        context.emit({ type: 'status', text: `sending ${shortId(layer.diffId)} broke off (${error.message}); sending it anew` });
      }
    }
  }
  // Under the name that it had: for people it is one layer, whatever becomes of it.
  return await pushBlob(pushing, made ?? (await ensureCompressed(store, layer, choice, context)), context, form, shortId(layer.diffId));
}
