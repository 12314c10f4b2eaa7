/** What a storage refuses, in terms that every backend shares; the app makes answers of it. */
import { SiruError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';

export type StorageFault =
  | { fault: 'DIGEST'; expected: Digest; actual: Digest }
  /** Bytes that do not follow what is here. */
  | { fault: 'RANGE'; size: number }
  /** Another process writes to the upload. */
  | { fault: 'BUSY' }
  | { fault: 'MISSING'; blobs: Digest[]; manifests: Digest[] }
  /** No room on the disk. */
  | { fault: 'FULL' };

export class StorageError extends SiruError {
  readonly about: StorageFault;

  constructor(about: StorageFault, options: { cause?: unknown } = {}) {
    super('STORE', `the registry's storage refused: ${about.fault}`, options);
    this.name = 'StorageError';
    this.about = about;
  }
}
