/** Names of contexts: `alpine` is docker.io/library/alpine:latest, and `alpine::linux/arm64` counts for that platform only. Pure. */
import { SiruError } from '../../base/errors.ts';
import { formatPlatform, parsePlatform, type Platform } from '../../oci/platform.ts';
import { familiarReference, parseReference } from '../../oci/reference.ts';

/** The one form that all ways to write a name have; undefined for what cannot name an image. */
export function contextName(name: string): string | undefined {
  try {
    return familiarReference(parseReference(name)).replace(/:latest$/, '');
  } catch {
    return undefined;
  }
}

/** Contexts by their normalised names. Throws USAGE for a name that could never be met. */
export function normaliseContexts(contexts: Readonly<Record<string, string>> = {}): Map<string, string> {
  const normalised = new Map<string, string>();
  for (const [written, value] of Object.entries(contexts)) {
    const split = written.lastIndexOf('::');
    const name = contextName(split < 0 ? written : written.slice(0, split));
    if (name === undefined) throw new SiruError('USAGE', `invalid context name ${JSON.stringify(written)}`, { hint: 'Names are written like those of images: lower case letters, digits, dots, hyphens and slashes.' });
    let suffix = '';
    if (split >= 0) {
      try {
        suffix = `::${formatPlatform(parsePlatform(written.slice(split + 2)))}`;
      } catch (cause) {
        throw new SiruError('USAGE', `invalid context name ${JSON.stringify(written)}: behind :: stands no platform`, { cause });
      }
    }
    normalised.set(name + suffix, value);
  }
  return normalised;
}

/** The key under which a name has a context on a platform, or undefined when it has none. */
export function findContext(keys: Iterable<string>, name: string, platform: Platform): string | undefined {
  const wanted = contextName(name);
  if (wanted === undefined) return undefined;
  const own = `${wanted}::${formatPlatform(platform)}`;
  let general: string | undefined;
  for (const key of keys) {
    if (key === own) return key;
    if (key === wanted) general = key;
  }
  return general;
}
