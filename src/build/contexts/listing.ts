/**
 * What a COPY reads, as sorted entries: the `files` part of its key. Paths are those of the source; modes and owners are
 * those that the layer gets; times are left out. Its digest names it; the entries themselves are kept only when the step
 * is executed, so that a later miss can be told file by file.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Entry } from '../../layer/entry.ts';
import { encodeToc } from '../../layer/toc-write.ts';
import { createTreeHasher } from '../../layer/tree-digest.ts';
import { hexOf, type Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';

export interface Listing {
  entries: Entry[];
  digest: Digest;
}

/** Sorts the entries and leaves out all but the first of each path. */
export function createListing(entries: Entry[]): Listing {
  let sorted = true;
  for (let i = 1; sorted && i < entries.length; i++) sorted = entries[i - 1]!.path < entries[i]!.path;
  if (!sorted) {
    entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    entries = entries.filter(({ path }, i) => i === 0 || path !== entries[i - 1]!.path);
  }
  const hasher = createTreeHasher();
  for (const entry of entries) hasher.add(entry);
  return { entries, digest: hasher.digest() };
}

/** Keeps a listing in the store. */
export function saveListing(listing: Listing, store: Pick<Store, 'path' | 'temporary'>): void {
  const { entries, digest } = listing;
  const bytes = encodeToc(entries, { diffId: digest, treeDigest: digest, size: 0, entries: entries.length });
  const temporary = store.temporary('.listing');
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, store.path('listings', hexOf(digest)));
  } catch {
    // Only the explanation of a later miss depends on it.
    rmSync(temporary, { force: true });
  }
}
