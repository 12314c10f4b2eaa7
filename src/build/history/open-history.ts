/** The history of a build as explanations read it. */
import type { BuildEntry, Store } from '../../store/store.ts';
import { readListing } from '../read-listing.ts';
import type { History } from './explain-build.ts';

export function openHistory(store: Pick<Store, 'builds' | 'records' | 'path'>, build: BuildEntry, mostFiles?: number): History {
  return {
    parts: (key) => store.records.parts(key),
    readListing: readListing(store),
    earlier: { [Symbol.iterator]: () => store.builds.earlier(build)[Symbol.iterator]() },
    baseLayers: (digest) => store.builds.baseLayers(digest),
    ...(mostFiles === undefined ? {} : { mostFiles }),
  };
}
