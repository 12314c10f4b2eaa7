/** For tests: blobs and manifests, and the requests that push them. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Algorithm } from '../storage.ts';

export interface Content {
  digest: Digest;
  bytes: Buffer;
}

export function contentOf(bytes: Buffer | string, algorithm: Algorithm = 'sha256'): Content {
  return { digest: `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`, bytes: Buffer.from(bytes) };
}

export function randomContent(size = 1000, algorithm: Algorithm = 'sha256'): Content {
  return contentOf(randomBytes(size), algorithm);
}

export interface ManifestParts {
  config: Content;
  layers?: Content[];
  more?: object;
}

export function manifestOf({ config, layers = [], more = {} }: ManifestParts, algorithm: Algorithm = 'sha256'): Content {
  const descriptor = (mediaType: string, { digest, bytes }: Content): object => ({ mediaType, digest, size: bytes.length });
  return contentOf(JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(mediaTypes.config, config),
    layers: layers.map((layer) => descriptor(mediaTypes.layer, layer)),
    ...more,
  }), algorithm);
}

export function indexOf(manifests: Content[], more: object = {}): Content {
  return contentOf(JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: manifests.map(({ digest, bytes }) => ({ mediaType: mediaTypes.manifest, digest, size: bytes.length })),
    ...more,
  }));
}

/** In one request. */
export async function pushBlob(url: string, repository: string, content: Content): Promise<void> {
  const response = await fetch(`${url}/v2/${repository}/blobs/uploads/?digest=${content.digest}`, { method: 'POST', body: content.bytes });
  assert.equal(response.status, 201, await response.text());
}

export function putManifest(url: string, repository: string, reference: string, { bytes }: Content, mediaType: string = mediaTypes.manifest): Promise<Response> {
  return fetch(`${url}/v2/${repository}/manifests/${reference}`, { method: 'PUT', body: bytes, headers: { 'content-type': mediaType } });
}

/** Config, one layer and the manifest under a tag. */
export async function pushImage(url: string, repository: string, tag: string, parts: Partial<ManifestParts> = {}): Promise<{ config: Content; layers: Content[]; manifest: Content }> {
  const config = parts.config ?? contentOf(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [] } }));
  const layers = parts.layers ?? [randomContent()];
  for (const blob of [config, ...layers]) await pushBlob(url, repository, blob);
  const manifest = manifestOf({ config, layers, ...(parts.more && { more: parts.more }) });
  const response = await putManifest(url, repository, tag, manifest);
  assert.equal(response.status, 201, await response.text());
  return { config, layers, manifest };
}

/** The code of a refusal's document. */
export async function codeOf(response: Response): Promise<string> {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  assert.ok(errors[0]!.message.length > 0);
  return errors[0]!.code;
}
