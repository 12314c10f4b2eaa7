/** An image of an OCI layout, read where it lies. */
import { SiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { hexOf } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseIndex } from '../../oci/manifest.ts';
import { isIndex, isManifest, mediaTypes } from '../../oci/media-types.ts';
import { referrersTag } from '../../remote/referrers.ts';
import { readDocuments } from '../read.ts';
import type { FileTree } from './file-tree.ts';
import { damaged, hashOf } from './place.ts';
import type { Document, Source } from './place.ts';

/** Bytes of an `index.json`. */
export const layoutIndexLimit: number = 16 << 20;
const documentLimit = 4 << 20;
/** Entries of an `index.json` that are looked into for the image that they refer to. */
const mostEntries = 10_000;

export interface LayoutName {
  /** Of the layout, for people. */
  path: string;
  /** What `index.json` calls the image: a tag, or a whole name. */
  tag?: string;
  digest?: Digest;
}

/** The names that an entry of `index.json` gives its image. */
export function entryNames({ annotations }: Descriptor): string[] {
  return ['org.opencontainers.image.ref.name', 'io.containerd.image.name'].flatMap((key) => annotations?.[key] ?? []);
}

/** `blobs/sha256/<hex>`. */
export function blobPathOf(digest: Digest): string {
  return `blobs/${digest.slice(0, digest.indexOf(':'))}/${hexOf(digest)}`;
}

/** Throws NOT_FOUND when the tree is no layout. */
export async function openLayoutSource(tree: FileTree, { path, tag, digest }: LayoutName): Promise<Source> {
  const name = `${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  const bytes = await readWhole(tree, 'index.json', layoutIndexLimit, path);
  if (!bytes) throw new SiruError('NOT_FOUND', `${path} is no OCI layout: it has no index.json`, { hint: 'what docker save wrote long ago is read as docker-archive:FILE' });
  const { manifests } = parseIndex(bytes);
  let bySubject: Promise<Map<Digest, Descriptor[]>> | undefined;

  const manifest = async (wanted: Pick<Descriptor, 'digest' | 'mediaType'>): Promise<Document | undefined> => {
    const document = await readWhole(tree, blobPathOf(wanted.digest), documentLimit, path);
    if (!document) return undefined;
    if (hashOf(wanted.digest).update(document).digest('hex') !== hexOf(wanted.digest)) throw damaged(wanted.digest, path);
    return { bytes: document, mediaType: wanted.mediaType || typeOf(document, wanted.digest), digest: wanted.digest };
  };
  const subjects = async (): Promise<Map<Digest, Descriptor[]>> => {
    const found = new Map<Digest, Descriptor[]>();
    for (const entry of manifests.slice(0, mostEntries)) {
      if (!isManifest(entry.mediaType) && !isIndex(entry.mediaType)) continue;
      const document = await manifest(entry);
      if (!document) continue;
      const { subject, ...told } = referrerFacts(document);
      const { mediaType, digest: of, size } = entry;
      if (subject) found.set(subject.digest, [...(found.get(subject.digest) ?? []), { mediaType, digest: of, size, ...told }]);
    }
    return found;
  };
  const choose = async (): Promise<Descriptor> => {
    const wanted = tag ?? 'latest';
    const named = manifests.find((entry) => entryNames(entry).some((one) => one === wanted || (tag !== undefined && !/[/:]/.test(tag) && one.endsWith(`:${tag}`))));
    if (named) return named;
    if (tag === undefined) {
      const referring = new Set([...(await (bySubject ??= subjects())).values()].flat().map((one) => one.digest));
      const images = manifests.filter((entry) => !referring.has(entry.digest) && !entryNames(entry).some((one) => /^sha(256|512)-[0-9a-f]{64}/.test(one)));
      if (new Set(images.map((one) => one.digest)).size === 1) return images[0]!;
    }
    const there = manifests.flatMap(entryNames);
    throw new SiruError('NOT_FOUND', `${path} has no image ${JSON.stringify(wanted)}`, {
      hint: there.length > 0 ? `it has ${[...new Set(there)].slice(0, 10).join(', ')}` : 'name one by its digest: PATH@sha256:...',
    });
  };
  const resolve = async (): Promise<Document> => {
    const entry = digest === undefined ? await choose() : { digest, mediaType: manifests.find((one) => one.digest === digest)?.mediaType ?? '' };
    const document = await manifest(entry);
    if (!document) throw new SiruError('NOT_FOUND', `${path} has no manifest ${entry.digest}`);
    return document;
  };

  return {
    name,
    resolve,
    manifest,
    async head() {
      const { mediaType, digest: of, bytes: { length } } = await resolve();
      return { mediaType, digest: of, size: length };
    },
    async blob(descriptor, offset) {
      const file = await tree.get(blobPathOf(descriptor.digest));
      if (!file) throw new SiruError('NOT_FOUND', `${path} lacks the blob ${descriptor.digest}`, { hint: 'it was made for one platform only, or was not copied whole; choose one with --platform' });
      if (file.size !== descriptor.size) throw damaged(descriptor.digest, path);
      return file.open(offset);
    },
    async referrers(subject) {
      // Some tools list them as entries of their own, some in an index under the tag that stands for the list in a registry.
      const listed = (await (bySubject ??= subjects())).get(subject) ?? [];
      const stand = manifests.find((entry) => isIndex(entry.mediaType) && entryNames(entry).includes(referrersTag(subject)));
      const index = stand && (await manifest(stand));
      const all = new Map([...(index ? parseIndex(index.bytes).manifests : []), ...listed].map((one) => [one.digest, one]));
      return [...all.values()];
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** What a list of referrers tells of a manifest (OCI distribution spec, "Listing Referrers"). */
export function referrerFacts(document: Pick<Document, 'bytes' | 'mediaType' | 'digest'>): Pick<Descriptor, 'artifactType' | 'annotations'> & { subject?: Descriptor } {
  const read = readDocuments(document.bytes, document.mediaType, document.digest);
  const { subject, annotations, artifactType } = read.type === 'manifest' ? read.manifest : read.index;
  const type = artifactType ?? (read.type === 'manifest' ? read.manifest.config.mediaType : undefined);
  return { ...(type !== undefined && { artifactType: type }), ...(annotations && { annotations }), ...(subject && { subject }) };
}

function typeOf(bytes: Buffer, digest: Digest): string {
  const read = readDocuments(bytes, undefined, digest);
  return (read.type === 'manifest' ? read.manifest.mediaType : read.index.mediaType) ?? (read.type === 'manifest' ? mediaTypes.manifest : mediaTypes.index);
}

async function readWhole(tree: FileTree, file: string, limit: number, path: string): Promise<Buffer | undefined> {
  const found = await tree.get(file);
  if (!found) return undefined;
  if (found.size > limit) throw new SiruError('DOCUMENT', `${file} of ${path} has ${found.size} bytes; at most ${limit} are read`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}
