/** Keeps what a failed step left, so that somebody can look into it. */
import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import type { StepRef } from '../../base/events.ts';
import type { Executor } from '../../runtime/executor.ts';
import type { FailedStep } from '../../store/store.ts';
import type { Session } from '../session.ts';
import { layersOfMounts, type OpenStep } from './sight.ts';

/** Gives the hint that leads there; undefined when it could not be kept. */
export async function keepFailed({ store, history, context }: Session, ref: StepRef, open: OpenStep, executor: Executor, folder: string): Promise<string | undefined> {
  try {
    const step: FailedStep = {
      build: history.id,
      number: ref.id,
      text: ref.text,
      at: Date.now(),
      bytes: await executor.measure(join(folder, 'upper')),
      layers: [...open.below.map(({ diffId }) => diffId), ...layersOfMounts(open.mounts)],
      open,
    };
    if (await store.failed.keep(step, folder, (paths) => executor.removeTrees(paths))) return `Look into it as the step left it: siru shell ${history.id.slice(0, 8)}`;
  } catch (error) {
    context.emit({ type: 'warning', text: `what the failed step left cannot be kept: ${messageOf(error)}` });
  }
  return undefined;
}
