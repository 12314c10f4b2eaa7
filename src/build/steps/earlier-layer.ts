/**
 * The layer that a place of the Dockerfile had before: when one file of many changed, the bytes of all others are taken
 * from its tar, which is one file to open instead of thousands.
 */
import { closeSync, openSync } from 'node:fs';
import type { Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';
import type { Output } from './destination.ts';

export interface EarlierLayer extends Disposable {
  diffId: Digest;
  /** Tells each output whose bytes are in that tar where they are. Outputs are in order. */
  offer(outputs: Output[]): void;
}

/** Undefined when the places had none, or its tar is not here any more. */
export function openEarlierLayer(slots: readonly string[], store: Store): EarlierLayer | undefined {
  for (const slot of slots) {
    const key = store.records.lastKey(slot);
    const diffId = key && store.records.get(key)?.layer.diffId;
    if (diffId === undefined) continue;
    if (!store.blobs.has(diffId) || !store.layers.get(diffId)) return undefined;
    return fromTar(diffId, store);
  }
  return undefined;
}

function fromTar(diffId: Digest, store: Store): EarlierLayer {
  let fd: number | undefined;
  return {
    diffId,
    offer(outputs) {
      const entries = store.layers.toc(diffId)[Symbol.iterator]();
      let next = entries.next();
      for (const output of outputs) {
        const { path, type, size, digest } = output.entry;
        // What was hashed in this build may have changed in the same tick of the clock, and is read again.
        if (type !== 'file' || digest === undefined || output.hashed || output.bytes) continue;
        while (!next.done && next.value.path < path) next = entries.next();
        if (next.done) return;
        const there = next.value;
        if (there.path !== path || there.digest !== digest || there.size !== size || there.offset === undefined) continue;
        fd ??= openSync(store.blobs.path(diffId), 'r');
        output.earlier = { fd, offset: there.offset };
      }
    },
    [Symbol.dispose]() {
      if (fd !== undefined) closeSync(fd);
    },
  };
}
