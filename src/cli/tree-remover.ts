/** Removal of trees. Where their files belong to subordinate users, only the runtime's helper may remove them. */
import { rm } from 'node:fs/promises';
import type { Executor } from '../runtime/executor.ts';
import type { Store } from '../store/store.ts';

export interface FilesExecutor extends AsyncDisposable {
  /** The helper, started at the first call. */
  get: () => Promise<Executor>;
}

export function filesExecutor(store: Store): FilesExecutor {
  let making: Promise<Executor> | undefined;
  return {
    get: () => (making ??= import('../runtime/helper-client.ts').then(({ createExecutor }) => createExecutor({ isolation: 'auto', folder: store.path('tmp'), purpose: 'files' }))),
    async [Symbol.asyncDispose]() {
      await (await making?.catch(() => undefined))?.close();
    },
  };
}

export interface TreeRemover extends AsyncDisposable {
  /** Undefined where this user owns all. */
  removeTrees?: (paths: string[]) => Promise<void>;
}

export function treeRemover(store: Store): TreeRemover {
  const executor = filesExecutor(store);
  const remover: TreeRemover = { [Symbol.asyncDispose]: () => executor[Symbol.asyncDispose]() };
  if (process.platform === 'linux' && process.getuid?.() !== 0) {
    remover.removeTrees = async (paths) => {
      for (const path of paths) {
        // Most trees were never unpacked by the helper and go without it.
        const gone = await rm(path, { recursive: true, force: true }).then(() => true, () => false);
        if (!gone) await (await executor.get()).removeTrees([path]);
      }
    };
  }
  return remover;
}
