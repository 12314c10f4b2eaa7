/** Reads the files whose digests are not known. */
import { createFileHasher } from './read-files.ts';
import type { Output } from './destination.ts';

/** Each output gets its digest, and its tree learns it. `pause` is awaited where it gives something to wait for. */
export async function hashFiles(outputs: Output[], pause: () => Promise<void> | undefined): Promise<void> {
  const digestOf = createFileHasher();
  for (const output of outputs) {
    const held = pause();
    if (held) await held;
    const { found, tree, entry } = output;
    entry.digest = digestOf(found!.entry, tree!.content(found!));
    output.hashed = true;
    tree!.learn(found!, entry.digest);
  }
}
