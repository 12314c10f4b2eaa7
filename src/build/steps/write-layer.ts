/** Writes the planned entries of a step as a layer: a tar in the store's tmp/, hashed as it goes, and its table. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError, errnoOf } from '../../base/errors.ts';
import type { Needles } from '../../base/search.ts';
import type { LayerSummary } from '../../layer/entry.ts';
import { createLayerWriter } from '../../layer/writer.ts';
import type { LayerFind } from '../../layer/watch-layer.ts';
import type { ByteSink, Content } from '../../layer/writer-contract.ts';
import type { Executed } from '../../solver/step.ts';
import { storeError } from '../../store/store-error.ts';
import type { Store } from '../../store/store.ts';
import type { Output } from './destination.ts';
import type { HashThread } from './hash-thread.ts';

/** A layer that is written and not yet the store's. */
export interface WrittenLayer {
  summary: LayerSummary;
  toc: Buffer;
  /** Where the needles were. */
  finds: LayerFind[];
  keep(): void;
  drop(): void;
}

/** Longest time in milliseconds for which bulk work holds up everything else. */
const longestHold = 20;

/** Gives others a turn when it was held up for long, and stops when the context says so. */
export function createPause(context: Context): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < longestHold) return undefined;
    return turn().then(() => {
      checkCancelled(context);
      since = performance.now();
    });
  };
}

/**
 * Writes the layer. Digests that come out of it are learned by the trees of the files. Throws CONTEXT when a file changed
 * since its tree was read, STORE when the disk is full; nothing is left behind then.
 */
export async function writeLayer(outputs: Output[], store: Pick<Store, 'temporary' | 'blobs' | 'layers'>, context: Context, { thread, needles }: { thread?: HashThread; needles?: Needles } = {}): Promise<WrittenLayer> {
  const file = store.temporary('.tar');
  const fd = openFile(file);
  const drop = (): void => rmSync(file, { force: true });
  const pause = createPause(context);
  try {
    const sink: ByteSink = {
      write(bytes) {
        try {
          for (let done = 0; done < bytes.byteLength; ) done += writeSync(fd, bytes, done);
        } catch (error) {
          // Told apart here: whoever copies a file would take it for a fault of the source.
          throw storeError(error, `cannot write ${file}`);
        }
      },
    };
    const watch = needles && (await import('../../layer/watch-layer.ts')).watchLayer(sink, needles);
    const writer = createLayerWriter(watch ?? sink);
    for (const output of outputs) {
      const held = pause();
      if (held) await held;
      const { entry, found, tree, hashed } = output;
      // What was hashed in this build may have changed in the same tick of the clock: its digest is found again.
      const steps = writer.addSteps(hashed ? { ...entry, digest: undefined } : entry, contentOf(output, thread));
      let step = steps.next();
      try {
        for (; !step.done; step = steps.next()) {
          const stop = pause();
          if (stop) await stop;
        }
      } finally {
        steps.return(entry);
      }
      const written = step.value!;
      if (entry.type !== 'file' || !found || !tree) continue;
      if (hashed && written.digest !== entry.digest) throw changed(entry.path);
      if (entry.digest !== undefined) continue;
      entry.digest = written.digest!;
      tree.learn(found, entry.digest);
    }
    const { summary, toc } = writer.finish();
    closeSync(fd);
    return {
      summary,
      toc,
      finds: watch?.finds(toc) ?? [],
      drop,
      keep() {
        store.blobs.adopt(file, summary.diffId);
        store.layers.put(summary, toc);
      },
    };
  } catch (error) {
    try {
      closeSync(fd);
    } catch {}
    drop();
    throw errnoOf(error) === undefined ? error : storeError(error, `cannot write ${file}`);
  }
}

function contentOf(output: Output, thread: HashThread | undefined): Content | undefined {
  const { entry, found, tree, bytes } = output;
  if (entry.type !== 'file') return undefined;
  if (bytes) return { bytes };
  if (output.earlier) return output.earlier;
  if (!found || !tree) return undefined;
  const content = tree.content(found);
  const digest = thread?.digestOf(output);
  return digest && 'file' in content ? { file: content.file, digest } : content;
}

function changed(path: string): SiruError {
  return new SiruError('CONTEXT', `the source of /${path} changed while it was read`, { hint: 'Run again when nothing writes to it.' });
}

function openFile(file: string): number {
  try {
    return openSync(file, 'wx');
  } catch (error) {
    throw storeError(error, `cannot write ${file}`);
  }
}

/** What the solver gets of a written layer. */
export function executedOf(layer: WrittenLayer, newest: number | undefined): Executed {
  const executed: Executed = {
    layer: layer.summary,
    async keep() {
      layer.keep();
    },
    async drop() {
      layer.drop();
    },
  };
  if (newest !== undefined) executed.created = new Date(newest * 1000).toISOString();
  return executed;
}
