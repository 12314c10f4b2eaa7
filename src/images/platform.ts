/** Which child of an index is for a platform. */
import { SiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { Index } from '../oci/manifest.ts';
import { isIndex, isManifest } from '../oci/media-types.ts';
import { choosePlatform, formatPlatform, hostPlatform, matchesPlatform } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';

/**
 * The best child for the platform (the host's when none is given); `preferred` narrows the choice to children for which it
 * is true, when there are any. Throws PLATFORM with a list of what there is.
 */
export function chooseChild(index: Index, platform: Platform | undefined, what: string, preferred?: (child: Descriptor) => boolean): Descriptor {
  // Attestations are listed beside images, for a platform "unknown/unknown".
  const images = index.manifests.filter((child) => (isManifest(child.mediaType) || isIndex(child.mediaType)) && child.platform?.os !== 'unknown');
  const narrowed = preferred ? images.filter(preferred) : [];
  const candidates = narrowed.length > 0 ? narrowed : images;
  const wanted = platform ?? hostPlatform();
  const position = choosePlatform(wanted, candidates.map((child) => child.platform));
  if (position !== undefined) return candidates[position]!;
  // An index of one image without a platform, or only one child is here and nobody asked for another.
  if (candidates.length === 1 && (candidates[0]!.platform === undefined || platform === undefined)) return candidates[0]!;
  const available = [...new Set(images.map((child) => (child.platform ? formatPlatform(child.platform) : 'unnamed')))];
  throw new SiruError('PLATFORM', `no image for ${formatPlatform(wanted)} in ${what}`, {
    hint: available.length > 0 ? `there are images for ${available.join(', ')}: choose one with --platform` : 'the index lists no images',
  });
}

/** Throws PLATFORM when an image's own configuration says that it is for another platform. */
export function checkPlatform(config: ImageConfig, platform: Platform, what: string): void {
  const own: Platform = { os: config.os, architecture: config.architecture };
  if (config.variant !== undefined) own.variant = config.variant;
  if (matchesPlatform(platform, own)) return;
  throw new SiruError('PLATFORM', `${what} is an image for ${formatPlatform(own)}, not for ${formatPlatform(platform)}`, {
    hint: `choose it with --platform ${formatPlatform(own)}, or another image`,
  });
}
