/** What a name stands for, down to the layers: an index, its images, and what else it lists. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isIndex, isManifest, mediaTypes } from '../../oci/media-types.ts';
import type { Platform } from '../../oci/platform.ts';
import { descriptorOf } from '../copy.ts';
import type { Document, Source } from '../places/place.ts';
import { readDocuments } from '../read.ts';
import { together } from '../together.ts';
import { aboutOf, configPlatform } from './create-index.ts';

export interface IndexNode {
  kind: 'index' | 'image' | 'artifact' | 'other';
  mediaType: string;
  digest: Digest;
  /** Bytes of the document. */
  size: number;
  platform?: Platform;
  /** Of an artifact. */
  artifactType?: string;
  /** Of an attestation in an index: the image that it is about. */
  about?: Digest;
  /** Of the index's entry. */
  annotations?: Record<string, string>;
  /** Of the document itself. */
  ownAnnotations?: Record<string, string>;
  subject?: Digest;
  layers?: number;
  /** Bytes of configuration and layers. */
  content?: number;
  /** The place does not have it. */
  missing?: true;
  children?: IndexNode[];
}

const parallel = 4;
const mostNodes = 10_000;
const deepest = 8;

export async function readIndexTree(source: Source, context: Context): Promise<{ document: Document; tree: IndexNode }> {
  const document = await source.resolve(context);
  let nodes = 0;
  const nodeOf = async (entry: Descriptor, given: Document | undefined, depth: number, inner: Context): Promise<IndexNode> => {
    if (++nodes > mostNodes || depth > deepest) throw new SiruError('DOCUMENT', `${source.name} lists more than can be shown`);
    const { mediaType, digest, size, platform, annotations } = entry;
    const about = aboutOf(entry);
    const base: IndexNode = {
      kind: 'other', mediaType, digest, size,
      ...(platform && platform.os !== 'unknown' && { platform }),
      ...(about !== undefined && { about: about as Digest }),
      ...(annotations && { annotations }),
    };
    if (!isManifest(mediaType) && !isIndex(mediaType)) return base;
    const read = given ?? (await source.manifest(entry, inner));
    if (!read) return { ...base, kind: isIndex(mediaType) ? 'index' : 'image', missing: true };
    const parsed = readDocuments(read.bytes, mediaType, digest);
    const { annotations: ownAnnotations, artifactType, subject } = parsed.type === 'index' ? parsed.index : parsed.manifest;
    const own = { ...(ownAnnotations && { ownAnnotations }), ...(artifactType !== undefined && { artifactType }), ...(subject && { subject: subject.digest }) };
    if (parsed.type === 'index') {
      return { ...base, ...own, kind: 'index', children: await together(parsed.index.manifests, parallel, inner, (child, at) => nodeOf(child, undefined, depth + 1, at)) };
    }
    const { config, layers } = parsed.manifest;
    const facts = { layers: layers.length, content: [config, ...layers].reduce((sum, part) => sum + part.size, 0) };
    const isImage = (config.mediaType === mediaTypes.config || config.mediaType === mediaTypes.dockerConfig) && artifactType === undefined;
    if (!isImage || about !== undefined) return { ...base, ...own, kind: 'artifact', artifactType: artifactType ?? config.mediaType, ...facts };
    return { ...base, ...own, kind: 'image', ...facts, ...(depth === 0 && { platform: await configPlatform(source, config, inner) }) };
  };
  return { document, tree: await nodeOf(descriptorOf(document), document, 0, context) };
}
