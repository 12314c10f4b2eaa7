/**
 * What a registry server keeps: repositories with blobs, manifests and tags. One contract; the routes above it do not know
 * where bytes lie. Every answer to "is it there?" and every decision of a collection is a short transaction of one
 * database, so that several server processes, and a collection beside them, agree.
 *
 * The life of an upload
 *
 *     const { id } = await storage.uploads.start('team/app', 'sha256')     // a row; no file yet
 *     await storage.uploads.append('team/app', id, body)                    // bytes go to a file and through a hash
 *     ...the connection breaks, the server is killed, another process takes over...
 *     const { size } = await storage.uploads.state('team/app', id)          // what arrived: the client goes on from there
 *     await storage.uploads.append('team/app', id, rest, { at: size })
 *     await storage.uploads.finish('team/app', id, 'sha256:...')            // DIGEST when it is another; durable when it returns
 *
 * The life of a blob
 *
 *     arriving   finish() has said so in the database, then gives the file its name. Nobody is told of it.
 *     here       it is answered for, in the repositories that have a row in repository_blobs.
 *                upload 201, mount 201 and HEAD 200 set `touched`: who was told has the grace time to push a manifest with it.
 *     leaving    a collection found no repository that has it, and `touched` before the grace time. Nobody is told of it;
 *                the bytes go, then the row. An upload of the same blob waits for that and begins with `arriving`. (Files go in
 *                the transaction that decides, and are never seen leaving.)
 *     broken     a scrub found bytes that are not the blob's, and put them aside. Nobody is told of it, manifests that name it
 *                stay; an upload of the same blob, or a scrub with an upstream, makes it `here` again in all its repositories.
 *
 *     A blob leaves a *repository* by DELETE, or by a collection when no manifest of the repository names it and it was not
 *     touched within the grace time.
 *
 * The life of a manifest
 *
 *     put() checks, in the transaction that adds it, that the repository has what it names, and notes what it names
 *     (references). Its bytes stand in the database: one sync makes it durable, one look answers a pull.
 *     It goes by delete(), which takes the tags that lead to it along, or by a collection's rule for untagged ones. Its own
 *     `touched` is set when it is pushed, when get() finds it by digest, and when a tag, an index or a subject that led to it goes.
 *
 * The life of a tag
 *
 *     It comes with a manifest, moves with the next one, and goes alone by tags.delete(): the manifest stays.
 *
 * Digests are of the algorithms in `algorithms`. Names of repositories and tags were checked by the caller (names.ts).
 */
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';

export const algorithms = ['sha256', 'sha512'] as const;
export type Algorithm = (typeof algorithms)[number];

export interface Storage extends AsyncDisposable {
  repositories: Repositories;
  blobs: Blobs;
  uploads: Uploads;
  manifests: Manifests;
  tags: Tags;
  /** Resolves when all that was acknowledged so far would survive a crash of the machine. */
  durable(): Promise<void>;
  /** Resolves when it can be written to and answers. Throws what is wrong. */
  ready(): Promise<void>;
  /** Counted in small steps, so that others have their turn. */
  totals(): Promise<Totals>;
}

export interface Totals {
  repositories: number;
  manifests: number;
  tags: number;
  blobs: number;
  /** Of blobs, each once. */
  bytes: number;
  /** Uploads that were opened and not finished. */
  uploads: number;
  /** When garbage was last collected to the end; 0 is never. */
  collected: number;
}

export interface Page {
  items: string[];
  /** True when there are more after the last. */
  more: boolean;
}

/** At most `limit` items, from the one after `last` in the order of bytes. */
export interface PageOptions {
  limit: number;
  last?: string;
}

/** Only names that contain this text. */
export interface SearchOptions extends PageOptions {
  containing?: string;
}

export interface Repositories {
  /** True when something was pushed to it and not all of it was collected again. */
  has(name: string): Promise<boolean>;
  /** Those that have a manifest. */
  list(options: SearchOptions): Promise<Page>;
  /** How many tags it has, counted up to `most`. */
  countTags(name: string, most: number): Promise<number>;
  /** Bytes of blobs and manifests, each once for each repository; `prefix` `team/` is a namespace. */
  usage(which: { name: string } | { prefix: string }): Promise<number>;
}

/** Bytes from `start` up to and with `end`. */
export interface Range {
  start: number;
  end: number;
}

export interface Blobs {
  /** Its size when the repository has it; then it is told of, and has its grace time. */
  size(repository: string, digest: Digest): Promise<number | undefined>;
  /** Its bytes, all or a part. `range` is asked with the size; what it throws is passed on. The bytes are to be read, or `close` called. */
  open(repository: string, digest: Digest, range?: (size: number) => Range | undefined): Promise<OpenBlob | undefined>;
  /** Gives the repository the blob that `from` has. False when it has it no more. */
  mount(repository: string, digest: Digest, from: string): Promise<boolean>;
  /** Some repositories that have it, for a mount that names none. */
  holders(digest: Digest, limit: number): Promise<string[]>;
  /** Takes it from the repository. `onTag` is asked for each tag whose image has it. False when the repository does not have it. */
  delete(repository: string, digest: Digest, onTag?: (tag: string) => void): Promise<boolean>;
}

export interface OpenBlob {
  /** Of the whole blob. */
  size: number;
  range: Range | undefined;
  /** Once. A chunk is good until the next one is asked for: its memory is used again. */
  bytes: AsyncIterable<Buffer>;
  close(): Promise<void>;
}

export interface Upload {
  id: string;
  algorithm: Algorithm;
  /** Bytes that are here. */
  size: number;
}

export interface AppendOptions {
  /** Where the bytes begin; it must be the size of what is here (RANGE). Without it they follow what is here. */
  at?: number;
  /** Told, now and then, how large the upload has become. What it throws ends the request. */
  onProgress?: (size: number) => void;
  /** Told when a newer request takes the upload over; the source must then break. */
  onTakenOver?: () => void;
}

export interface Uploads {
  start(repository: string, algorithm: Algorithm): Promise<Upload>;
  state(repository: string, id: string): Promise<Upload | undefined>;
  /**
   * Adds bytes until the source ends or breaks; what arrived stays. A second request for the same upload ends the first:
   * its client has given that one up. Undefined when there is no such upload. Throws RANGE, BUSY.
   */
  append(repository: string, id: string, source: AsyncIterable<Uint8Array>, options?: AppendOptions): Promise<Upload | undefined>;
  /** The upload becomes a blob of the repository. Undefined when there is none. Throws DIGEST: then the upload is gone. */
  finish(repository: string, id: string, digest: Digest): Promise<BlobFacts | undefined>;
  /** False when there is no such upload. */
  cancel(repository: string, id: string): Promise<boolean>;
}

export type BlobFacts = Pick<Descriptor, 'digest' | 'size'>;

export type ManifestName = { tag: string } | { digest: Digest };

export interface StoredManifest {
  digest: Digest;
  mediaType: string;
  bytes: Buffer;
}

/** What a manifest names, as the routes read it from the document. */
export interface ManifestFacts {
  blobs: Digest[];
  manifests: Digest[];
  subject?: Digest;
  /** As referrers show it: the document's, or the config's media type. */
  artifactType?: string;
  annotations?: Record<string, string>;
}

export interface PutManifest extends StoredManifest {
  facts: ManifestFacts;
  tags: readonly string[];
  /** Which absent things are refused (MISSING); blobs, or the manifests of an index. */
  require: { blobs: boolean; manifests: boolean };
  /** Asked in the transaction for each tag that leads to another manifest now. What it throws is passed on, and nothing is changed. */
  onMove?: (tag: string, before: Digest) => void;
}

export interface Manifests {
  get(repository: string, name: ManifestName): Promise<StoredManifest | undefined>;
  /** Durable when it returns. Throws MISSING. */
  put(repository: string, manifest: PutManifest): Promise<void>;
  /** Takes the manifest and the tags that lead to it. `onTag` is asked for each of them, and for those that lead to it over an index, which stay. False when there is none. */
  delete(repository: string, digest: Digest, onTag?: (tag: string) => void): Promise<boolean>;
  /** A manifest of the repository that names this blob. */
  naming(repository: string, blob: Digest): Promise<StoredManifest | undefined>;
  /** Descriptors of manifests whose subject this is, by digest. An unknown subject has none. */
  referrers(repository: string, subject: Digest, options: ReferrersOptions): Promise<{ items: Descriptor[]; more: boolean }>;
}

export interface ReferrersOptions {
  artifactType?: string;
  limit: number;
  /** Digest of the last one of the page before. */
  last?: string;
}

export interface TagFacts {
  name: string;
  /** Of the manifest that it leads to. */
  digest: Digest;
  /** When it was last pushed. */
  pushed: number;
}

export interface Tags {
  list(repository: string, options: PageOptions): Promise<Page>;
  /** The same with what is known of each. */
  describe(repository: string, options: SearchOptions): Promise<{ items: TagFacts[]; more: boolean }>;
  /** Tags that lead to this manifest, in the order of bytes. */
  leadingTo(repository: string, digest: Digest, options: PageOptions): Promise<Page>;
  /** Asked in the transaction, with the manifest that the tag leads to. False when there is no such tag. */
  delete(repository: string, tag: string, onDelete?: (before: Digest) => void): Promise<boolean>;
}
