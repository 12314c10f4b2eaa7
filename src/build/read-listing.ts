/** Listings of what earlier steps read, for the explanation of a miss. */
import { readFileSync } from 'node:fs';
import type { Entry } from '../layer/entry.ts';
import { openToc } from '../layer/toc.ts';
import { hexOf, type Digest } from '../oci/digest.ts';
import type { Store } from '../store/store.ts';

/** A function that gives the entries of a kept listing, or undefined when it is gone or damaged. */
export function readListing(store: Pick<Store, 'path'>): (digest: string) => Iterable<Entry> | undefined {
  return (digest) => {
    try {
      return openToc(readFileSync(store.path('listings', hexOf(digest as Digest))));
    } catch {
      return undefined;
    }
  };
}
