/**
 * Why a step missed, up to the root: what changed of its own, else what changed of that which it stands on or reads, each
 * compared with the build in which this place was last as it was. Pure but for what `History` reads.
 */
import { isSensitiveName } from '../../dockerfile/checks/secrets-used-in-arg-or-env.ts';
import { asksBelow, explainChanges, type ReadListing } from '../../solver/explain.ts';
import type { BaseLayer, BuildEntry, BuildStep, KnownParts, StepChange } from '../../store/store.ts';
import type { Digest } from '../../oci/digest.ts';
import { isFrom, pairSteps, stackOf } from './compare-stages.ts';
import { baseChanges } from './base-changes.ts';

/** What is remembered of earlier builds. */
export interface History {
  parts: (key: Digest) => KnownParts | undefined;
  readListing: ReadListing;
  /** Changed files of a part that are listed; all when not given. */
  mostFiles?: number;
  /** Builds of the same place before the one that is explained, newest first. */
  earlier: Iterable<BuildEntry>;
  baseLayers: (digest: Digest) => BaseLayer[] | undefined;
}

/** One thing that changed in one place; steps that missed for it share it by `id`. */
export interface Root {
  id: string;
  step: BuildStep;
  changes: StepChange[];
  /** How many more there were, when what they were compared with is gone. */
  unlisted: number;
}

export interface Tracer {
  /** The roots of a step that missed, and all that changed of its own key. */
  trace(step: BuildStep): { roots: Root[]; changes: StepChange[] };
}

const newInstruction = 'this instruction is new';

/** Earlier builds that are looked through for the one that a place is compared with. */
const mostSearched = 200;

export function createTracer(build: BuildEntry, history: History): Tracer {
  const searched: BuildEntry[] = [];
  const rest = history.earlier[Symbol.iterator]();
  const earlierBuild = (at: number): BuildEntry | undefined => {
    while (searched.length <= at && at < mostSearched) {
      const next = rest.next();
      if (next.done) return undefined;
      searched.push(next.value);
    }
    return searched[at];
  };
  const pairs = new Map<string, Map<BuildStep, BuildStep>>();
  const pairsWith = (other: BuildEntry, stage: string): Map<BuildStep, BuildStep> => {
    const name = `${other.id} ${stage}`;
    let found = pairs.get(name);
    if (!found) pairs.set(name, (found = pairSteps(stackOf(build, stage), stackOf(other, stage))));
    return found;
  };
  const compared = new Map<string, Compared>();
  const rootsSeen = new Map<string, Root[]>();

  /** The build in which a step of this stage had the key. */
  const buildWith = (key: Digest, stage: string): BuildEntry | undefined => {
    for (let i = 0; ; i++) {
      const entry = earlierBuild(i);
      if (!entry) return undefined;
      if (entry.steps.some((step) => step.key === key && step.stage === stage)) return entry;
    }
  };

  const changesBetween = (before: Digest, step: BuildStep): Compared => {
    const name = `${before} ${step.number}`;
    let found = compared.get(name);
    if (!found) compared.set(name, (found = compareKeys(before, step, history)));
    return found;
  };

  /**
   * In a project that was built before an instruction is new; in one that was not, all are, for one reason, unless a cache from
   * elsewhere tells another.
   */
  const newRoot = (step: BuildStep): Root => {
    if (earlierBuild(0) !== undefined) return root(step, [{ part: 'new', text: newInstruction }]);
    const [told] = step.changes ?? [];
    const below = told?.part === 'parent' ? build.steps.findLast(({ stage, index = 0, changes, status }) => stage === step.stage && index < (step.index ?? 0) && changes !== undefined && status !== 'cached') : undefined;
    if (below) return newRoot(below);
    return root(step, [told?.part === 'new' || told?.part === 'parent' ? told : { part: 'new', text: 'never built before' }]);
  };

  /** The roots of what differs in a step from another build. */
  const rootsAgainst = (step: BuildStep, other: BuildEntry, twin: BuildStep | undefined): Root[] => {
    const name = `${step.number} ${other.id}`;
    let found = rootsSeen.get(name);
    if (!found) {
      rootsSeen.set(name, []); // stages cannot stand on each other in a circle; damaged entries could say so
      rootsSeen.set(name, (found = findRoots(step, other, twin)));
    }
    return found;
  };

  const findRoots = (step: BuildStep, other: BuildEntry, twin: BuildStep | undefined): Root[] => {
    if (!twin) return [newRoot(step)];
    if (isFrom(step)) {
      // Several stages may stand on one image.
      const changes = baseChanges(twin, step, history);
      return [{ id: JSON.stringify(changes[0]), step, changes, unlisted: 0 }];
    }
    if (step.key === undefined || twin.key === undefined) return step.changes ? ownRoots(step, { changes: step.changes, unlisted: 0, fromStages: new Set() }) : [];
    if (step.key === twin.key) {
      const cache = step.changes?.filter(({ part }) => part === 'cache') ?? [];
      return [root(step, cache.length > 0 ? cache : [{ part: 'result', text: `${step.text} gave another result` }])];
    }
    const all = changesBetween(twin.key, step);
    return withUpstream(step, other, all);
  };

  const withUpstream = (step: BuildStep, other: BuildEntry, all: Compared): Root[] => {
    const { changes, fromStages } = all;
    const own = ownRoots(step, { ...all, changes: changes.filter(({ part }) => !asksBelow(part) && !fromStages.has(part)) });
    const upstream: Root[] = [];
    if (changes.some(({ part }) => asksBelow(part))) upstream.push(...changedIn(step.stage, step, other));
    if (changes.some(({ part }) => fromStages.has(part))) for (const stage of step.reads ?? []) upstream.push(...changedIn(stage, undefined, other));
    const roots = [...own, ...upstream];
    return roots.length > 0 ? roots : ownRoots(step, all);
  };

  /** The roots of what differs in the stack of a stage, below a step of it. */
  const changedIn = (stage: string, below: BuildStep | undefined, other: BuildEntry): Root[] => {
    const twins = pairsWith(other, stage);
    const roots: Root[] = [];
    const stack = stackOf(build, stage);
    for (const step of stack) {
      if (step === below) break;
      const twin = twins.get(step);
      if (!twin || step.diffId !== twin.diffId) roots.push(...rootsAgainst(step, other, twin));
    }
    const kept = new Set(twins.values());
    const end = below && twins.get(below);
    for (const gone of stackOf(other, stage)) {
      if (gone === end) break;
      if (!kept.has(gone) && !isFrom(gone) && below) roots.push(root(below, [{ part: 'gone', text: `${gone.text} is gone`, before: gone.text }]));
    }
    return roots;
  };

  return {
    trace(step) {
      // An older Siru noted no more than a sentence.
      if (!step.changes) return { roots: [root(step, [{ part: 'noted', text: step.reason ?? 'it changed' }])], changes: [] };
      const cache = step.changes.filter(({ part }) => part === 'cache');
      if (cache.length > 0) return { roots: [root(step, cache)], changes: cache };
      const other = step.before && buildWith(step.before, step.stage);
      if (step.before === undefined) {
        const only = newRoot(step);
        return { roots: [only], changes: only.changes };
      }
      const all = changesBetween(step.before, step);
      return { roots: other ? withUpstream(step, other, all) : ownRoots(step, all), changes: all.changes };
    },
  };
}

/** Changes of one place are one root; what every RUN below sees, such as an argument, is one wherever it is seen. */
function ownRoots(step: BuildStep, { changes, unlisted }: Compared): Root[] {
  const shared = changes.filter(({ part }) => /^(?:build argument|environment) |^(?:SOURCE_DATE_EPOCH|network|user|workdir|cgroup parent|size of \/dev\/shm)$|^(?:ulimit|host) /.test(part));
  const rest = changes.filter((change) => !shared.includes(change));
  const roots = shared.map((change): Root => ({ id: JSON.stringify([change.part, change.before, change.after]), step, changes: [change], unlisted: 0 }));
  if (rest.length > 0) roots.unshift(root(step, rest, unlisted));
  return roots;
}

function root(step: BuildStep, changes: StepChange[], unlisted = 0): Root {
  const { part, text } = changes[0] ?? { part: 'unknown', text: '' };
  // Reasons that lie in the call or in the store are the same for every step.
  const id = part === 'cache' || (part === 'new' && text !== newInstruction) ? text : `step ${step.number}`;
  return { id, step, changes, unlisted };
}

interface Compared {
  changes: StepChange[];
  unlisted: number;
  /** Parts that are files of other stages. */
  fromStages: Set<string>;
}

function compareKeys(before: Digest, step: BuildStep, { parts, readListing, mostFiles }: History): Compared {
  const old = parts(before);
  const now = step.key && parts(step.key);
  const stored = (): Compared => {
    const noted = (step.changes ?? []).map((change) => shownChange(change, old?.text ?? step.text, step.text));
    return { changes: noted, unlisted: Math.max(0, (step.changed ?? 0) - noted.length), fromStages: stagesParts(step, noted) };
  };
  // A step that failed left no record; what is noted of its miss has the first changes.
  if (!old || !now) return stored();
  const { reasons, unlisted } = explainChanges(old.parts, now.parts, readListing, mostFiles);
  // Listings may be gone where the note has names.
  if (step.before === before && (step.changed ?? 0) > reasons.length + unlisted) return stored();
  const changes = reasons.map((change) => shownChange(change, old.text, now.text));
  return { changes, unlisted, fromStages: stagesParts(step, changes, new Set(now.parts.filter(({ listing }) => listing !== undefined).map(({ name }) => name))) };
}

/** Of an instruction the texts, which say more than the arguments of a process do; of what is called a secret, no value. */
function shownChange(change: StepChange, before: string, after: string): StepChange {
  const { part } = change;
  if ((part === 'instruction' || part === 'command') && before !== after) return { ...change, before, after };
  const name = /^(?:build argument|environment) (.*)$/s.exec(part)?.[1];
  return name !== undefined && isSensitiveName(name) ? { part, text: `${part} changed (its values are not shown)` } : change;
}

function stagesParts({ reads = [], text }: BuildStep, changes: readonly StepChange[], listed: ReadonlySet<string> = new Set()): Set<string> {
  if (reads.length === 0) return new Set();
  const names = [...new Set(changes.map(({ part }) => part))].filter((part) => (/^RUN\b/i.test(text) ? part.startsWith('files of ') && !listed.has(part) : part === 'files'));
  return new Set(names);
}
