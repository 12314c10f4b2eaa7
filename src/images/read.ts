/** An image's documents, read from the store and checked against each other. */
import { SiruError, isSiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isSha256 } from '../oci/digest.ts';
import { parseImageConfig } from '../oci/image-config.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { parseManifestOrIndex } from '../oci/manifest.ts';
import type { Manifest, ManifestOrIndex } from '../oci/manifest.ts';
import { compressionOf, mediaTypes } from '../oci/media-types.ts';
import type { Platform } from '../oci/platform.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { chooseChild, checkPlatform } from './platform.ts';

export interface ImageLayer {
  /** Of the blob as the manifest names it. */
  descriptor: Descriptor;
  diffId: Digest;
}

/** One image for one platform. */
export interface Image {
  /** Of the manifest. */
  descriptor: Descriptor;
  manifest: Manifest;
  manifestDigest: Digest;
  config: ImageConfig;
  /** Image ID. */
  configDigest: Digest;
  /** As they are kept: they have `configDigest`. */
  configBytes: Buffer;
  layers: ImageLayer[];
}

/**
 * Reads an image by the digest of its manifest or index, or as the store lists it. Of an index, the child for the platform;
 * without a platform, the one that was pulled or built. Throws NOT_FOUND, PLATFORM, DOCUMENT, DIGEST.
 */
export function readImage(store: Store, image: Digest | StoredImage, platform?: Platform): Image {
  const stored = typeof image === 'string' ? store.images.byId(image)[0] : image;
  const digest = stored === undefined ? (image as Digest) : platform === undefined ? stored.manifest : stored.descriptor.digest;
  const mediaType = stored !== undefined && digest === stored.descriptor.digest ? stored.descriptor.mediaType : undefined;
  return readFrom(store, digest, mediaType, platform, 0);
}

function readFrom(store: Store, digest: Digest, mediaType: string | undefined, platform: Platform | undefined, depth: number): Image {
  const bytes = store.blobs.read(digest);
  const kind = readDocuments(bytes, mediaType, digest);
  if (kind.type === 'index') {
    if (depth > 4) throw new SiruError('DOCUMENT', `index ${digest}: indexes lie more than 4 deep`);
    const here = (child: Descriptor): boolean => store.blobs.has(child.digest);
    const child = chooseChild(kind.index, platform, digest, platform === undefined ? here : undefined);
    return readFrom(store, child.digest, child.mediaType, platform, depth + 1);
  }
  const { manifest } = kind;
  const configBytes = store.blobs.read(manifest.config.digest);
  const { config, layers } = joinConfig(manifest, digest, configBytes);
  if (platform !== undefined) checkPlatform(config, platform, digest);
  return {
    descriptor: { mediaType: mediaType ?? manifest.mediaType ?? mediaTypes.manifest, digest, size: bytes.length },
    manifest,
    manifestDigest: digest,
    config,
    configDigest: manifest.config.digest,
    configBytes,
    layers,
  };
}

/**
 * Tells a manifest from an index and checks either; a document that could be read as the other kind, or is not what its
 * sender called it, is refused. Throws DOCUMENT with the image's name and the place of the fault.
 */
export function readDocuments(bytes: Uint8Array, mediaType: string | undefined, what: string): ManifestOrIndex {
  try {
    return parseManifestOrIndex(bytes, mediaType);
  } catch (error) {
    if (!isSiruError(error)) throw error;
    throw new SiruError(error.code, `${what}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

/** Reads the config and pairs its diff IDs with the manifest's layers. Throws DOCUMENT, UNSUPPORTED. */
export function joinConfig(manifest: Manifest, what: string, configBytes: Uint8Array): { config: ImageConfig; layers: ImageLayer[] } {
  checkImage(manifest, what);
  const config = parseImageConfig(configBytes);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new SiruError('DOCUMENT', `image ${what} has ${manifest.layers.length} layers, but its configuration names ${diffIds.length}`);
  }
  const layers = manifest.layers.map((descriptor, index) => {
    const diffId = diffIds[index]!;
    if (!isSha256(diffId)) throw new SiruError('UNSUPPORTED', `image ${what} names a layer by ${algorithmOf(diffId)}; only sha256 is supported`);
    if (compressionOf(descriptor.mediaType) === 'none' && descriptor.digest !== diffId) {
      throw new SiruError('DIGEST', `image ${what}: layer ${index} is ${descriptor.digest}, but its configuration says ${diffId}`);
    }
    return { descriptor, diffId };
  });
  return { config, layers };
}

/** Refuses what a manifest may hold but no image can be made of. */
export function checkImage(manifest: Manifest, what: string): void {
  const { config, layers } = manifest;
  if (config.mediaType !== mediaTypes.config && config.mediaType !== mediaTypes.dockerConfig) {
    throw new SiruError('UNSUPPORTED', `${what} is no container image but an artifact of type ${manifest.artifactType ?? config.mediaType}`);
  }
  for (const [index, layer] of layers.entries()) {
    if (layer.mediaType === mediaTypes.dockerForeignLayer || layer.mediaType.includes('.nondistributable.')) {
      throw new SiruError('UNSUPPORTED', `${what}: layer ${index} is a foreign one, which registries do not hand out`, { hint: 'such layers belong to Windows images' });
    }
    if (compressionOf(layer.mediaType) === undefined) throw new SiruError('UNSUPPORTED', `${what}: layer ${index} has the unknown type ${layer.mediaType}`);
    if (!isSha256(layer.digest)) throw new SiruError('UNSUPPORTED', `${what}: layer ${index} is named by ${algorithmOf(layer.digest)}; only sha256 is supported`);
  }
  if (!isSha256(config.digest)) throw new SiruError('UNSUPPORTED', `${what}: its configuration is named by another digest than sha256`);
}

function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(':'));
}
