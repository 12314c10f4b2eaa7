/** The images of a lock file, to be asked what their tags have moved to. */
import { basename } from 'node:path';
import type { UsedImage } from '../../images/outdated.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { parseReferenceWithTag } from '../../oci/reference.ts';
import { parseLock } from './lock-file.ts';
import { readLockFile } from './read-lock.ts';

/** Throws LOCK. */
export function usedByLock(path: string): UsedImage[] {
  return parseLock(readLockFile(path), basename(path)).entries.flatMap((entry) =>
    entry.kind === 'image' ? [{ reference: parseReferenceWithTag(entry.name), digests: [entry.digest], platform: parsePlatform(entry.platform), place: path } satisfies UsedImage] : []);
}
