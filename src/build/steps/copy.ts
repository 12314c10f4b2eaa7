/** COPY: files of the context, of a stage or of an image, as a layer of their own. */
import { checkCancelled } from '../../base/context.ts';
import { stableJson } from '../../base/json.ts';
import type { View } from '../../layer/toc-contract.ts';
import { sha256 } from '../../oci/digest.ts';
import type { Step } from '../../solver/step.ts';
import type { KeyPart } from '../../store/store.ts';
import { noTree } from '../contexts/source.ts';
import type { CopyPlan } from '../step-plan.ts';
import { resolveChown, type Owner } from './chown.ts';
import { planCopy } from './copy-plan.ts';
import type { FileStepDeps } from './deps.ts';
import { createFileStep } from './file-step.ts';

/** The step of a COPY. */
export function createCopyStep(plan: CopyPlan, deps: FileStepDeps): Step {
  return createFileStep(deps, async () => {
    const tree = plan.sources.length === 0 ? noTree : await deps.source(plan.from);
    const owner = await ownerOf(plan, deps);
    const planned = planCopy({
      plan,
      tree,
      below: isFresh(plan) ? emptyView : deps.view,
      check: () => checkCancelled(deps.context),
      ...(owner && { owner }),
      ...(deps.epoch !== undefined && { epoch: deps.epoch }),
    });
    return { planned, parts: [instructionPart(plan), ...(owner?.parts ?? [])], files: true };
  });
}

/** `--link` copies into a tree of its own; BuildKit drops it when there is a `--chmod`. */
export function isFresh(plan: CopyPlan): boolean {
  return plan.link && plan.chmod === undefined;
}

export async function ownerOf(plan: CopyPlan, deps: FileStepDeps): Promise<Owner | undefined> {
  if (plan.chown === undefined || plan.chown === '') return undefined;
  const owner = await resolveChown(plan.chown, isFresh(plan) ? undefined : (path) => deps.readFile(path));
  for (const lack of owner.unknown ?? []) deps.context.emit({ type: 'warning', text: `${deps.text}: the image has ${lack}`, hint: 'Create it in an earlier step, or give its number.' });
  return owner;
}

/** The instruction as it counts for the key: where files come from does not, their content does. */
export function instructionPart(plan: CopyPlan): KeyPart {
  const { kind, sources, inline, destination, chown, chmod, link, parents, exclude, checksum, unpack } = plan;
  const texts = inline.map(({ name, content }) => [name, sha256(content)]);
  return { name: 'instruction', value: stableJson({ kind, sources, inline: texts, destination, chown, chmod, link, parents, exclude, checksum, unpack }) };
}

/** Nothing below. */
export const emptyView: View = {
  lookup: (path) => (path === '' ? { entry: { path: '', type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 }, layer: 0 } : undefined),
  resolve(path) {
    return { path };
  },
  children: () => [],
  below: () => [],
};
