/** Makes an index of images that lie anywhere: they are copied to where the index is to be, and listed. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { isIndex } from '../../oci/media-types.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Platform } from '../../oci/platform.ts';
import { createWalk, descriptorOf, pushFrom } from '../copy.ts';
import { openSource, openTarget } from '../places/open-place.ts';
import type { PlaceTools } from '../places/open-place.ts';
import { verified } from '../places/place.ts';
import type { Document, Source } from '../places/place.ts';
import type { PlaceName } from '../places/parse-place.ts';
import { checkImage, readDocuments } from '../read.ts';
import { annotate, indexDocument } from './index-document.ts';
import type { IndexAnnotation } from './index-document.ts';

export interface CreateIndexOptions extends Pick<PlaceTools, 'remote' | 'store'> {
  target: PlaceName;
  /** Images, and indexes, whose entries are taken over. */
  sources: readonly PlaceName[];
  annotations?: readonly IndexAnnotation[];
  /** What the target's name stands for stays; an image for the same platform takes the place of the one before. */
  append?: boolean;
  /** Nothing is copied and nothing written. */
  dryRun?: boolean;
}

const configLimit = 4 << 20;

/** Gives the index. Throws USAGE for two images of one platform, and what copyImage throws. */
export async function createIndex(options: CreateIndexOptions, context: Context): Promise<Document> {
  const { target: to, sources, annotations = [], append = false, dryRun = false } = options;
  if (to.kind === 'docker-archive') throw new SiruError('UNSUPPORTED', 'an archive of docker holds an image for one platform, and no index', { hint: `write oci-archive:${to.path} instead` });
  await using target = await openTarget(to, options);
  const before = append ? await entriesAt(to, options, context) : { manifests: [] };
  const added: { entry: Descriptor; name: string }[] = [];
  for (const from of sources) {
    await using source = await openSource(from, options, context);
    const listed = !dryRun && to.kind === 'registry' && (from.kind === 'store' || from.kind === 'docker-archive')
      ? await pushed(options, from, to, source, context)
      : await copied(source, dryRun ? undefined : target, context);
    for (const entry of listed) if (!added.some((other) => other.entry.digest === entry.digest)) added.push({ entry, name: source.name });
  }
  const taken = new Map<string, string>();
  for (const { entry, name } of added) {
    const platform = platformKey(entry.platform);
    if (platform === undefined) continue;
    const other = taken.get(platform);
    if (other !== undefined) throw new SiruError('USAGE', `${other} and ${name} both have an image for ${platform}`, { hint: 'an index lists one for each platform: leave one out' });
    taken.set(platform, name);
  }
  const replaced = before.manifests.filter((entry) => taken.has(platformKey(entry.platform) ?? '')).map(({ digest }) => digest);
  // With an image go the attestations that are about it.
  const kept = before.manifests.filter((entry) => !replaced.includes(entry.digest) && !added.some((one) => one.entry.digest === entry.digest) && !replaced.includes(aboutOf(entry) as Descriptor['digest']));
  const document = indexDocument(annotate({ ...before, manifests: [...kept, ...added.map(({ entry }) => entry)] }, annotations, target.name));
  if (!dryRun) await target.finish(document, undefined, context);
  return document;
}

/** The digest of the image that an attestation in an index is about. */
export function aboutOf({ annotations }: Descriptor): string | undefined {
  return annotations?.['vnd.docker.reference.digest'];
}

async function copied(source: Source, target: Parameters<typeof createWalk>[1] | undefined, context: Context): Promise<Descriptor[]> {
  const document = await source.resolve(context);
  const entries = await entriesIn(document, source, context);
  if (target) {
    const walk = createWalk(source, target, target.takesReferrers, context);
    for (const entry of entries) await walk.copy(entry, { document: entry.digest === document.digest ? document : undefined, depth: 0 }, context);
  }
  return entries;
}

async function pushed(options: CreateIndexOptions, from: Extract<PlaceName, { kind: 'store' | 'docker-archive' }>, to: Extract<PlaceName, { kind: 'registry' }>, source: Source, context: Context): Promise<Descriptor[]> {
  const { domain, path } = to.reference;
  const { digest } = await pushFrom({ ...options, untagged: true }, from, { kind: 'registry', reference: { domain, path } }, context);
  const there = await options.remote.getManifest({ domain, path, digest }, context);
  return await entriesIn(there, source, context);
}

async function entriesAt(place: PlaceName, options: CreateIndexOptions, context: Context): Promise<{ manifests: Descriptor[]; annotations?: Record<string, string> }> {
  if (place.kind === 'oci-archive' || place.kind === 'docker-archive') throw new SiruError('UNSUPPORTED', 'an archive is written anew; nothing can be added to it', { hint: 'use a folder: oci:FOLDER:TAG' });
  await using source = await openSource(place, options, context);
  const document = await source.resolve(context);
  if (!isIndex(document.mediaType)) return { manifests: await entriesIn(document, source, context) };
  const read = readDocuments(document.bytes, document.mediaType, source.name);
  return read.type === 'index' ? read.index : { manifests: [] };
}

/** Of an index its entries; of an image one, with the platform that its configuration names. */
async function entriesIn(document: Document, source: Source, context: Context): Promise<Descriptor[]> {
  const read = readDocuments(document.bytes, document.mediaType, source.name);
  if (read.type === 'index') return read.index.manifests;
  checkImage(read.manifest, source.name);
  return [{ ...descriptorOf(document), platform: await configPlatform(source, read.manifest.config, context) }];
}

/** The platform that a configuration names. Throws DOCUMENT, DIGEST. */
export async function configPlatform(source: Source, config: Descriptor, context: Context): Promise<Platform> {
  if (config.size > configLimit) throw new SiruError('DOCUMENT', `the configuration of ${source.name} has ${config.size} bytes; at most ${configLimit} are read`);
  const parts: Uint8Array[] = [];
  for await (const chunk of verified(await source.blob(config, 0, context), config, source.name)) parts.push(chunk);
  const { os, architecture, variant, 'os.version': version, 'os.features': features } = parseImageConfig(Buffer.concat(parts));
  return { os, architecture, ...(variant && { variant }), ...(version && { 'os.version': version }), ...(features && { 'os.features': features }) };
}

/** Undefined for what is for no platform, as attestations are. */
function platformKey(platform: Platform | undefined): string | undefined {
  if (!platform || platform.os === 'unknown') return undefined;
  const version = platform['os.version'];
  return `${formatPlatform(platform)}${version === undefined ? '' : ` (${version})`}`;
}
