/**
 * The contract of a place: somewhere that images lie, under a name. A copy reads from a source and writes to a target, and
 * neither knows what the other is: a repository of a registry, a layout, an archive, the store.
 *
 *     const document = await source.resolve(context)             what its name stands for
 *     if (!(await target.has(document))) ...                      blobs, then the manifest, then the index above it
 *     await target.finish(document, context)                      only now does the name stand for it
 *
 * Bytes of blobs and manifests go through unchanged, so digests stay what they are.
 */
import { createHash, getHashes } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { hexOf } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Transfer } from '../transfer.ts';

export type Repository = Pick<Reference, 'domain' | 'path'>;

/** A manifest or an index. */
export interface Document {
  bytes: Buffer;
  mediaType: string;
  digest: Digest;
}

export interface Source extends AsyncDisposable {
  /** For people. */
  readonly name: string;
  /** Of a registry: blobs can be mounted from there. */
  readonly repository?: Repository;
  /** What the name stands for, without its bytes where that is cheaper. Throws NOT_FOUND. */
  head(context: Context): Promise<Descriptor>;
  /** The same with its bytes. Throws NOT_FOUND, DIGEST. */
  resolve(context: Context): Promise<Document>;
  /** By digest; undefined when it is not there. Throws DIGEST. */
  manifest(descriptor: Pick<Descriptor, 'digest' | 'mediaType'>, context: Context): Promise<Document | undefined>;
  /** The bytes of a blob from an offset. Who takes them checks the digest. Throws NOT_FOUND. */
  blob(descriptor: Descriptor, offset: number, context: Context): Promise<AsyncIterable<Uint8Array>>;
  /** Manifests whose subject has this digest, as far as the place knows them. */
  referrers(digest: Digest, context: Context): Promise<Descriptor[]>;
}

export interface Blob {
  descriptor: Descriptor;
  /** The bytes, not checked. May be called again. */
  open: (offset?: number) => AsyncIterable<Uint8Array>;
  /** A repository that has it. */
  from?: Repository;
  /** Told how it goes: exists, mounted or moving, and done. */
  transfer: Transfer;
}

export interface Target extends AsyncDisposable {
  /** For people. */
  readonly name: string;
  /** Artifacts that refer to an image can be kept beside it. */
  readonly takesReferrers: boolean;
  /** What the name stands for so far, where that is cheap to say and all that it names is surely there. */
  current(context: Context): Promise<Digest | undefined>;
  /** True when the manifest or index is there, and what a manifest names is there for sure. */
  has(descriptor: Pick<Descriptor, 'digest' | 'size'>, context: Context): Promise<boolean>;
  /** Reads back what `has` is true for. */
  manifest(descriptor: Pick<Descriptor, 'digest' | 'mediaType'>, context: Context): Promise<Document | undefined>;
  /** Takes the blob unless it is there. */
  putBlob(blob: Blob, context: Context): Promise<void>;
  /** Under no name. All that it names is there. */
  putManifest(document: Document, context: Context): Promise<void>;
  referrers(digest: Digest, context: Context): Promise<Descriptor[]>;
  /** Sees to it that a manifest that was put is found by its subject. */
  addReferrer(subject: Digest, referrer: Descriptor, context: Context): Promise<void>;
  /** Puts the document, if that was not done, and points the name at it. `from` is where it came from. */
  finish(document: Document, from: Repository | undefined, context: Context): Promise<void>;
}

/** The bytes, until their end shows that they are not what was promised. Throws DIGEST, UNSUPPORTED. */
export async function* verified(chunks: AsyncIterable<Uint8Array>, { digest, size }: Pick<Descriptor, 'digest' | 'size'>, place: string): AsyncGenerator<Uint8Array> {
  const hash = hashOf(digest);
  let count = 0;
  for await (const chunk of chunks) {
    count += chunk.length;
    hash.update(chunk);
    yield chunk;
  }
  if (count !== size || hash.digest('hex') !== hexOf(digest)) throw damaged(digest, place);
}

export function hashOf(digest: Digest): ReturnType<typeof createHash> {
  const algorithm = digest.slice(0, digest.indexOf(':'));
  if (!['sha256', 'sha384', 'sha512'].includes(algorithm) || !getHashes().includes(algorithm)) {
    throw new SiruError('UNSUPPORTED', `digests by ${algorithm} cannot be checked here`);
  }
  return createHash(algorithm);
}

export function damaged(digest: Digest, place: string): SiruError {
  return new SiruError('DIGEST', `the blob ${digest} of ${place} is not what its name says`, {
    hint: 'try again; if it stays so, that copy is damaged',
  });
}
