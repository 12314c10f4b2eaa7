/** The store as a place to copy from and to. */
import type { Context } from '../../base/context.ts';
import { SiruError, isSiruError } from '../../base/errors.ts';
import { readChunks } from '../../layer/compress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isSha256 } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import { isIndex } from '../../oci/media-types.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Store, StoredImage } from '../../store/store.ts';
import { checkImage, readDocuments, readImage } from '../read.ts';
import { parseTagName } from '../tag.ts';
import { takeBlob } from '../take-blob.ts';
import type { Document, Source, Target } from './place.ts';

export type UnnamedImage = Pick<StoredImage, 'descriptor' | 'imageId' | 'manifest'>;

/** An image of the store, or one whose blobs alone are there. Of an index that is not here whole, the image that is. */
export function storeSource(store: Store, image: UnnamedImage, name: string): Source {
  const manifest = async ({ digest, mediaType }: Pick<Descriptor, 'digest' | 'mediaType'>): Promise<Document | undefined> => {
    if (!isSha256(digest) || !store.blobs.has(digest)) return undefined;
    return { bytes: store.blobs.read(digest), mediaType, digest };
  };
  const resolve = async (context: Context): Promise<Document> => {
    const { descriptor } = image;
    if (!isIndex(descriptor.mediaType) || isWhole(store, descriptor)) return (await manifest(descriptor))!;
    context.emit({ type: 'warning', text: `${name}: not all platforms of the image are here; only the one that is goes on` });
    const one = readImage(store, { repoDigests: [], updated: 0, names: [], ...image });
    return (await manifest(one.descriptor))!;
  };
  return {
    name,
    resolve,
    manifest,
    async head(context) {
      const { bytes, mediaType, digest } = await resolve(context);
      return { mediaType, digest, size: bytes.length };
    },
    async blob({ digest }, offset, context) {
      return readChunks(store.blobs.path(digest), { signal: context.signal, start: offset });
    },
    referrers: async () => [],
    async [Symbol.asyncDispose]() {},
  };
}

export interface StoreTargetOptions {
  store: Store;
  /** For people. */
  name: string;
  /** Which child of an index is the image. */
  platform: Platform | undefined;
  /** Gets what came; keeps it under a name when not given. */
  done?: (image: UnnamedImage, context: Context) => Promise<void>;
}

/** Takes container images only: what refers to one stays where it is. */
export function storeTarget({ store, name, platform, done }: StoreTargetOptions): Target {
  const tag = done ? undefined : parseTagName(name);
  const check = ({ digest }: Pick<Descriptor, 'digest'>): void => {
    if (!isSha256(digest)) throw new SiruError('UNSUPPORTED', `${String(digest)} is no sha256 digest; the store keeps no others`);
  };
  return {
    name,
    takesReferrers: false,
    current: async () => undefined,
    has: async () => false,
    manifest: async () => undefined,
    async putBlob({ descriptor, open, transfer }, context) {
      const { digest, size } = descriptor;
      check(descriptor);
      if (store.blobs.has(digest, size)) return transfer.state('exists');
      transfer.state('waiting');
      using _lock = await store.lock(`blob:${digest}`, context);
      if (store.blobs.has(digest, size)) return transfer.state('exists');
      transfer.state('moving');
      await takeBlob(store, descriptor, { open, transfer });
      transfer.state('done');
    },
    async putManifest(document) {
      check(document);
      store.blobs.put(document.bytes);
    },
    referrers: async () => [],
    addReferrer: async () => {},
    async finish(document, from, context) {
      const { bytes, mediaType, digest } = document;
      check(document);
      const read = readDocuments(bytes, mediaType, name);
      if (read.type === 'manifest') checkImage(read.manifest, name);
      store.blobs.put(bytes);
      const { configDigest, manifestDigest } = imageIn(store, digest, platform);
      const image: UnnamedImage = { descriptor: { mediaType, digest, size: bytes.length }, imageId: configDigest, manifest: manifestDigest };
      if (done) return await done(image, context);
      store.images.put(image);
      if (from) store.images.addRepoDigest(digest, `${from.domain}/${from.path}@${digest}`);
      store.images.tag(tag!, digest);
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Of an index the host's platform when nobody asked for one, and the first when there is none for it. */
function imageIn(store: Store, digest: Digest, platform: Platform | undefined): { configDigest: Digest; manifestDigest: Digest } {
  try {
    return readImage(store, digest, platform);
  } catch (error) {
    if (platform !== undefined || !isSiruError(error) || error.code !== 'PLATFORM') throw error;
    const read = readDocuments(store.blobs.read(digest), undefined, digest);
    const child = read.type === 'index' ? read.index.manifests.find((one) => one.platform?.os !== 'unknown') : undefined;
    if (!child) throw error;
    return imageIn(store, child.digest, platform);
  }
}

function isWhole(store: Store, { digest, mediaType, size }: Descriptor): boolean {
  if (!isSha256(digest) || !store.blobs.has(digest, size)) return false;
  const read = readDocuments(store.blobs.read(digest), mediaType, digest);
  if (read.type === 'index') return read.index.manifests.every((child) => isWhole(store, child));
  return [read.manifest.config, ...read.manifest.layers].every((part) => store.blobs.has(part.digest, part.size));
}
