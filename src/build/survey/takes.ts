/** What one instruction takes of a context, found with the code that the instruction's step is made of. */
import { isSiruError } from '../../base/errors.ts';
import type { Found } from '../../layer/toc-contract.ts';
import { planWholeTree } from '../contexts/context-layer.ts';
import { resolvePath } from '../contexts/resolve-path.ts';
import type { SourceTree } from '../contexts/source.ts';
import { isGitSource, isHttpSource } from '../plan/source-words.ts';
import type { CopyPlan } from '../step-plan.ts';
import { emptyView } from '../steps/copy.ts';
import { planCopy, type PlannedCopy } from '../steps/copy-plan.ts';
import { matchParents, matchSource } from '../steps/copy-sources.ts';
import { matchMount, planMounted } from '../steps/mount.ts';
import type { ContextTake, EmptyPattern } from './survey.ts';

export interface Taken {
  /** What it copies, by path in the context. */
  found: Map<string, Found>;
  /** What must be there beside that: folders that are named, links on the way. */
  needed: Set<string>;
  empty: EmptyPattern[];
  problems: { message: string; hint?: string }[];
}

/** A take with the paths behind the numbers. */
export interface FullTake extends Taken {
  take: ContextTake;
}

/** Sources that are fetched are left out: they are no part of a context. */
export function takenByCopy(plan: CopyPlan, tree: SourceTree, check: () => void): Taken {
  const taken = createTaken();
  const isLocal = (word: string): boolean => plan.kind === 'copy' || !(isHttpSource(word) || isGitSource(word));
  const sources = plan.sources.filter((word) => isLocal(word) && attempt(taken, () => {
    if (plan.parents) {
      const matches = matchParents(tree, word);
      if (matches.every(({ paths }) => paths.length === 0)) taken.empty.push({ pattern: word });
      for (const { base } of matches) need(taken, tree, base.path, base.found);
      return;
    }
    const matches = matchSource(tree, word);
    if (matches.length === 0) taken.empty.push({ pattern: word });
    for (const { path, found } of matches) {
      need(taken, tree, path, found);
      // Of two with one name in the image COPY takes the last one, and ADD may unpack both.
      if (plan.kind === 'add' && found.entry.type !== 'dir') taken.found.set(found.entry.path, found);
    }
  }));
  const copied = (exclude: string[]): PlannedCopy => {
    const { destination, parents } = plan;
    return planCopy({ plan: { sources, inline: [], destination, parents, exclude }, tree, below: emptyView, check });
  };
  attempt(taken, () => {
    const { outputs } = copied(plan.exclude);
    add(taken, outputs, tree);
    for (const [i, pattern] of plan.exclude.entries()) {
      if (copied(plan.exclude.toSpliced(i, 1)).outputs.length === outputs.length) taken.empty.push({ pattern, exclude: true });
    }
  });
  return taken;
}

/** A bind mount, and what a cache mount begins with. */
export function takenByMount(source: string, tree: SourceTree, check: () => void): Taken {
  const taken = createTaken();
  attempt(taken, () => {
    const match = matchMount(tree, source);
    need(taken, tree, match.path, match.found);
    add(taken, planMounted(match, tree, check).outputs, tree);
  });
  return taken;
}

/** FROM the context. */
export function takenWhole(tree: SourceTree, check: () => void): Taken {
  const taken = createTaken();
  attempt(taken, () => add(taken, planWholeTree(tree, [], check).outputs, tree));
  return taken;
}

function createTaken(): Taken {
  return { found: new Map(), needed: new Set(), empty: [], problems: [] };
}

function add({ found }: Taken, outputs: PlannedCopy['outputs'], tree: SourceTree): void {
  for (const output of outputs) if (output.found && output.tree === tree) found.set(output.found.entry.path, output.found);
}

function need({ needed }: Taken, tree: SourceTree, path: string, { entry }: Found): void {
  needed.add(entry.path);
  if (entry.path === path) return;
  resolvePath(path, (at) => {
    const found = tree.lookup(at);
    if (found?.entry.type === 'symlink') needed.add(at);
    return found;
  });
}

/** True when nothing went wrong that a build would tell of its files. */
function attempt({ problems }: Taken, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (!isSiruError(error) || (error.code !== 'CONTEXT' && error.code !== 'LAYER' && error.code !== 'DOCKERFILE')) throw error;
    problems.push({ message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
    return false;
  }
}
