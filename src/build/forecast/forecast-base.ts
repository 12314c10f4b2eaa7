/** FROM an image, without pulling it: from the store, else the documents that its registry has. */
import type { Context } from '../../base/context.ts';
import { fetchConfig, fetchManifest } from '../../images/fetch-manifest.ts';
import type { ImageLayer } from '../../images/read.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { isManifest } from '../../oci/media-types.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import { formatReference, parseReferenceWithTag } from '../../oci/reference.ts';
import { checkPlatform } from '../../images/platform.ts';
import { storedBase, type BaseParts } from '../base-image.ts';
import { imageHere } from '../lock/pinned-base.ts';
import { revalidate } from '../revalidate.ts';
import type { ForecastPull } from './forecast.ts';

export interface KnownBase {
  name: string;
  digest: Digest;
  config: ImageConfig;
  layers: ImageLayer[];
  /** What a build would bring; absent when all of it is here. */
  pull?: ForecastPull;
}

/** Throws what a pull throws for an image that there is not. */
export async function forecastBase(session: BaseParts, text: string, platform: Platform, context: Context): Promise<KnownBase> {
  const { store, pins } = session;
  const written = parseReferenceWithTag(text);
  const name = formatReference(written);
  const pinned = pins && written.digest === undefined ? pins.image(written, platform) : undefined;
  const reference = pinned === undefined ? written : { ...written, digest: pinned };
  const image = pinned === undefined ? ((await revalidate(session, written, context)).fresh ? storedBase(store, written, platform).image : undefined) : imageHere(store, pinned);
  if (image) return { name, digest: image.manifestDigest, config: image.config, layers: image.layers };

  const remote = await session.remote();
  const { top, documents, descriptor, manifest } = await fetchManifest(remote, reference, platform, store, context);
  const { config, layers } = await fetchConfig(remote, reference, manifest, store, context);
  if (!isManifest(top.mediaType)) checkPlatform(config, platform, name);
  const blobs = new Map(layers.map(({ descriptor: { digest, size } }) => [digest, { digest, size, here: store.blobs.has(digest, size) }]));
  const missing = [...blobs.values()].reduce((sum, { size, here }) => sum + (here ? 0 : size), 0);
  const of = store.blobs.has(manifest.config.digest, manifest.config.size) ? 0 : manifest.config.size;
  const bytes = missing + of + documents.reduce((sum, document) => sum + document.length, 0);
  return { name, digest: descriptor.digest, config, layers, pull: { name, platform: formatPlatform(platform), digest: top.digest, bytes, layers: [...blobs.values()] } };
}
