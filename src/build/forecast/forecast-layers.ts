/** The layers of a stage that was not built: which are known, what is in them, and what only execution can tell. */
import { encodeToc } from '../../layer/toc-write.ts';
import { openToc } from '../../layer/toc.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Toc } from '../../layer/toc-contract.ts';
import { treeDigest } from '../../layer/tree-digest.ts';
import { createView } from '../../layer/view.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Session } from '../session.ts';
import type { ForecastStep } from './forecast.ts';
import { openLayerStack, type LayerStack, type StackLayer } from '../layer-stack.ts';

export interface ForecastLayer {
  /** Absent for a layer that there is not yet. */
  diffId?: Digest;
  /** With `diffId`: a blob that holds it, here or in a registry. */
  descriptor?: Descriptor;
  /** For a layer that is to be made: the diff ID it gets if the same bytes come out as the last time. */
  assumed?: Digest;
  /** No layer of the store is equal to it: what stands on it has a key that was never there. */
  fresh?: true;
  /** What is in it; absent where that is not known. */
  toc?: () => Toc | Promise<Toc>;
  /** The step that makes it; absent for layers of a base. */
  step?: ToldStep;
  /** RFC 3339; see StepRecord. */
  created?: string;
  /** Bytes of its tar, as far as they are known or were the last time. */
  size?: number;
  /** For people: what has to be there before its files are known. */
  source: string;
}

/** A step while the others are not numbered yet. */
export interface ToldStep extends ForecastStep {
  /** What `dependsOn` will be the number of; `why` may have `theStep` in its place. */
  on?: ForecastStep;
}

/** Stands in texts for the number of a step. */
export const theStep = '\0';

/** Thrown where an answer depends on what is not known before something is executed. The message says on what. */
export class Unknowable extends Error {
  readonly step: ForecastStep | undefined;
  constructor(text: string, step?: ForecastStep) {
    super(text);
    this.step = step;
  }
}

/** A table of contents of entries whose layer was not written; undefined when the content of a file is not known. */
export function tableOf(entries: readonly Entry[]): { treeDigest: Digest; toc: () => Toc } | undefined {
  if (entries.some(({ type, digest }) => type === 'file' && digest === undefined)) return undefined;
  const digest = treeDigest(entries);
  let toc: Toc | undefined;
  return { treeDigest: digest, toc: () => (toc ??= openToc(encodeToc(entries, { diffId: digest, treeDigest: digest, size: 0, entries: entries.length }))) };
}

/** The first layer whose files are not known. */
export const hidden = (layers: readonly ForecastLayer[]): ForecastLayer | undefined => layers.find(({ toc }) => !toc);

/** The stack of those layers whose files are known. */
export async function openKnown(session: Session, layers: readonly ForecastLayer[]): Promise<LayerStack> {
  const known = layers.filter((layer): layer is ForecastLayer & Required<Pick<ForecastLayer, 'toc'>> => layer.toc !== undefined);
  const view = createView(await Promise.all(known.map(async ({ toc }) => toc())));
  return {
    layers: [],
    view,
    ready: async () => {},
    content() {
      throw new Unknowable('the content of a file');
    },
    async readFile(path, limit) {
      const { path: canonical, found } = view.resolve(path);
      if (found?.entry.type !== 'file') return undefined;
      const layer = known[found.layer]!;
      const { store } = session;
      // Of a compressed layer a file cannot be read without unpacking all of it.
      if (layer.diffId === undefined || !(store.layers.unpacked(layer.diffId) || store.blobs.has(layer.diffId))) throw new Unknowable(`/${canonical}, which is not unpacked`);
      const stackLayer: StackLayer = { diffId: layer.diffId, descriptor: layer.descriptor! };
      using stack = await openLayerStack(store, [stackLayer], session.context);
      return stack.readFile(canonical, limit);
    },
    [Symbol.dispose]() {},
  };
}
