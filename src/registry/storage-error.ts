/** What a storage refuses, in terms that every backend shares; the app makes answers of it. */
import { SiruError, errnoOf } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isDiskFull as isDatabaseFull } from '../store/store-error.ts';

export type StorageFault =
  | { fault: 'DIGEST'; expected: Digest; actual: Digest }
  /** Bytes that do not follow what is here. */
  | { fault: 'RANGE'; size: number }
  /** Another process writes to the upload. */
  | { fault: 'BUSY' }
  | { fault: 'MISSING'; blobs: Digest[]; manifests: Digest[] };

export class StorageError extends SiruError {
  readonly about: StorageFault;

  constructor(about: StorageFault, options: { cause?: unknown } = {}) {
    super('STORE', `the registry's storage refused: ${about.fault}`, options);
    this.name = 'StorageError';
    this.about = about;
  }
}

/** True when the file system or the database found no room, however deep the reason lies. */
export function isDiskFull(error: unknown): boolean {
  for (let at = error; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) {
    if (errnoOf(at) === 'ENOSPC' || errnoOf(at) === 'EDQUOT' || isDatabaseFull(at)) return true;
  }
  return false;
}
