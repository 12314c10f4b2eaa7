/**
 * What a cache is made of where it lies: OCI artifacts under names.
 *
 *     <tag>-<hex of key>     one record and its blobs: its config is the signed record, which the manifest itself holds too
 *     <tag>                  the pack: records of the last builds at once, so that a reader need not ask for each
 *     <tag>-mount-<hex>      the content of a cache mount
 *
 * Records are never lost, because no two writers write to one name unless they write the same record. The pack is a
 * convenience: when two builds end at once, the records of one are found by their own names.
 */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { hexOf, sha256, type Digest } from '../../oci/digest.ts';
import { checkArray, parseJsonObject, required } from '../../oci/json-document.ts';
import { parseManifestOrIndex, type Manifest } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Medium, NamedManifest } from './medium.ts';
import { openRecord, recordType, type CacheRecord } from './record.ts';
import { checkEnvelope, parseEnvelope, type Envelope } from './signature.ts';

export const artifactType = 'application/vnd.siru.cache.v1';
export const packType = 'application/vnd.siru.cache.pack.v1+json';

/** Bytes of a record. */
const recordLimit = 64 * 1024;
/** Bytes of a pack. */
const packLimit = 8 << 20;
/** Records of a pack. */
export const mostPacked = 1000;
/** Of a config that the manifest itself holds. */
const embedded = 16 * 1024;

/** Longest name of a cache: names of records are that and 65 characters more. */
export const longestTag = 60;

export function recordTag(tag: string, key: Digest): string {
  return `${tag}-${hexOf(key)}`;
}

export function mountTag(tag: string, id: string): string {
  return `${tag}-mount-${hexOf(sha256(id)).slice(0, 40)}`;
}

export interface Artifact {
  config: Descriptor;
  configBytes: Buffer;
  /** Of the manifest. */
  bytes: Buffer;
}

export function makeArtifact(type: string, configBytes: Buffer, layers: readonly Descriptor[], more: Pick<Manifest, 'subject'> = {}): Artifact {
  const config: Descriptor = { mediaType: type, digest: sha256(configBytes), size: configBytes.length };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: configBytes.length <= embedded ? { ...config, data: configBytes.toString('base64') } : config,
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    ...more,
  };
  return { config, configBytes, bytes: Buffer.from(JSON.stringify(manifest)) };
}

/** Sends the config unless it is there, then the manifest. */
export async function putArtifact(medium: Medium, tag: string, { config, configBytes, bytes }: Artifact, context: Context): Promise<void> {
  if (!(await medium.hasBlob(config, context))) await medium.putBlob(config, () => oneChunk(configBytes), context);
  await medium.putManifest(tag, bytes, mediaTypes.manifest, context);
}

export async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What a name of a cache stands for when it is no artifact of ours. */
export type Foreign = { foreign: 'image' | 'buildkit' | 'unknown'; manifest: NamedManifest };

/** The config of an artifact; undefined when the name is free. Throws DOCUMENT and DIGEST for what is damaged, and what the medium throws. */
export async function readArtifact(medium: Medium, tag: string, type: string, limit: number, context: Context): Promise<{ config: Buffer; layers: Descriptor[] } | Foreign | undefined> {
  const found = await medium.getManifest(tag, context);
  if (!found) return undefined;
  const document = parseManifestOrIndex(found.bytes, found.mediaType);
  if (document.type === 'index') return { foreign: document.index.manifests.some(({ mediaType }) => mediaType === buildkitConfig) ? 'buildkit' : 'image', manifest: found };
  const { config, artifactType: artifact, layers } = document.manifest;
  if (config.mediaType === buildkitConfig) return { foreign: 'buildkit', manifest: found };
  if (config.mediaType === mediaTypes.config || config.mediaType === mediaTypes.dockerConfig) return { foreign: 'image', manifest: found };
  if (artifact !== artifactType || config.mediaType !== type) return { foreign: 'unknown', manifest: found };
  return { config: await readConfig(medium, config, limit, context), layers };
}

const buildkitConfig = 'application/vnd.buildkit.cacheconfig.v0';

async function readConfig(medium: Medium, config: Descriptor, limit: number, context: Context): Promise<Buffer> {
  const bytes = config.data === undefined ? await readBlob(medium, config, limit, context) : Buffer.from(config.data, 'base64');
  if (bytes.length !== config.size || sha256(bytes) !== config.digest) throw new SiruError('DIGEST', 'it was cut off or damaged');
  return bytes;
}

/** A small blob. Throws DIGEST when it is not what was promised, DOCUMENT above `limit`. */
export async function readBlob(medium: Medium, descriptor: Descriptor, limit: number, context: Context): Promise<Buffer> {
  const { digest, size } = descriptor;
  if (size > limit) throw new SiruError('DOCUMENT', `it has ${size} bytes; at most ${limit} are read`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of await medium.getBlob(descriptor, context)) {
    length += chunk.length;
    if (length > size) break;
    chunks.push(Buffer.from(chunk));
  }
  const bytes = Buffer.concat(chunks);
  if (length !== size || sha256(bytes) !== digest) throw new SiruError('DIGEST', 'it was cut off or damaged');
  return bytes;
}

export function recordArtifact(envelope: Envelope, record: CacheRecord): Artifact {
  return makeArtifact(recordType, Buffer.from(JSON.stringify(envelope)), blobsOf(record));
}

function blobsOf({ blob, toc }: CacheRecord): Descriptor[] {
  return blob ? [blob, toc] : [toc];
}

/** The envelope of a record under its own name; undefined when there is none. Throws DOCUMENT, DIGEST. */
export async function readRecord(medium: Medium, key: Digest, context: Context): Promise<Envelope | undefined> {
  const found = await readArtifact(medium, recordTag(medium.tag, key), recordType, recordLimit, context);
  if (!found) return undefined;
  if ('foreign' in found) throw new SiruError('DOCUMENT', 'under its name lies something else');
  return parseEnvelope(found.config, 'record');
}

export function packArtifact(envelopes: readonly Envelope[], more?: Pick<Manifest, 'subject'>): Artifact {
  const blobs = new Map<Digest, Descriptor>();
  for (const envelope of envelopes) for (const blob of blobsOf(openRecord(envelope))) blobs.set(blob.digest, blob);
  return makeArtifact(packType, Buffer.from(JSON.stringify({ records: envelopes })), [...blobs.values()], more);
}

/** The envelopes of a pack; see readArtifact. */
export async function readPack(medium: Medium, tag: string, context: Context): Promise<Envelope[] | Foreign | undefined> {
  const found = await readArtifact(medium, tag, packType, packLimit, context);
  if (!found || 'foreign' in found) return found;
  const [object, place] = parseJsonObject(found.config, 'pack', false);
  required(object, 'records', place, (list, at) => checkArray(list, at, checkEnvelope));
  return (object.records as Envelope[]).slice(0, mostPacked);
}
