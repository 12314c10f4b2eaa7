/** Layers whose files are no newer than a time: `rewrite-timestamp`. */
import type { Context } from '../../base/context.ts';
import { stableJson } from '../../base/json.ts';
import { ensureTar, ensureToc } from '../../images/layers.ts';
import type { ImageLayer } from '../../images/read.ts';
import { createLayerWriter } from '../../layer/writer.ts';
import { sha256 } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Store, StepRecord } from '../../store/store.ts';
import { closeSync, openSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

/** Entries between two turns for others. */
const batch = 1024;

/**
 * The layer with every later time set to `epoch` (seconds since 1970), which is the layer itself when it has none. It is
 * made once and remembered like a step.
 */
export async function clampLayer(store: Store, layer: ImageLayer, epoch: number, context: Context): Promise<ImageLayer> {
  await ensureToc(store, layer, context);
  const toc = store.layers.toc(layer.diffId);
  if ((toc.summary.newest ?? epoch) <= epoch) return layer;
  const parts = [{ name: 'layer', value: layer.diffId }, { name: 'rewrite-timestamp', value: String(epoch) }];
  const key = sha256(stableJson(['rewrite-timestamp', parts]));
  const known = store.records.get(key);
  if (known) return layerOf(known);

  const started = Date.now();
  const tar = openSync(await ensureTar(store, layer, context), 'r');
  try {
    using ingest = store.blobs.ingest();
    const writer = createLayerWriter(ingest);
    let count = 0;
    for (const entry of toc) {
      if (++count % batch === 0) {
        await turn();
        context.signal.throwIfAborted();
      }
      for (const _ of writer.addSteps({ ...entry, mtime: Math.min(entry.mtime, epoch) }, { fd: tar, offset: entry.offset ?? 0 })) await turn();
    }
    const { summary, toc: encoded } = writer.finish();
    ingest.commit({ digest: summary.diffId });
    store.layers.put(summary, encoded);
    const record: StepRecord = { key, parts, scope: key, layer: summary, took: Date.now() - started, executed: started, text: 'rewrite-timestamp' };
    store.records.put(record);
    return layerOf(record);
  } finally {
    closeSync(tar);
  }
}

function layerOf({ layer: { diffId, size } }: StepRecord): ImageLayer {
  return { diffId, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size } };
}
