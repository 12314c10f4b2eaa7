/**
 * Looks whether a registry still has what it says, beside the servers that run: every blob and manifest is read again, and
 * what the database says is compared with the disk. What can be mended is, the rest is named and no longer served.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Core } from '../files/core.ts';
import { checkBlobs } from './check-blobs.ts';
import { checkFiles, checkLayouts } from './check-files.ts';
import { checkManifests } from './check-manifests.ts';
import type { Finding } from './finding.ts';
import type { Counts, Source, Work } from './work.ts';

export interface ScrubOptions {
  /** Where broken content is brought from, in order. */
  sources?: readonly Source[];
  /** Bytes in a second that are read at most. */
  rate?: number;
  signal?: AbortSignal;
  onFinding?: (finding: Finding) => void;
}

export const defaultRate: number = 100_000_000;

export async function scrub(core: Core, { sources = [], rate = defaultRate, signal, onFinding = () => {} }: ScrubOptions = {}): Promise<Counts> {
  const counts: Counts = { blobs: 0, bytes: 0, manifests: 0, layouts: 0 };
  const begun = performance.now();
  let read = 0;
  const pace = async (bytes: number): Promise<void> => {
    read += bytes;
    const ahead = (read / rate) * 1000 - (performance.now() - begun);
    if (ahead > 5) await wait(ahead, undefined, { ...(signal && { signal }) });
  };
  const work: Work = { core, sources, signal, found: onFinding, pace, counts };
  await checkBlobs(work);
  await checkManifests(work);
  await checkFiles(work);
  await checkLayouts(work);
  return counts;
}
