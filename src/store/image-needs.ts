/** Which blobs and layers an image needs, read from its documents. */
import { SiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isSha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { isIndex, mediaTypes } from '../oci/media-types.ts';
import type { Blobs } from './store.ts';

export interface ImageNeeds {
  blobs: Digest[];
  diffIds: Digest[];
}

/** Depth of indexes in indexes, and documents in all, of one image. */
const deepest = 8;
const mostDocuments = 10_000;

/**
 * Walks from the image's descriptor. Of an index, the child `manifest` must be here whole; of the others, what is here is
 * kept with the image. Throws NOT_FOUND when something is missing, DOCUMENT when a document makes no sense.
 */
export function imageNeeds(blobs: Blobs, image: { descriptor: Descriptor; manifest: Digest }): ImageNeeds {
  const needed = new Set<Digest>();
  const diffIds = new Set<Digest>();
  let documents = 0;

  const read = (descriptor: Descriptor): Record<string, unknown> => {
    if (++documents > mostDocuments) throw wrong(image.descriptor.digest, `names more than ${mostDocuments} documents`);
    needed.add(descriptor.digest);
    return parse(descriptor.digest, blobs.read(descriptor.digest));
  };
  const want = (descriptor: Descriptor, must: boolean): void => {
    if (blobs.has(descriptor.digest, descriptor.size)) needed.add(descriptor.digest);
    else if (must && !isForeign(descriptor)) {
      throw new SiruError('NOT_FOUND', `the image ${image.descriptor.digest} names the blob ${descriptor.digest}, which the store lacks`, {
        hint: 'Pull or build the image again.',
      });
    }
  };
  const visit = (descriptor: Descriptor, must: boolean, depth: number): void => {
    if (!must && !blobs.has(descriptor.digest)) return;
    const document = read(descriptor);
    if (isIndex(descriptor.mediaType) || (Array.isArray(document['manifests']) && document['config'] === undefined)) {
      if (depth >= deepest) throw wrong(descriptor.digest, `lies more than ${deepest} indexes deep`);
      for (const child of descriptors(descriptor.digest, document['manifests'])) visit(child, child.digest === image.manifest, depth + 1);
      return;
    }
    const layers = descriptors(descriptor.digest, document['layers'] ?? []);
    for (const layer of layers) want(layer, must);
    const [config] = descriptors(descriptor.digest, [document['config']]);
    want(config!, must);
    if (!needed.has(config!.digest) || !isImageConfig(config!)) return;
    const rootfs = read(config!)['rootfs'] as { diff_ids?: unknown } | undefined;
    if (!Array.isArray(rootfs?.diff_ids)) return;
    for (const diffId of rootfs.diff_ids as unknown[]) {
      if (typeof diffId === 'string' && isSha256(diffId)) diffIds.add(diffId);
    }
  };

  visit(image.descriptor, true, 0);
  if (!needed.has(image.manifest)) throw wrong(image.descriptor.digest, `does not name the manifest ${image.manifest}`);
  return { blobs: [...needed], diffIds: [...diffIds] };
}

function isImageConfig(config: Descriptor): boolean {
  return config.mediaType === mediaTypes.config || config.mediaType === mediaTypes.dockerConfig;
}

/** Layers that registries do not hand out. */
function isForeign(descriptor: Descriptor): boolean {
  return descriptor.mediaType === mediaTypes.dockerForeignLayer || /nondistributable/.test(descriptor.mediaType);
}

function parse(digest: Digest, bytes: Buffer): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new SiruError('DOCUMENT', `${digest} is not JSON`, { cause: error });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw wrong(digest, 'is not a JSON object');
  return document as Record<string, unknown>;
}

function descriptors(digest: Digest, list: unknown): Descriptor[] {
  if (!Array.isArray(list)) throw wrong(digest, 'has no list of descriptors where one belongs');
  for (const item of list as Partial<Descriptor>[]) {
    if (typeof item?.digest !== 'string' || typeof item.size !== 'number' || typeof item.mediaType !== 'string') {
      throw wrong(digest, 'holds a descriptor without media type, digest or size');
    }
  }
  return list as Descriptor[];
}

function wrong(digest: Digest, what: string): SiruError {
  return new SiruError('DOCUMENT', `the document ${digest} ${what}`);
}
