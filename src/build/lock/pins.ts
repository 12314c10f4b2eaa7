/** What a lock file says to the build that uses it. Each answer throws LOCK for a source that the file does not have. */
import { SiruError } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Resolved } from '../contexts/git-remote.ts';
import type { GitSource } from '../contexts/git-url.ts';
import { keyOf, type Lock, type LockEntry } from './lock-file.ts';
import { gitName, imageName, urlName, type Mask } from './source-names.ts';

export interface Pins {
  /** How messages call the file. */
  file: string;
  /** The manifest that a reference without a digest stands for. */
  image(reference: Reference, platform: Platform): Digest;
  /** Of the file behind an address. */
  url(address: string): Digest;
  commit(source: GitSource): Resolved;
}

export function createPins(lock: Lock, file: string, mask: Mask): Pins {
  const entries = new Map<string, LockEntry>(lock.entries.map((entry) => [keyOf(entry), entry]));
  const missing = (what: string, hint = 'Lock it, with the options of the build: siru lock.'): SiruError => new SiruError('LOCK', `${file} does not have ${what}`, { hint });
  /** Secrets stand in a name only where the lock was written without knowing them. */
  const find = (kind: 'url' | 'git', name: (mask: Mask) => string): LockEntry | undefined => entries.get(`${kind} ${name(mask)}`) ?? entries.get(`${kind} ${name((text) => text)}`);
  return {
    file,
    image(reference, platform) {
      const name = imageName(reference);
      const wanted = formatPlatform(platform);
      const entry = entries.get(keyOf({ kind: 'image', name, platform: wanted }));
      if (entry?.kind === 'image') return entry.digest;
      const others = lock.entries.flatMap((one) => (one.kind === 'image' && one.name === name ? [one.platform] : []));
      throw missing(`image ${name} for ${wanted}`, others.length === 0 ? undefined : `It has it for ${others.join(', ')}. Lock this platform too: siru lock --platform ${[...new Set([...lock.platforms, wanted])].join(',')}`);
    },
    url(address) {
      const entry = find('url', (hidden) => urlName(address, hidden));
      if (entry?.kind === 'url') return entry.digest;
      throw missing(`file ${urlName(address, mask)}`);
    },
    commit(source) {
      const entry = find('git', (hidden) => gitName(source, hidden));
      if (entry?.kind !== 'git') throw missing(`repository ${gitName(source, mask)}`);
      const { commit, ref, tag } = entry;
      return { commit, ...(ref === undefined ? {} : { ref }), ...(tag === undefined ? {} : { tag }) };
    },
  };
}
