/**
 * Copies an image, or an index with all that it lists, from one place to another: blobs the target lacks, manifests byte for
 * byte, what refers to them, and at last the name. A copy that was cut off is made again and sends what is missing.
 */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { createLimit } from '../base/limit.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { shortId } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { isIndex, isManifest, mediaTypes } from '../oci/media-types.ts';
import type { Platform } from '../oci/platform.ts';
import { chooseChild } from './platform.ts';
import { openSource, openTarget, storedImage } from './places/open-place.ts';
import type { PlaceTools } from './places/open-place.ts';
import type { PlaceName } from './places/parse-place.ts';
import { referrerFacts } from './places/layout-source.ts';
import type { Blob, Document, Source, Target } from './places/place.ts';
import { readDocuments } from './read.ts';
import { startTransfer } from './transfer.ts';
import type { Transfer } from './transfer.ts';
import { together } from './together.ts';

export interface CopyOptions extends Pick<PlaceTools, 'remote' | 'store'> {
  source: PlaceName;
  target: PlaceName;
  /** One child of an index, which is then copied alone; all of them when not given. */
  platform?: Platform;
  /** Also signatures, SBOMs and what else refers to the image. True when not given; the store takes none. */
  referrers?: boolean;
}

export interface CopyResult {
  /** Of what the target's name stands for now. */
  digest: Digest;
  mediaType: string;
  size: number;
  /** Blobs by what became of them. */
  blobs: { copied: number; existing: number; mounted: number };
  /** Bytes of those that were copied. */
  bytes: number;
  /** Artifacts that refer to what was copied, or to such an artifact. */
  referrers: number;
}

/** Blobs on their way at once. */
const parallel = 4;
/** Manifests and indexes of one copy. */
const mostDocuments = 10_000;
/** Indexes inside indexes, and artifacts that refer to artifacts. */
const deepest = 8;

/** Throws NOT_FOUND, PLATFORM, AUTH, NETWORK, REGISTRY, DIGEST, DOCUMENT, UNSUPPORTED, USAGE, STORE, CANCELLED. */
export async function copyImage(options: CopyOptions, context: Context): Promise<CopyResult> {
  const { source: from, target: to, platform } = options;
  // The layers of what was made here, or saved by docker, are not compressed yet: that is a push.
  if (to.kind === 'registry' && (from.kind === 'store' || from.kind === 'docker-archive')) return await pushFrom(options, from, to, context);
  await using source = await openSource(from, options, context);
  await using target = await openTarget(to, options);
  // An archive of docker is for one platform.
  const single = to.kind === 'docker-archive' && platform === undefined;
  return await copyBetween({ source, target, platform, single, referrers: options.referrers ?? true }, context);
}

export interface Copying {
  source: Source;
  target: Target;
  platform?: Platform;
  /** The host's platform when none is given, or the only one. */
  single?: boolean;
  referrers: boolean;
}

export async function copyBetween({ source, target, platform, single = false, referrers }: Copying, context: Context): Promise<CopyResult> {
  const walk = createWalk(source, target, referrers && target.takesReferrers, context);
  let top: Document | undefined;
  let descriptor: Descriptor;
  if (platform !== undefined || single) {
    top = await oneOf(source, platform, context);
    descriptor = descriptorOf(top);
  } else {
    descriptor = await source.head(context);
  }
  const same = (await target.current(context)) === descriptor.digest;
  if (same) context.emit({ type: 'status', text: `${target.name} is up to date` });
  else top ??= (await target.has(descriptor, context)) ? ((await target.manifest(descriptor, context)) ?? (await source.resolve(context))) : await source.resolve(context);
  await walk.copy(top ? descriptorOf(top) : descriptor, { document: top, isTop: true, depth: 0 }, context);
  if (top) await target.finish(top, source.repository, context);
  const { digest, mediaType, size } = top ? descriptorOf(top) : descriptor;
  return { digest, mediaType, size, ...walk.count() };
}

interface Step {
  document?: Document;
  isTop?: boolean;
  depth: number;
}

/** Copies documents with all below them, each once. */
export function createWalk(source: Source, target: Target, withReferrers: boolean, outer: Context): {
  copy(descriptor: Descriptor, step: Step, context: Context): Promise<void>;
  count(): Pick<CopyResult, 'blobs' | 'bytes' | 'referrers'>;
} {
  const limit = createLimit(parallel);
  const documents = new Map<Digest, Promise<void>>();
  const blobs = new Map<Digest, Promise<void>>();
  const counts = { copied: 0, existing: 0, mounted: 0 };
  let bytes = 0;
  let referring = 0;

  const copyBlob = async (descriptor: Descriptor, context: Context): Promise<void> => {
    const transfer = counted(startTransfer(context, 'copy', shortId(descriptor.digest), descriptor.size), (state) => {
      if (state === 'exists') counts.existing++;
      else if (state === 'mounted') counts.mounted++;
      else if (state === 'done') {
        counts.copied++;
        bytes += descriptor.size;
      }
    });
    const open: Blob['open'] = async function* (offset = 0) {
      yield* await source.blob(descriptor, offset, context);
    };
    try {
      await target.putBlob({ descriptor, open, from: source.repository, transfer }, context);
    } catch (error) {
      transfer.state('failed');
      throw error;
    }
  };

  const read = async (descriptor: Descriptor, there: boolean, context: Context): Promise<Document> => {
    const document = (there ? await target.manifest(descriptor, context) : undefined) ?? (await source.manifest(descriptor, context));
    if (!document) {
      throw new SiruError('NOT_FOUND', `${source.name} lacks the manifest ${descriptor.digest}, which its index lists`, { hint: 'it has some platforms only: choose one with --platform' });
    }
    if (document.bytes.length !== descriptor.size) throw new SiruError('DIGEST', `the manifest ${descriptor.digest} of ${source.name} has ${document.bytes.length} bytes, not ${descriptor.size}`);
    return document;
  };

  const visit = async (descriptor: Descriptor, { document: given, isTop = false, depth }: Step, context: Context): Promise<void> => {
    if (depth > deepest) throw new SiruError('DOCUMENT', `${source.name}: indexes and artifacts lie more than ${deepest} deep`);
    const there = await target.has(descriptor, context);
    let document = given;
    // What is there is whole, but for the children of an index, which some registries do not ask for.
    if (!there || isIndex(descriptor.mediaType)) {
      document ??= await read(descriptor, there, context);
      const kind = readDocuments(document.bytes, descriptor.mediaType, descriptor.digest);
      if (kind.type === 'index') {
        await together(kind.index.manifests, parallel, context, (child, inner) =>
          isManifest(child.mediaType) || isIndex(child.mediaType) ? copy(child, { depth: depth + 1 }, inner) : once(blobs, child, () => limit(() => copyBlob(child, inner))));
      } else {
        const parts = [kind.manifest.config, ...kind.manifest.layers].filter((part) => !isForeign(part));
        await together(parts, parts.length, context, (part, inner) => once(blobs, part, () => limit(() => copyBlob(part, inner))));
      }
    }
    const found = withReferrers ? await source.referrers(descriptor.digest, context) : [];
    if (!there && (!isTop || found.length > 0)) await target.putManifest(document!, context);
    if (found.length > 0) await copyReferrers(descriptor, found, depth, context);
  };

  const copyReferrers = async (subject: Descriptor, found: Descriptor[], depth: number, context: Context): Promise<void> => {
    const known = new Set((await target.referrers(subject.digest, context)).map(({ digest }) => digest));
    await together(found.filter(({ digest }) => !known.has(digest)), parallel, context, async (referrer, inner) => {
      const document = await source.manifest(referrer, inner);
      const facts = document && referrerFacts(document);
      if (!document || facts?.subject?.digest !== subject.digest) {
        outer.emit({ type: 'warning', text: `${source.name}: ${referrer.digest} is listed as referring to ${subject.digest}, but ${document ? 'does not' : 'is not there'}; it was left out` });
        return;
      }
      const { subject: _subject, ...told } = facts;
      const entry = { ...descriptorOf(document), ...told };
      await copy(entry, { document, depth: depth + 1 }, inner);
      await target.addReferrer(subject.digest, entry, inner);
      referring++;
    });
  };

  const copy = (descriptor: Descriptor, step: Step, context: Context): Promise<void> => once(documents, descriptor, () => {
    if (documents.size >= mostDocuments) throw new SiruError('DOCUMENT', `${source.name} has more than ${mostDocuments} manifests`);
    return visit(descriptor, step, context);
  });
  return { copy, count: () => ({ blobs: counts, bytes, referrers: referring }) };
}

async function once(seen: Map<Digest, Promise<void>>, { digest }: Descriptor, work: () => Promise<void>): Promise<void> {
  let running = seen.get(digest);
  if (!running) seen.set(digest, (running = work()));
  await running;
}

/** The manifest for the platform, the host's when not given; of what is for one platform alone, that. */
export async function oneOf(source: Source, platform: Platform | undefined, context: Context): Promise<Document> {
  let document = await source.resolve(context);
  for (let depth = 0; ; depth++) {
    const kind = readDocuments(document.bytes, document.mediaType, source.name);
    if (kind.type === 'manifest') return document;
    if (depth > deepest) throw new SiruError('DOCUMENT', `${source.name}: indexes lie more than ${deepest} deep`);
    const child = chooseChild(kind.index, platform, source.name);
    const inner = await source.manifest(child, context);
    if (!inner) throw new SiruError('NOT_FOUND', `${source.name} lacks the manifest ${child.digest}, which its index lists`);
    document = inner;
  }
}

/** What the store or an archive of docker holds, to a registry; `untagged` gives it no name there. */
export async function pushFrom(options: Pick<CopyOptions, 'remote' | 'store' | 'platform'> & { untagged?: boolean }, from: Extract<PlaceName, { kind: 'store' | 'docker-archive' }>, to: Extract<PlaceName, { kind: 'registry' }>, context: Context): Promise<CopyResult> {
  const { remote, platform, untagged } = options;
  const counts = { copied: 0, existing: 0, mounted: 0 };
  let bytes = 0;
  const inner: Context = {
    signal: context.signal,
    emit(event) {
      if (event.type === 'transfer' && event.direction === 'push') {
        if (event.state === 'exists') counts.existing++;
        else if (event.state === 'mounted') counts.mounted++;
        else if (event.state === 'done') {
          counts.copied++;
          bytes += event.bytes ?? 0;
        }
      }
      context.emit(event);
    },
  };
  const { store, image } = await storedImage(from, options, inner);
  const [{ pushImage }, { readImage }] = await Promise.all([import('./push.ts'), import('./read.ts')]);
  const stored = { names: [], repoDigests: [], updated: 0, ...image };
  const chosen = platform === undefined ? undefined : readImage(store, stored, platform);
  const pushed = chosen ? { ...stored, descriptor: chosen.descriptor, imageId: chosen.configDigest, manifest: chosen.manifestDigest } : stored;
  if (to.reference.digest !== undefined) throw new SiruError('REFERENCE', 'an image of the store goes to a tag, not to a digest', { hint: 'its layers may be compressed on the way, which gives it another digest' });
  const { digest, size } = await pushImage({ store, remote, image: pushed, reference: to.reference, untagged }, inner);
  return { digest, size, mediaType: pushed.descriptor.mediaType, blobs: counts, bytes, referrers: 0 };
}

function counted(transfer: Transfer, told: (state: Parameters<Transfer['state']>[0]) => void): Transfer {
  return {
    ...transfer,
    state(state) {
      told(state);
      transfer.state(state);
    },
  };
}

export function descriptorOf({ bytes, mediaType, digest }: Document): Descriptor {
  return { mediaType, digest, size: bytes.length };
}

/** Layers that registries do not hand out. */
function isForeign({ mediaType }: Descriptor): boolean {
  return mediaType === mediaTypes.dockerForeignLayer || mediaType.includes('.nondistributable.');
}
