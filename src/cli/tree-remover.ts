/** Removal of unpacked trees. Where their files belong to subordinate users, only the runtime's helper may remove them. */
import type { Executor } from '../runtime/executor.ts';
import type { Store } from '../store/store.ts';

export interface TreeRemover extends AsyncDisposable {
  /** Undefined where this user owns all. */
  removeTrees?: (paths: string[]) => Promise<void>;
}

export function treeRemover(store: Store): TreeRemover {
  if (process.platform !== 'linux' || process.getuid?.() === 0) return { async [Symbol.asyncDispose]() {} };
  let making: Promise<Executor> | undefined;
  return {
    async removeTrees(paths) {
      const { rm } = await import('node:fs/promises');
      for (const path of paths) {
        // Most trees were never unpacked by the helper and go without it.
        if (await rm(path, { recursive: true, force: true }).then(() => true, () => false)) continue;
        const { createExecutor } = await import('../runtime/helper-client.ts');
        making ??= createExecutor({ isolation: 'auto', folder: store.path('tmp'), purpose: 'files' });
        await (await making).removeTrees([path]);
      }
    },
    async [Symbol.asyncDispose]() {
      await (await making)?.close();
    },
  };
}
