/** What a manifest is, read for people: platform, sizes, layers with the instruction that made each. */
import { isSiruError } from '../../base/errors.ts';
import { instructionOf } from '../../images/xray/steps.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import type { History, ImageConfig } from '../../oci/image-config.ts';
import { parseManifestOrIndex } from '../../oci/manifest.ts';
import type { Index, Manifest } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { parseKnownDigest } from '../names.ts';
import type { Storage, StoredManifest } from '../storage.ts';

/** Bytes of a configuration that is read for a page. */
const largestConfig = 1024 * 1024;
/** Manifests of an index that are looked at for a page. */
export const mostPlatforms = 100;

export interface ImagePart {
  descriptor: Descriptor;
  /** `linux/amd64`; undefined when nobody says it. */
  platform?: string;
  /** Bytes of config and layers; undefined when the manifest is not here. */
  size?: number;
  /** Digest that an attestation is about. */
  about?: string;
}

export interface LayerRow {
  descriptor: Descriptor;
  /** Empty when the history does not tell. */
  instruction: string;
}

export interface Described {
  stored: StoredManifest;
  type: 'image' | 'index' | 'artifact';
  artifactType?: string;
  annotations: Record<string, string>;
  subject?: Descriptor;
  /** Of an index. */
  parts: ImagePart[];
  moreParts: number;
  /** Of an image or artifact. */
  layers: LayerRow[];
  config?: ImageConfig;
  platform?: string;
  /** Bytes of config and layers, or of all parts of an index that are here. */
  size: number;
}

/** Throws DOCUMENT for what is no manifest, which cannot have been pushed. */
export async function describeImage(storage: Storage, repository: string, stored: StoredManifest): Promise<Described> {
  const document = parseManifestOrIndex(stored.bytes, stored.mediaType);
  return document.type === 'index' ? describeIndex(storage, repository, stored, document.index) : describeManifest(storage, repository, stored, document.manifest);
}

/** Platforms and size alone, for lists. */
export async function summarize(storage: Storage, repository: string, stored: StoredManifest, most: number): Promise<Pick<Described, 'parts' | 'moreParts' | 'platform' | 'size' | 'type' | 'artifactType'>> {
  const document = parseManifestOrIndex(stored.bytes, stored.mediaType);
  if (document.type === 'index') return describeIndex(storage, repository, stored, document.index, most);
  const { manifest } = document;
  const type = isImage(manifest) ? 'image' : 'artifact';
  const config = type === 'image' ? await readConfig(storage, repository, manifest.config) : undefined;
  return { type, ...artifactTypeOf(manifest, type), parts: [], moreParts: 0, size: sizeOf(manifest), ...platformOf(config) };
}

async function describeManifest(storage: Storage, repository: string, stored: StoredManifest, manifest: Manifest): Promise<Described> {
  const type = isImage(manifest) ? 'image' : 'artifact';
  const config = type === 'image' ? await readConfig(storage, repository, manifest.config) : undefined;
  return {
    stored, type, ...artifactTypeOf(manifest, type),
    annotations: manifest.annotations ?? {},
    ...(manifest.subject && { subject: manifest.subject }),
    parts: [], moreParts: 0,
    layers: layerRows(manifest, config?.history ?? []),
    ...(config && { config }),
    ...platformOf(config),
    size: sizeOf(manifest),
  };
}

async function describeIndex(storage: Storage, repository: string, stored: StoredManifest, index: Index, most: number = mostPlatforms): Promise<Described> {
  const parts: ImagePart[] = [];
  let size = 0;
  for (const descriptor of index.manifests.slice(0, most)) {
    const digest = parseKnownDigest(descriptor.digest);
    const child = digest && (await storage.manifests.get(repository, { digest }));
    const part: ImagePart = { descriptor };
    if (child) {
      const bytes = sizeOfStored(child);
      if (bytes !== undefined) part.size = bytes;
      size += bytes ?? 0;
    }
    const about = descriptor.annotations?.['vnd.docker.reference.digest'];
    if (about !== undefined) part.about = about;
    else if (descriptor.platform) part.platform = formatPlatform(descriptor.platform);
    parts.push(part);
  }
  return {
    stored, type: 'index', ...(index.artifactType !== undefined && { artifactType: index.artifactType }),
    annotations: index.annotations ?? {},
    ...(index.subject && { subject: index.subject }),
    parts, moreParts: Math.max(0, index.manifests.length - most), layers: [], size,
  };
}

/** The history has an entry for each instruction; those that made no layer are left out. */
export function layerRows({ layers }: Manifest, history: readonly History[]): LayerRow[] {
  const made = history.filter(({ empty_layer }) => !empty_layer);
  return layers.map((descriptor, i) => ({ descriptor, instruction: instructionOf(made[i]?.created_by ?? '') || (made[i]?.comment ?? '') }));
}

function isImage({ config }: Manifest): boolean {
  return config.mediaType === mediaTypes.config || config.mediaType === mediaTypes.dockerConfig;
}

function artifactTypeOf(manifest: Manifest, type: string): { artifactType?: string } {
  const own = manifest.artifactType ?? (type === 'artifact' ? manifest.config.mediaType : undefined);
  return own === undefined ? {} : { artifactType: own };
}

function platformOf(config: ImageConfig | undefined): { platform?: string } {
  return config === undefined ? {} : { platform: formatPlatform(config) };
}

function sizeOf({ config, layers }: Manifest): number {
  return layers.reduce((sum, { size }) => sum + size, config.size);
}

function sizeOfStored({ bytes, mediaType }: StoredManifest): number | undefined {
  const document = parseManifestOrIndex(bytes, mediaType);
  return document.type === 'manifest' ? sizeOf(document.manifest) : undefined;
}

/** Undefined when it is not here, too large, or no configuration of an image. */
async function readConfig(storage: Storage, repository: string, { digest, size }: Descriptor): Promise<ImageConfig | undefined> {
  const known: Digest | undefined = parseKnownDigest(digest);
  if (known === undefined || size > largestConfig) return undefined;
  const blob = await storage.blobs.open(repository, known);
  if (blob === undefined) return undefined;
  try {
    if (blob.size > largestConfig) return undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of blob.bytes) chunks.push(Buffer.from(chunk));
    return parseImageConfig(Buffer.concat(chunks));
  } catch (error) {
    if (isSiruError(error) && error.code === 'DOCUMENT') return undefined;
    throw error;
  } finally {
    await blob.close();
  }
}
