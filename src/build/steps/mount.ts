/** What a bind mount of the context shows: a layer of its own, made as COPY makes one. */
import { checkCancelled } from '../../base/context.ts';
import type { Step } from '../../solver/step.ts';
import { insidePath } from '../contexts/resolve-path.ts';
import type { SourceTree } from '../contexts/source.ts';
import { emptyView } from './copy.ts';
import { createCopier } from './copy-plan.ts';
import { baseName, missingSource } from './copy-sources.ts';
import type { FileStepDeps } from './deps.ts';
import { createFileStep } from './file-step.ts';

/** `source` is a path and no pattern. `path` is what to mount of the layer. Throws CONTEXT when it is not there. */
export function createMountStep(source: string, tree: SourceTree, deps: FileStepDeps): { step: Step; path: string } {
  const { path, found } = tree.resolve(insidePath(source));
  if (!found) throw missingSource(tree, source, insidePath(source));
  const step = createFileStep(deps, async () => {
    const copier = createCopier({
      plan: { sources: [], inline: [], destination: '/', parents: false, exclude: [] },
      tree,
      below: emptyView,
      check: () => checkCancelled(deps.context),
    });
    copier.copyMatch({ path, found }, tree);
    return { planned: copier.finish(), parts: [{ name: 'instruction', value: 'mount' }], files: true };
  });
  return { step, path: found.entry.type === 'dir' ? '/' : `/${baseName(path)}` };
}
