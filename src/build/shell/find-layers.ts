/** What a step of the history stood on, or left, from what the history knows. */
import { isSiruError, SiruError } from '../../base/errors.ts';
import { readImage } from '../../images/read.ts';
import type { Digest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { BuildEntry, BuildStep, Store } from '../../store/store.ts';
import type { StackLayer } from '../layer-stack.ts';

/** The layers below the step, bottom first; `after` takes its own along. Throws NOT_FOUND when the history does not know them. */
export function layersAt(store: Store, build: BuildEntry, step: BuildStep, after: boolean): StackLayer[] {
  const layers = layersOf(store, build, step.stage, step.index, new Set());
  if (after && step.diffId && !isFrom(step)) layers.push(layerOf(step.diffId));
  return layers;
}

/** The layer as one that lies in the store. */
export function layerOf(diffId: Digest): StackLayer {
  return { diffId, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size: 0 } };
}

function layersOf(store: Store, build: BuildEntry, name: string, before: number | undefined, seen: Set<string>): StackLayer[] {
  const stage = build.stages?.find((one) => one.name === name);
  if (!stage || before === undefined || seen.has(name)) throw unknown(build);
  seen.add(name);
  const steps = build.steps.filter((step) => step.stage === name);
  const from = steps.find(isFrom);
  const layers = stage.on !== undefined ? layersOf(store, build, stage.on, Infinity, seen)
    : stage.layers ? stage.layers.map(layerOf)
    : from?.base ? baseLayers(store, build, from.base.digest)
    : [];
  for (const { index = 0, diffId } of steps.filter((step) => !isFrom(step)).sort((a, b) => (a.index ?? 0) - (b.index ?? 0))) {
    if (index >= before && before !== Infinity) break;
    if (!diffId) throw unknown(build);
    layers.push(layerOf(diffId));
  }
  return layers;
}

function baseLayers(store: Store, build: BuildEntry, digest: Digest): StackLayer[] {
  try {
    // Its layers may lie here compressed only, which the image alone tells.
    return readImage(store, digest).layers.map(({ diffId, descriptor }) => ({ diffId, descriptor }));
  } catch (error) {
    if (!isSiruError(error)) throw error;
  }
  const known = store.builds.baseLayers(digest);
  if (!known) throw unknown(build);
  return known.map(({ diffId }) => layerOf(diffId));
}

function isFrom({ text }: BuildStep): boolean {
  return text.startsWith('FROM ');
}

function unknown({ id }: BuildEntry): SiruError {
  return new SiruError('NOT_FOUND', `the history does not tell what the step of build ${id.slice(0, 8)} stood on`, { hint: 'Build again, then open its shell.' });
}
