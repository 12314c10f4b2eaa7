/** Where things lie below a registry's root. */
import { join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';

/** Everything that is no repository. No component of a name begins with a dot. */
export const ownFolder = '.siru';

/** Names inside of a layout: a repository may be called so too, and lies beside it under another name. */
const reserved = new Set(['blobs', 'index.json', 'oci-layout']);

/** The OCI layout of a repository. */
export function layoutPath(root: string, repository: string): string {
  const parts = repository.split('/').map((part) => (reserved.has(part) ? `_${part}` : part));
  return join(root, ...parts);
}

export function layoutBlobPath(root: string, repository: string, digest: Digest): string {
  return join(layoutPath(root, repository), 'blobs', ...digest.split(':'));
}

export function blobFolder(root: string, algorithm: string): string {
  return join(root, ownFolder, 'blobs', algorithm);
}

export function blobPath(root: string, digest: Digest): string {
  return join(root, ownFolder, 'blobs', ...digest.split(':'));
}

export function uploadPath(root: string, id: string): string {
  return join(root, ownFolder, 'uploads', id);
}

/** Bytes that are not what their digest says. */
export function quarantinePath(root: string, digest: Digest): string {
  return join(root, ownFolder, 'quarantine', digest.replace(':', '-'));
}
