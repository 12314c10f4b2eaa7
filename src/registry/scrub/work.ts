/** What the parts of a scrub share. */
import type { Digest } from '../../oci/digest.ts';
import type { Core } from '../files/core.ts';
import type { Finding } from './finding.ts';

/** A place to bring content from that is broken here. */
export interface Source {
  /** What the repository is called there; undefined when it is none of the source's. */
  at(repository: string): string | undefined;
  /** Throws when it does not have it, or cannot be asked. */
  blob(repository: string, digest: Digest, size: number): Promise<AsyncIterable<Uint8Array>>;
  manifest(repository: string, digest: Digest): Promise<Uint8Array>;
}

export interface Work {
  core: Core;
  sources: readonly Source[];
  signal: AbortSignal | undefined;
  found: (finding: Finding) => void;
  /** Waits until the rate allows so many bytes more. */
  pace: (bytes: number) => Promise<void>;
  counts: Counts;
}

export interface Counts {
  blobs: number;
  bytes: number;
  manifests: number;
  layouts: number;
}

/** Rows that are looked at together. */
export const windowSize = 200;

/** Bytes of a file that are read at once. */
export const chunk: number = 1024 * 1024;
