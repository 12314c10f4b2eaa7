/** Which annotations a part of an image gets. */
import { SiruError } from '../../base/errors.ts';
import { formatPlatform, parsePlatform, type Platform } from '../../oci/platform.ts';
import type { Annotation } from './output.ts';

/** Those for one part; undefined when there are none. Later ones win; those for a platform win over those for all. */
export function annotationsOn(on: NonNullable<Annotation['on']>, annotations: readonly Annotation[], platform?: Platform): Record<string, string> | undefined {
  const own = annotations.filter((annotation) => (annotation.on ?? 'manifest') === on);
  const name = platform && formatPlatform(platform);
  const chosen = own.filter((annotation) => annotation.platform === undefined || on.startsWith('index') || formatPlatform(parsePlatform(annotation.platform)) === name);
  chosen.sort((a, b) => Number(a.platform !== undefined) - Number(b.platform !== undefined));
  const found = Object.fromEntries(chosen.map(({ key, value }) => [key, value]));
  return chosen.length > 0 ? sorted(found) : undefined;
}

/** Refuses what would be lost: annotations of an index where there is none, and of platforms that are not built. Throws USAGE. */
export function checkAnnotations(annotations: readonly Annotation[], platforms: readonly Platform[], several: boolean): void {
  const built = platforms.map(formatPlatform);
  for (const { on, platform, key } of annotations) {
    if (!several && on?.startsWith('index')) {
      throw new SiruError('USAGE', `the annotation ${key} is for an index, but an image for one platform has none`, { hint: 'Annotate the manifest instead, or build for several platforms.' });
    }
    if (platform !== undefined && !built.includes(formatPlatform(parsePlatform(platform)))) {
      throw new SiruError('USAGE', `the annotation ${key} is for ${platform}, which is not built`, { hint: `Built is ${built.join(', ')}.` });
    }
  }
}

function sorted(record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
