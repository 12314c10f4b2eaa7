/** COPY: files of the context, of a stage or of an image, as a layer of their own. */
import { checkCancelled } from '../../base/context.ts';
import { stableJson } from '../../base/json.ts';
import type { View } from '../../layer/toc-contract.ts';
import { sha256 } from '../../oci/digest.ts';
import type { Step } from '../../solver/step.ts';
import type { KeyPart } from '../../store/store.ts';
import type { Seen } from '../contexts/remembered.ts';
import { noTree, type SourceTree } from '../contexts/source.ts';
import type { CopyPlan } from '../step-plan.ts';
import { resolveChown, type Owner } from './chown.ts';
import { planCopy, type PlannedCopy } from './copy-plan.ts';
import type { FileStepDeps } from './deps.ts';
import { createFileStep, filesPart, type StepMemory } from './file-step.ts';

/** The step of a COPY. */
export function createCopyStep(plan: CopyPlan, deps: FileStepDeps): Step {
  const { below, timed } = deps;
  let seen: Seen | undefined;
  let key: string | undefined;
  let found: { tree: SourceTree; owner: Owner | undefined } | undefined;
  const open = async (): Promise<{ tree: SourceTree; owner: Owner | undefined }> =>
    (found ??= { tree: plan.sources.length === 0 ? noTree : await deps.source(plan.from), owner: await ownerOf(plan, deps) });
  const ownParts = ({ owner }: { owner: Owner | undefined }): KeyPart[] => [instructionPart(plan), ...(owner?.parts ?? [])];
  // The layers below are a part of what is remembered by: then what was asked of them has the same answers.
  const memory: StepMemory | undefined = below === undefined || timed ? undefined : {
    async recall() {
      const opened = await open();
      const { tree, owner } = opened;
      if (!tree.memory) return undefined;
      key = sha256(stableJson([instructionPart(plan).value, owner?.uid, owner?.gid, isFresh(plan) ? '' : below]));
      const remembered = tree.memory.recall(key);
      return remembered && [...ownParts(opened), ...remembered.parts, filesPart(remembered.files)];
    },
    keep(answers, files) {
      if (key !== undefined && seen) found?.tree.memory?.keep(key, seen, { parts: answers, files });
    },
  };
  return createFileStep(deps, async () => {
    const opened = await open();
    const { tree, owner } = opened;
    const view = isFresh(plan) ? emptyView : await deps.view();
    const look = (): PlannedCopy => planCopy({
      plan,
      tree,
      below: view,
      check: () => checkCancelled(deps.context),
      ...(owner && { owner }),
      ...(deps.epoch !== undefined && { epoch: deps.epoch }),
    });
    if (!memory || !tree.memory) return { planned: look(), parts: ownParts(opened), files: true };
    const watched = tree.memory.watch(look);
    ({ seen } = watched);
    return { planned: watched.value, parts: ownParts(opened), files: true };
  }, memory);
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
