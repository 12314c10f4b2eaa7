/** Where a cache lies: a repository of a registry, or a folder with an OCI layout. Named manifests and blobs, nothing more. */
import type { Context } from '../../base/context.ts';
import type { Descriptor } from '../../oci/descriptor.ts';

export interface Medium {
  /** For people: `registry.example/app:cache`, or a path. */
  name: string;
  /** What all names of the cache begin with. */
  tag: string;
  /** The manifest under a name; undefined when there is none. Throws AUTH, NETWORK, REGISTRY, DOCUMENT. */
  getManifest(tag: string, context: Context): Promise<NamedManifest | undefined>;
  /** Points the name at these bytes. All blobs that they name are there. */
  putManifest(tag: string, bytes: Uint8Array, mediaType: string, context: Context): Promise<void>;
  hasBlob(descriptor: Descriptor, context: Context): Promise<boolean>;
  /** Never more bytes than the descriptor says; the caller checks the digest. Throws NOT_FOUND. */
  getBlob(descriptor: Descriptor, context: Context): Promise<AsyncIterable<Uint8Array>>;
  /** Stores a blob that the caller has hashed. */
  putBlob(descriptor: Descriptor, open: () => AsyncIterable<Uint8Array>, context: Context): Promise<void>;
}

export interface NamedManifest {
  bytes: Buffer;
  mediaType: string;
  digest: string;
}
