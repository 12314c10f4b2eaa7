/** What a bind mount of the context shows: a layer of its own, made as COPY makes one. */
import { checkCancelled } from '../../base/context.ts';
import type { Step } from '../../solver/step.ts';
import { insidePath } from '../contexts/resolve-path.ts';
import type { SourceTree } from '../contexts/source.ts';
import { emptyView } from './copy.ts';
import { createCopier, type PlannedCopy } from './copy-plan.ts';
import { baseName, type Match } from './copy-sources.ts';
import type { FileStepDeps } from './deps.ts';
import { createFileStep } from './file-step.ts';
import { missingSource } from './missing-source.ts';

/** What a mount of this source shows; a path and no pattern. Throws CONTEXT when it is not there. */
export function matchMount(tree: SourceTree, source: string): Match {
  const { path, found } = tree.resolve(insidePath(source));
  if (!found) throw missingSource(tree, source, insidePath(source));
  return { path, found };
}

/** The layer that shows it. */
export function planMounted(match: Match, tree: SourceTree, check: () => void): PlannedCopy {
  const copier = createCopier({ plan: { sources: [], inline: [], destination: '/', parents: false, exclude: [] }, tree, below: emptyView, check });
  copier.copyMatch(match, tree);
  return copier.finish();
}

/** `source` as matchMount takes it. `path` is what to mount of the layer. */
export function createMountStep(source: string, tree: SourceTree, deps: FileStepDeps): { step: Step; path: string } {
  const match = matchMount(tree, source);
  const step = createFileStep(deps, async () => ({
    planned: planMounted(match, tree, () => checkCancelled(deps.context)),
    parts: [{ name: 'instruction', value: 'mount' }],
    files: true,
  }));
  return { step, path: match.found.entry.type === 'dir' ? '/' : `/${baseName(match.path)}` };
}
