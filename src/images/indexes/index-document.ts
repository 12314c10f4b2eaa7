/** The document of an index: made of descriptors, and changed. */
import { SiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { sha256 } from '../../oci/digest.ts';
import type { Index } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { formatPlatform, matchesPlatform, parsePlatform } from '../../oci/platform.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Document } from '../places/place.ts';

export interface IndexAnnotation {
  key: string;
  /** Takes the annotation away when undefined. */
  value: string | undefined;
  /** Of the entries of this platform (`linux/arm64`), of the entry with this digest, or `*`: of every image; of the index when not given. */
  on?: string;
}

/** In docker's form when all that it lists is, and in OCI's when something is not, or has to be said that docker's has no place for. */
export function indexDocument(index: Pick<Index, 'manifests' | 'annotations'> & { [other: string]: unknown }): Document {
  const { manifests, annotations } = index;
  const docker = manifests.length > 0 && manifests.every(({ mediaType, annotations: own }) => mediaType === mediaTypes.dockerManifest && own === undefined) && annotations === undefined;
  const mediaType = docker ? mediaTypes.dockerIndex : mediaTypes.index;
  const { schemaVersion: _version, mediaType: _type, manifests: _manifests, annotations: _annotations, ...others } = index;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...others, manifests, ...(annotations && { annotations }) }, null, 2));
  return { bytes, mediaType, digest: sha256(bytes) };
}

/** Throws NOT_FOUND when an entry that is named does not exist, PLATFORM. */
export function annotate<T extends Pick<Index, 'manifests' | 'annotations'>>(index: T, annotations: readonly IndexAnnotation[], what: string): T {
  let result = index;
  for (const { key, value, on } of annotations) {
    if (on === undefined) {
      result = { ...result, annotations: changed(result.annotations, key, value) };
      continue;
    }
    const chosen = entriesFor(result, on, what);
    result = { ...result, manifests: result.manifests.map((entry) => (chosen.includes(entry) ? { ...entry, annotations: changed(entry.annotations, key, value) } : entry)) };
  }
  return result;
}

/** The entries of a platform, or the one with a digest. Throws NOT_FOUND. */
export function entriesFor({ manifests }: Pick<Index, 'manifests'>, text: string, what: string): Descriptor[] {
  const found = text === '*' ? manifests.filter(({ platform }) => platform?.os !== 'unknown') : text.includes(':') ? manifests.filter(({ digest }) => digest === text) : entriesOf(manifests, parsePlatform(text));
  if (found.length > 0) return found;
  throw new SiruError('NOT_FOUND', `${what} lists nothing for ${text}`, {
    hint: `it lists ${manifests.map(({ platform, digest }) => (platform && platform.os !== 'unknown' ? formatPlatform(platform) : digest)).slice(0, 10).join(', ') || 'nothing'}`,
  });
}

function entriesOf(manifests: readonly Descriptor[], platform: Platform): Descriptor[] {
  return manifests.filter((entry) => entry.platform && entry.platform.os !== 'unknown' && matchesPlatform(platform, entry.platform) && formatPlatform(platform) === formatPlatform(entry.platform));
}

function changed(annotations: Record<string, string> | undefined, key: string, value: string | undefined): Record<string, string> | undefined {
  const { [key]: _before, ...others } = annotations ?? {};
  const after = value === undefined ? others : { ...others, [key]: value };
  return Object.keys(after).length === 0 ? undefined : after;
}
