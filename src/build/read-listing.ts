/** Listings of what earlier steps read, for the explanation of a miss. */
import { readFileSync } from 'node:fs';
import type { Toc } from '../layer/toc-contract.ts';
import { openToc } from '../layer/toc.ts';
import { hexOf, type Digest } from '../oci/digest.ts';
import type { Store } from '../store/store.ts';

/** A function that gives a kept listing, or undefined when it is gone or damaged. */
export function readListing(store: Pick<Store, 'path'>): (digest: string) => Toc | undefined {
  return (digest) => {
    try {
      return openToc(readFileSync(store.path('listings', hexOf(digest as Digest))));
    } catch {
      return undefined;
    }
  };
}
