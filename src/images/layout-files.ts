/** The files of an image layout: blobs, `index.json`, `oci-layout`, and docker's `manifest.json` when it is wanted. */
import { readChunks } from '../layer/compress.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { hexOf } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { isIndex, mediaTypes } from '../oci/media-types.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import type { Store, StoredImage } from '../store/store.ts';
import type { ArchiveFile } from './archive-write.ts';
import { readDocuments, readImage } from './read.ts';
import type { Image } from './read.ts';

export interface LayoutItem {
  /** Need not be kept by the store; its blobs are there. */
  image: Pick<StoredImage, 'descriptor' | 'manifest' | 'imageId'>;
  /** Normalised names that the layout gives it. */
  names: string[];
  /** Of its descriptor in `index.json`, before those that tell its name. */
  annotations?: Record<string, string>;
}

export interface LayoutOptions {
  store: Store;
  items: readonly LayoutItem[];
  /** One child of an index; all that are here when not given. */
  platform?: Platform;
  /** With `manifest.json`, which names one platform. True when not given. */
  docker?: boolean;
}

export interface LayoutFiles {
  /** Sorted by path; equal images give equal files. */
  blobs: ArchiveFile[];
  /** What stands in `index.json`. */
  manifests: Descriptor[];
  /** The other files, `index.json` first. */
  documents: ArchiveFile[];
}

export function layoutFiles({ store, items, platform, docker = true }: LayoutOptions): LayoutFiles {
  const blobs = new Map<Digest, number>();
  const need = (digest: Digest): void => {
    blobs.set(digest, store.blobs.size(digest));
  };
  const needImage = (image: Image): void => {
    for (const digest of [image.manifestDigest, image.configDigest, ...image.layers.map(({ descriptor }) => descriptor.digest)]) need(digest);
  };
  const dockerItems: object[] = [];
  const manifests: Descriptor[] = [];
  for (const { image: kept, names, annotations: further } of items) {
    const stored: StoredImage = { repoDigests: [], updated: 0, ...kept, names };
    const image = readImage(store, stored, platform);
    needImage(image);
    let { descriptor } = image;
    if (platform === undefined && isIndex(stored.descriptor.mediaType) && needAll(store, stored.descriptor, need)) ({ descriptor } = stored);
    const { mediaType, digest, size } = descriptor;
    for (const name of names.length > 0 ? names : [undefined]) {
      const told: Record<string, string> = name === undefined ? {} : { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': parseReference(name).tag ?? 'latest' };
      const annotations = { ...further, ...told };
      manifests.push({ mediaType, digest, size, ...(Object.keys(annotations).length > 0 && { annotations }) });
    }
    dockerItems.push({
      Config: blobPath(image.configDigest),
      RepoTags: names.length > 0 ? names.map((name) => familiarReference(parseReference(name))) : null,
      Layers: image.layers.map((layer) => blobPath(layer.descriptor.digest)),
    });
  }
  return {
    blobs: [...blobs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([digest, size]) => ({
      path: blobPath(digest), size, open: () => readChunks(store.blobs.path(digest)),
    })),
    manifests,
    documents: [
      jsonFile('index.json', indexOf(manifests)),
      ...(docker ? [jsonFile('manifest.json', dockerItems)] : []),
      jsonFile('oci-layout', { imageLayoutVersion: '1.0.0' }),
    ],
  };
}

/** The document of `index.json`. */
export function indexOf(manifests: readonly Descriptor[]): object {
  return { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
}

export function jsonFile(path: string, value: object): ArchiveFile {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  return { path, size: bytes.length, open: () => [bytes] };
}

/** Takes an index with all that it names, if all of it is here. */
function needAll(store: Store, index: Descriptor, need: (digest: Digest) => void): boolean {
  const digests: Digest[] = [];
  const visit = ({ digest, mediaType }: Descriptor): boolean => {
    if (!store.blobs.has(digest)) return false;
    digests.push(digest);
    const document = readDocuments(store.blobs.read(digest), mediaType, digest);
    if (document.type === 'index') return document.index.manifests.every(visit);
    const parts = [document.manifest.config, ...document.manifest.layers].map((part) => part.digest);
    digests.push(...parts);
    return parts.every((part) => store.blobs.has(part));
  };
  if (!visit(index)) return false;
  digests.forEach(need);
  return true;
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}
