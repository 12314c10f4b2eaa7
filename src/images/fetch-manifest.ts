/** What a name means at its registry: documents alone, and nothing kept. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { sha256, type Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, type Reference } from '../oci/reference.ts';
import type { Remote } from '../remote/client.ts';
import type { Store } from '../store/store.ts';
import { chooseChild } from './platform.ts';
import { checkImage, joinConfig, readDocuments, type ImageLayer } from './read.ts';

const configLimit = 4 << 20;
const deepest = 4;

export interface FetchedManifest {
  /** What the name itself means: a manifest or an index. */
  top: { mediaType: string; digest: Digest; size: number };
  /** The bytes of that and of what lies between it and the manifest, which is the last one. */
  documents: Buffer[];
  /** Of the manifest. */
  descriptor: Descriptor;
  manifest: Manifest;
}

/**
 * The manifest for the platform. Documents that the store has are not asked for. Throws NOT_FOUND, PLATFORM, AUTH, NETWORK,
 * REGISTRY, DIGEST, DOCUMENT, UNSUPPORTED.
 */
export async function fetchManifest(remote: Pick<Remote, 'getManifest'>, reference: Reference, platform: Platform, store: Pick<Store, 'blobs'>, context: Context): Promise<FetchedManifest> {
  const what = familiarReference(reference);
  const top = await remote.getManifest(reference, context);
  requireSha256(top.digest, what);
  const documents = [top.bytes];
  let descriptor: Descriptor = { mediaType: top.mediaType, digest: top.digest, size: top.bytes.length };
  let kind = readDocuments(top.bytes, top.mediaType, what);
  for (let depth = 0; kind.type === 'index'; depth++) {
    if (depth >= deepest) throw new SiruError('DOCUMENT', `${what}: indexes lie more than ${deepest} deep`);
    const child = chooseChild(kind.index, platform, what);
    requireSha256(child.digest, what);
    const bytes = store.blobs.has(child.digest, child.size) ? store.blobs.read(child.digest) : (await remote.getManifest({ ...reference, digest: child.digest }, context)).bytes;
    if (bytes.length !== child.size) throw new SiruError('DIGEST', `manifest ${child.digest} of ${what} has ${bytes.length} bytes, not ${child.size}`);
    documents.push(bytes);
    descriptor = child;
    kind = readDocuments(bytes, child.mediaType, what);
  }
  const { manifest } = kind;
  checkImage(manifest, what);
  const { size } = manifest.config;
  if (size > configLimit) throw new SiruError('DOCUMENT', `the configuration of ${what} has ${size} bytes; at most ${configLimit} are taken`);
  return { top: { mediaType: top.mediaType, digest: top.digest, size: top.bytes.length }, documents, descriptor, manifest };
}

/** The configuration that the manifest names, and its layers. Throws as fetchManifest. */
export async function fetchConfig(remote: Pick<Remote, 'getBlob'>, reference: Reference, manifest: Manifest, store: Pick<Store, 'blobs'>, context: Context): Promise<{ config: ImageConfig; layers: ImageLayer[] }> {
  const what = familiarReference(reference);
  const { config } = manifest;
  if (store.blobs.has(config.digest, config.size)) return joinConfig(manifest, what, store.blobs.read(config.digest));
  const { chunks } = await remote.getBlob(reference, config, context);
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const bytes = Buffer.concat(parts);
  if (sha256(bytes) !== config.digest) throw new SiruError('DIGEST', `the configuration of ${what} is not the one that its manifest names`, { hint: 'Try again; if it stays so, the registry or a mirror holds a damaged copy.' });
  return joinConfig(manifest, what, bytes);
}

function requireSha256(digest: Digest, what: string): void {
  if (!digest.startsWith('sha256:')) throw new SiruError('UNSUPPORTED', `${what} is named by ${digest.split(':', 1)[0]}; only sha256 is supported`);
}
