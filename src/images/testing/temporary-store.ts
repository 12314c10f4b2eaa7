/** For tests: a store in a temporary folder that goes with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/store.ts';

export interface TemporaryStore extends AsyncDisposable {
  store: Store;
  /** Holds the store, and whatever the test puts beside it. */
  folder: string;
}

export async function temporaryStore(): Promise<TemporaryStore> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-images-'));
  const store = await openStore({ root: join(folder, 'store') });
  return {
    store,
    folder,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
