/** When a registry was last asked what a name stands for: the time of an empty file of the store. */
import { closeSync, openSync, statSync, utimesSync } from 'node:fs';
import { hexOf, sha256 } from '../oci/digest.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { Store } from '../store/store.ts';

/** Milliseconds since 1970; undefined when nobody asked, or not within memory. */
export function lastAsked(store: Pick<Store, 'path'>, reference: Reference): number | undefined {
  return statSync(fileOf(store, reference), { throwIfNoEntry: false })?.mtimeMs;
}

/** Remembers that it was asked just now. What cannot be written is forgotten: it is asked again then. */
export function noteAsked(store: Pick<Store, 'path'>, reference: Reference): void {
  try {
    const file = fileOf(store, reference);
    closeSync(openSync(file, 'a', 0o600));
    const now = new Date();
    utimesSync(file, now, now);
  } catch {}
}

function fileOf(store: Pick<Store, 'path'>, reference: Reference): string {
  return store.path('asked', hexOf(sha256(formatReference(reference))));
}
