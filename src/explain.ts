/** Why the steps of a build of the history were or were not executed, as one call of the library. */
import type { Explanation } from './build/history/explanation.ts';
import type { Store } from './store/store.ts';

export interface ExplainOptions {
  store: Store;
  /** ID of a build or how it begins, a name that it gave, or its context; the last build of the present directory when not given. */
  build?: string;
}

/** Throws NOT_FOUND, AMBIGUOUS. */
export async function explain({ store, build }: ExplainOptions): Promise<Explanation> {
  const { findBuild } = await import('./build/history/find-build.ts');
  const { explainBuild } = await import('./build/history/explain-build.ts');
  const { openHistory } = await import('./build/history/open-history.ts');
  const entry = findBuild(store.builds, build, process.cwd());
  return explainBuild(entry, openHistory(store, entry));
}
