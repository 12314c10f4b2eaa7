/** A named context as what FROM stands on: an image, or files, which become the first layer. */
import { checkCancelled } from '../base/context.ts';
import type { Platform } from '../oci/platform.ts';
import type { NewEntry } from './assemble.ts';
import type { BaseImage } from './base-image.ts';
import { createContextStep, planWholeTree, solveContext } from './contexts/context-layer.ts';
import type { StackLayer } from './layer-stack.ts';
import type { Session } from './session.ts';

/** An image, or layers without configuration and their history. */
export async function openContextBase(session: Session, name: string, platform: Platform): Promise<BaseImage | { layers: StackLayer[]; entries: NewEntry[] }> {
  const opened = await session.namedContext(name, platform);
  if (opened.image) return opened.image;
  const { tree } = opened;
  const epoch = session.options.sourceDateEpoch;
  const step = createContextStep(session, `files of ${name}`, async () => {
    const planned = planWholeTree(tree, [], () => checkCancelled(session.context), epoch);
    return { planned, parts: [{ name: 'instruction', value: 'context' }], files: true };
  }, epoch === undefined ? {} : { epoch });
  const stack = opened.stack ?? (await solveContext(session, tree.name, step)).stack;
  const { layers } = stack;
  const entries = layers.map((layer): NewEntry => {
    const newest = session.store.layers.get(layer.diffId)?.newest;
    return {
      history: { created_by: `local source for ${name}`, comment: 'buildkit.exporter.image.v0' },
      layer,
      ...(newest === undefined ? {} : { created: new Date(newest * 1000).toISOString() }),
    };
  });
  return { layers, entries };
}
