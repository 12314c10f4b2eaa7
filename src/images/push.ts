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
import type { RegistryError } from '../remote/errors.ts';
import type { RemoteManifestHead } from '../remote/manifests.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { compressLayer, ensureCompressed, knownCompressed, makerOf } from './compress.ts';
import type { CompressionChoice } from './compress.ts';
import { keepUpload } from './keep-upload.ts';
import { createMountSources } from './mount-sources.ts';
import type { MountSources } from './mount-sources.ts';
import { readDocuments, readImage } from './read.ts';
import type { Image, ImageLayer } from './read.ts';
import { startTransfer } from './transfer.ts';
import type { Transfer } from './transfer.ts';
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
  /** Under no tag, and the digest that it comes to. */
  untagged?: boolean;
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
  /** The registry is asked for each blob, whatever it was seen to have. */
  distrust?: boolean;
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
  const repository = { domain: named.domain, path: named.path };
  const reference: Reference = byDigest ? { ...repository, digest } : options.untagged ? repository : { ...named, tag: named.tag ?? 'latest' };
  // What has a name in some registry keeps its digest.
  const fixed = byDigest || options.compression === 'none' || image.repoDigests.some((name) => name.endsWith(`@${digest}`));
  const pushing: Pushing = { ...options, reference, fixed, mounts: createMountSources(store, reference) };
  const push = (how: Pushing): Promise<PushResult> => (isIndex(mediaType) ? pushIndex(how, context) : pushManifest(how, digest, reference, context));
  const result = await push(pushing).catch((error: unknown) => {
    if (!lacksBlob(error)) throw error;
    // It has lost what it was seen to have: collected there, perhaps.
    store.registries.forgetBlobs(reference.domain, reference.path);
    context.emit({ type: 'status', text: `${reference.domain} lacks blobs that it had; asking for each` });
    return push({ ...pushing, distrust: true });
  });
  // With what was sent under the local image, `images --digests` can tell what the registry calls it.
  const kept = store.images.byId(digest).some(({ descriptor }) => descriptor.digest === digest);
  if (kept) store.images.addRepoDigest(digest, `${reference.domain}/${reference.path}@${result.digest}`);
  return result;
}

async function pushIndex(pushing: Pushing, context: Context): Promise<PushResult> {
  const { store, remote, image, reference } = pushing;
  const bytes = store.blobs.read(image.descriptor.digest);
  const untagged: Reference = { domain: reference.domain, path: reference.path };
  const document = readDocuments(bytes, image.descriptor.mediaType, image.descriptor.digest);
  if (document.type !== 'index') throw new SiruError('DOCUMENT', `${image.descriptor.digest} is no index`);
  const { manifests } = document.index;
  // The layers of an index that was made here are compressed on their way, which gives its children other digests.
  const documentOf = (children: ReadonlyMap<Descriptor, Descriptor>): Buffer =>
    [...children].every(([before, after]) => before.digest === after.digest) ? bytes
      : Buffer.from(JSON.stringify({ ...document.index, manifests: manifests.map((child) => children.get(child) ?? child) }, null, 2));
  const known = knownChildren(pushing, manifests);
  if (known) {
    const final = documentOf(known);
    if (await retag(pushing, final, image.descriptor.mediaType, context)) return { digest: sha256(final), size: final.length };
  }
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
    children.set(child, { ...child, digest, size });
  }
  const sent = documentOf(children);
  const digest = await remote.putManifest(reference, sent, image.descriptor.mediaType, context);
  return { digest, size: sent.length };
}

/** The children as they will be called there, when that is known before anything is sent. */
function knownChildren(pushing: Pushing, manifests: readonly Descriptor[]): Map<Descriptor, Descriptor> | undefined {
  const known = new Map<Descriptor, Descriptor>();
  if (pushing.fixed) return known;
  for (const child of manifests) {
    if (!isWhole(pushing.store, child)) continue;
    const { bytes } = prepare(pushing, child.digest);
    if (!bytes) return undefined;
    known.set(child, { ...child, digest: sha256(bytes), size: bytes.length });
  }
  return known;
}

/** True for a manifest that was refused because the repository lacks what it names. */
function lacksBlob(error: unknown): boolean {
  if (!isSiruError(error) || !('errors' in error)) return false;
  return (error as RegistryError).errors.some(({ code }) => code === 'MANIFEST_BLOB_UNKNOWN' || code === 'BLOB_UNKNOWN');
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

interface Prepared {
  source: Source;
  choice: CompressionChoice;
  /** Of each layer what is sent, where that is known already. */
  known: (Descriptor | undefined)[];
  /** Layers that change their form on the way. */
  open: (layer: Descriptor) => boolean;
  /** The manifest, when all is known. */
  bytes?: Buffer;
}

function prepare({ store, fixed, compression, level }: Pushing, digest: Digest): Prepared {
  const source = readManifest(store, digest);
  const choice: CompressionChoice = { compression: compression === 'zstd' ? 'zstd' : 'gzip', level, docker: source.mediaType === mediaTypes.dockerManifest };
  const open = (layer: Descriptor): boolean => !fixed && compressionOf(layer.mediaType) === 'none';
  const known = source.layers.map((layer) => (open(layer.descriptor) ? knownCompressed(store, layer, choice) : layer.descriptor));
  const all = known.filter((descriptor) => descriptor !== undefined);
  return { source, choice, known, open, bytes: all.length === known.length ? manifestBytes(source, all) : undefined };
}

/** Pushes one manifest under `target`: its tag, or the digest that it comes to when that names neither. */
async function pushManifest(pushing: Pushing, manifestDigest: Digest, target: Reference, context: Context): Promise<PushResult> {
  const { store, remote, reference } = pushing;
  const { source, choice, known, open, bytes: expected } = prepare(pushing, manifestDigest);

  // When every descriptor is known before anything is sent, one question may spare all the rest.
  if (expected) {
    const digest = sha256(expected);
    if (target.tag === undefined ? await remote.headForPush({ ...target, digest }, context) : await retag(pushing, expected, source.mediaType, context)) {
      for (const layer of known) startTransfer(context, 'push', shortId(layer!.digest), layer!.size).state('exists');
      store.registries.sawBlobs(reference.domain, reference.path, [source.config, ...known].map((blob) => blob!.digest));
      return { digest, size: expected.length };
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
async function retag({ remote, reference, image }: Pushing, bytes: Buffer, mediaType: string, context: Context): Promise<boolean> {
  const digest = sha256(bytes);
  const { domain, path } = reference;
  const askTag = (): Promise<RemoteManifestHead | undefined> => remote.headForPush(reference, context);
  const askDigest = (): Promise<RemoteManifestHead | undefined> => remote.headForPush({ domain, path, digest }, context);
  // What was pushed there before is likely to have the tag still.
  const tag = askTag();
  if (image.repoDigests.includes(`${domain}/${path}@${digest}`) && (await tag)?.digest === digest) return true;
  const [tagged, present] = await Promise.all([tag, askDigest()]);
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
async function pushBlob(pushing: Pushing, descriptor: Descriptor, context: Context, made?: LayerForm, what: string = shortId(descriptor.digest)): Promise<Descriptor> {
  const { store, reference, mounts } = pushing;
  const transfer = startTransfer(context, 'push', what, descriptor.size);
  try {
    if (!pushing.distrust && mounts.isThere(descriptor.digest)) {
      transfer.state('exists');
      return descriptor;
    }
    transfer.state(await sendBlob(pushing, descriptor, transfer, made, context));
    store.registries.sawBlobs(reference.domain, reference.path, [descriptor.digest]);
    return descriptor;
  } catch (error) {
    transfer.state('failed');
    throw error;
  }
}

async function sendBlob({ store, remote, reference, mounts }: Pushing, descriptor: Descriptor, transfer: Transfer, made: LayerForm | undefined, context: Context): Promise<'exists' | 'mounted' | 'done'> {
  const { digest, size } = descriptor;
  using kept = await keepUpload(store, reference, made ?? { digest }, size);
  const from = kept.begun ? undefined : mounts.repositoryOf(digest);
  let session;
  if (from !== undefined) {
    // Asking to mount answers "is it here?" too: a registry mounts what the repository has already.
    const answer = await remote.mountBlob(reference, digest, from, context).catch((error: unknown) => {
      if (isSiruError(error) && error.code !== 'CANCELLED' && error.code !== 'NETWORK') return undefined; // no right to read there
      throw error;
    });
    if (answer?.mounted) return 'mounted';
    session = answer?.session;
  }
  if (!session && (await remote.hasBlob(reference, descriptor, context))) {
    if (kept.begun) kept.keep?.(undefined);
    return 'exists';
  }
  transfer.state('moving');
  const path = store.blobs.path(digest);
  const open = (offset: number): AsyncIterable<Uint8Array> => transfer.count(readChunks(path, { start: offset }), offset);
  await remote.uploadBlob(reference, { open, digest: () => digest, size, ...kept }, context, session);
  return 'done';
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
        store.registries.sawBlobs(reference.domain, reference.path, [made!.digest]);
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
