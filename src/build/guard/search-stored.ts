/**
 * Layers that an earlier build made were searched for what was secret then. A secret that is new since is looked for in them
 * once; what was found is remembered by a digest that only this layer and this value give.
 */
import { createReadStream, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { checkCancelled, type Context } from '../../base/context.ts';
import { isSiruError } from '../../base/errors.ts';
import { openBlob } from '../../images/layers.ts';
import type { LayerFind } from '../../layer/watch-layer.ts';
import { hexOf, sha256, type Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';
import type { StackLayer } from '../layer-stack.ts';
import type { Lookout, Subject } from './guard.ts';

/** By mark of a subject: where its value was. */
type Memory = Record<string, Pick<LayerFind, 'path' | 'part'>[]>;

/** Values that one layer is remembered to have been searched for. */
const mostMarks = 1000;

/** Judges what of the lookout's is in a layer of the store. A layer whose bytes are not here is left to who has them. */
export async function judgeStored(lookout: Lookout, layer: StackLayer, store: Store, context: Context): Promise<void> {
  const memory = recall(layer.diffId, store);
  const subjects = [...new Set(lookout.subjects)];
  if (!subjects.every((subject) => memory[markOf(subject, layer.diffId)])) {
    const finds = await searchLayer(lookout, layer, store, context);
    if (!finds) return;
    lookout.judge(finds);
    noteSearched(lookout, layer.diffId, finds, store);
    return;
  }
  lookout.judge(subjects.flatMap((subject) => memory[markOf(subject, layer.diffId)]!.map((find) => ({ ...find, needle: lookout.subjects.indexOf(subject) }))));
}

/** Remembers that a layer was searched, and what was found. */
export function noteSearched(lookout: Lookout, diffId: Digest, finds: readonly LayerFind[], store: Store): void {
  const memory = recall(diffId, store);
  for (const subject of new Set(lookout.subjects)) memory[markOf(subject, diffId)] = [];
  for (const { needle, path, part } of finds) memory[markOf(lookout.subjects[needle]!, diffId)]!.push({ path, part });
  const temporary = store.temporary('.json');
  try {
    writeFileSync(temporary, JSON.stringify(Object.fromEntries(Object.entries(memory).slice(-mostMarks))));
    renameSync(temporary, fileOf(diffId, store));
  } catch {
    // It is searched again then.
    rmSync(temporary, { force: true });
  }
}

async function searchLayer(lookout: Lookout, layer: StackLayer, store: Store, context: Context): Promise<LayerFind[] | undefined> {
  const [{ watchLayer }, { openLayerStream }] = await Promise.all([import('../../layer/watch-layer.ts'), import('../../layer/decompress.ts')]);
  let chunks: AsyncIterable<Uint8Array>;
  let toc: Uint8Array;
  try {
    const { path, compression } = openBlob(store, layer);
    toc = readFileSync(`${store.layers.path(layer.diffId)}/toc`);
    chunks = compression === 'none' ? createReadStream(path, { highWaterMark: 1 << 20 }) : openLayerStream(path, compression, { signal: context.signal });
  } catch (error) {
    if (isSiruError(error) && error.code !== 'NOT_FOUND') throw error;
    return undefined;
  }
  const watch = watchLayer(undefined, lookout.needles);
  for await (const chunk of chunks) {
    checkCancelled(context);
    watch.write(chunk);
  }
  return watch.finds(toc);
}

function markOf({ kind, name, needles }: Subject, diffId: Digest): string {
  return hexOf(sha256(Buffer.concat([Buffer.from(`${diffId} ${kind} ${name} `), ...needles]))).slice(0, 32);
}

function fileOf(diffId: Digest, store: Store): string {
  return store.path('listings', hexOf(sha256(`searched ${diffId}`)));
}

function recall(diffId: Digest, store: Store): Memory {
  try {
    const known = JSON.parse(readFileSync(fileOf(diffId, store), 'utf8')) as Memory;
    return Object.fromEntries(Object.entries(known).filter(([, finds]) => Array.isArray(finds)));
  } catch {
    return {};
  }
}
