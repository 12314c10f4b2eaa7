/**
 * Files that come from elsewhere become a layer of the store, solved like a step: found again when nothing changed, made
 * once by all who want it at the same time, and taken by prune when nobody needs it.
 */
import type { Context } from '../../base/context.ts';
import type { LayerSummary } from '../../layer/entry.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { solveStep } from '../../solver/solve.ts';
import type { Solver, Step } from '../../solver/step.ts';
import type { Store } from '../../store/store.ts';
import { openLayerStack, type LayerStack, type StackLayer } from '../layer-stack.ts';
import { readListing } from '../read-listing.ts';
import { treeOfStack } from '../stack-tree.ts';
import { createCopier, type PlannedCopy } from '../steps/copy-plan.ts';
import { emptyView } from '../steps/copy.ts';
import type { FileStepDeps } from '../steps/deps.ts';
import { createFileStep, type FileStepPlan } from '../steps/file-step.ts';
import type { SourceTree } from './source.ts';

/** What making a layer needs of the build. */
export interface LayerParts {
  store: Store;
  context: Context;
  solver: Solver;
  use<T extends Disposable>(thing: T): T;
}

export interface LayerContext {
  tree: SourceTree;
  stack: LayerStack;
  /** See OpenedContext. */
  time?: number;
}

/** Solves the step and opens its layer. `--no-cache` is about instructions: what a context holds is known by its content. */
export async function solveContext(parts: LayerParts, name: string, step: Step): Promise<LayerContext> {
  const { store, context, solver } = parts;
  const { layer, created } = await solveStep(step, { ...solver, ignoreCache: false }, readListing(store), context);
  return { ...(await openContextLayer(parts, name, layer)), ...(created === undefined ? {} : { time: Date.parse(created) / 1000 }) };
}

async function openContextLayer(parts: LayerParts, name: string, { diffId, size }: LayerSummary): Promise<LayerContext> {
  const layers: StackLayer[] = [{ diffId, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size } }];
  const stack = parts.use(await openLayerStack(parts.store, layers, parts.context));
  return { stack, tree: treeOfStack(name, stack) };
}

/**
 * A step that writes its files into an empty root. `plan` is called once, when the key is asked for; it clamps times to the
 * epoch. `timed` for what SOURCE_DATE_EPOCH may be taken from.
 */
export function createContextStep(parts: LayerParts, text: string, plan: () => Promise<FileStepPlan>, { epoch, timed }: Pick<FileStepDeps, 'epoch' | 'timed'>): Step {
  const deps: FileStepDeps = {
    text,
    slots: [],
    store: parts.store,
    context: parts.context,
    view: async () => emptyView,
    readFile: async () => undefined,
    source: async () => {
      throw new Error('a context takes files of no other');
    },
  };
  if (timed) deps.timed = true;
  if (epoch !== undefined) deps.epoch = epoch;
  if (parts.solver.lookOnly) deps.lookOnly = parts.solver.lookOnly;
  return createFileStep(deps, plan);
}

/** All of a tree, for a root; `exclude` as `--exclude` has it. */
export function planWholeTree(tree: SourceTree, exclude: string[], check: () => void, epoch?: number): PlannedCopy {
  const copier = createCopier({ plan: { sources: [], inline: [], destination: '/', parents: false, exclude }, tree, below: emptyView, check, ...(epoch === undefined ? {} : { epoch }) });
  copier.copyMatch({ path: '', found: tree.lookup('')! }, tree);
  return copier.finish();
}
