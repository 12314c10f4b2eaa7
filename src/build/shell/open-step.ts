/** Opens a step of the history: what its process saw, and the layers that its files come from. */
import { SiruError } from '../../base/errors.ts';
import type { BuildEntry, BuildStep, Store } from '../../store/store.ts';
import { layersAt } from './find-layers.ts';
import { isOpenStep, type OpenStep, type Sight, type SightMount } from './sight.ts';

export interface Opened extends OpenStep {
  /** What the failed step wrote, a tree that goes on top. */
  upper?: string;
}

/**
 * A failed step as it left its files; any other as it ended. `before` opens the files as they were when it began. Throws
 * NOT_FOUND when that is not here any more.
 */
export function openStep(store: Store, build: BuildEntry, step: BuildStep, before: boolean): Opened {
  const kept = step.status === 'failed' && !before && step.number !== undefined ? store.failed.open(build.id, step.number) : undefined;
  const document = kept?.step.open;
  return kept && isOpenStep(document) ? { ...document, upper: kept.upper } : fromHistory(store, build, step, before);
}

function fromHistory(store: Store, build: BuildEntry, step: BuildStep, before: boolean): Opened {
  const sight = (step.sight === undefined ? undefined : build.sights?.[step.sight]) as Sight | undefined;
  if (!sight) {
    const why = step.text.startsWith('FROM ') ? 'is no step that something is executed in' : step.status === 'cancelled' ? 'was not begun' : 'was built by an older Siru, which did not remember what it saw';
    throw new SiruError('NOT_FOUND', `no shell in ${step.text}: it ${why}`, { hint: 'Name another step, or build again.' });
  }
  const ended = step.status !== 'failed' && step.status !== 'cancelled';
  return {
    sight,
    mounts: (step.mounts ?? []) as SightMount[],
    ...(step.script && { script: step.script }),
    below: layersAt(store, build, step, ended && !before),
  };
}
