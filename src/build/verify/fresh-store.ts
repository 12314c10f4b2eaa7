/** A store in which nothing was built yet, for one build that is to be compared: blobs and layers are those of the store. */
import type { BuildEntry, Store } from '../../store/store.ts';

export interface NotedStore {
  store: Store;
  /** What the build would have left in the history. */
  entry(): BuildEntry | undefined;
}

/** No step is found, none is remembered, and no earlier result is kept in the place of a new one. */
export function freshStore(store: Store): NotedStore {
  let entry: BuildEntry | undefined;
  const fresh: Store = {
    ...store,
    records: { ...store.records, get: () => undefined, put() {}, byTree: () => undefined, parts: () => undefined, note() {}, lastKey: () => undefined },
    builds: {
      ...store.builds,
      add: (build) => void (entry = build),
      noteBase() {},
      writeLog: () => ({ bytes: 0, failure: undefined, write() {}, [Symbol.dispose]() {} }),
    },
  };
  return { store: fresh, entry: () => entry };
}

/** The store itself; what its next build leaves in the history is taken note of. */
export function notedStore(store: Store): NotedStore {
  let entry: BuildEntry | undefined;
  return {
    entry: () => entry,
    store: {
      ...store,
      builds: {
        ...store.builds,
        add(build) {
          entry = build;
          store.builds.add(build);
        },
      },
    },
  };
}
