/** Why each step of a build was or was not executed. Pure but for what `History` reads. */
import type { BuildEntry, BuildStep, StepChange } from '../../store/store.ts';
import { adviceFor, measured, type AdviceWorld } from './advice.ts';
import { isFrom } from './compare-stages.ts';
import type { Cause, CauseKind, ExplainedStep, Explanation } from './explanation.ts';
import { createTracer, type History, type Root } from './trace-causes.ts';
import { umaskNote } from './umask.ts';

export type { History } from './trace-causes.ts';

export function explainBuild(given: BuildEntry, history: History): Explanation {
  const build = withNumbers(given);
  const tracer = createTracer(build, history);
  const roots = new Map<string, { root: Root; dragged: BuildStep[] }>();
  const traced = new Map<BuildStep, { roots: Root[]; changes: StepChange[] }>();
  for (const step of build.steps) {
    if (!missed(step)) continue;
    const found = tracer.trace(step);
    traced.set(step, found);
    for (const root of found.roots) {
      const known = roots.get(root.id);
      if (!known) roots.set(root.id, { root, dragged: [step] });
      else {
        if (!known.dragged.includes(step)) known.dragged.push(step);
        // Where it came in first.
        if (root.step.number! < known.root.step.number!) known.root = root;
      }
    }
  }
  const world: AdviceWorld = {
    builds: [build, ...take(history.earlier, measured - 1)],
    filesOf(step) {
      const listing = step.key && history.parts(step.key)?.parts.find(({ name }) => name === 'files')?.listing;
      return listing && history.readListing(listing);
    },
    commandOf: ({ key, text }) => (key && history.parts(key)?.parts.find(({ name }) => name === 'command')?.value) ?? text,
  };
  const sorted = [...roots].map(([id, { root, dragged }]) => ({ id, cause: causeOf(root, dragged, world) }))
    .sort((a, b) => b.cause.cost.took - a.cause.cost.took || a.cause.step - b.cause.step);
  const indexes = new Map(sorted.map(({ id }, index) => [id, index]));
  const { id, started, took, project, directory, dockerfile, target, references, outcome } = build;
  return {
    build: { id, started, took, project, references, outcome, ...(directory === undefined ? {} : { directory }), ...(dockerfile === undefined ? {} : { dockerfile }), ...(target === undefined ? {} : { target }) },
    causes: sorted.map(({ cause }) => cause),
    steps: build.steps.map((step) => explainStep(step, traced.get(step), indexes, history)),
  };
}

/** Entries of an older Siru have no numbers. */
function withNumbers(build: BuildEntry): BuildEntry {
  return { ...build, steps: build.steps.map((step, i) => ({ ...step, number: step.number ?? i + 1 })) };
}

function* take<T>(items: Iterable<T>, most: number): Generator<T> {
  if (most <= 0) return;
  let left = most;
  for (const item of items) {
    yield item;
    if (--left <= 0) return;
  }
}

/** It was executed, or was about to be. */
function missed({ status, changes, reason }: BuildStep): boolean {
  return changes !== undefined ? status !== 'cached' : reason !== undefined && (status === 'executed' || status === 'same');
}

function causeOf(root: Root, dragged: BuildStep[], world: AdviceWorld): Cause {
  const { step, changes, unlisted } = root;
  const cost = {
    steps: dragged.map(({ number }) => number!),
    took: dragged.reduce((sum, { ran, took }) => sum + (ran ?? took), 0),
    bytes: dragged.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
  };
  const note = umaskNote(changes);
  const cause = { kind: kindOf(root), text: headline(root), step: step.number!, changes, ...(unlisted > 0 && { unlisted }), ...(note !== undefined && { note }), cost };
  return { ...cause, advice: adviceFor(cause, step, dragged, world) };
}

function kindOf({ step, changes: [first] }: Root): CauseKind {
  const part = first?.part ?? '';
  if (isFrom(step)) return 'base';
  if (part === 'cache') return first!.text.startsWith('its result') ? 'evicted' : 'no-cache';
  if (part === 'new') return 'new';
  if (part === 'files') return 'files';
  if (['instruction', 'command', 'script', 'gone'].includes(part)) return 'instruction';
  if (part.startsWith('build argument ')) return 'argument';
  if (part.startsWith('environment ')) return 'environment';
  return /^(?:mount|files of) /.test(part) ? 'mount' : 'other';
}

/** The first change, or how many there are of one kind. */
function headline({ step, changes, unlisted }: Root): string {
  const [first] = changes;
  if (!first) return 'it changed';
  if (first.part === 'cache' || isFrom(step)) return first.text;
  const all = changes.length + unlisted;
  if (all === 1 || first.path === undefined) return first.text;
  return `${first.text}, and ${all - 1} more`;
}

function explainStep(step: BuildStep, traced: { roots: Root[]; changes: StepChange[] } | undefined, indexes: ReadonlyMap<string, number>, history: History): ExplainedStep {
  const { number, stage, index = 0, total = 0, line, text, status, took, ran, bytes, key, diffId, base, error } = step;
  const roots = traced?.roots ?? [];
  const why = traced ? whyOf(step, roots) : status === 'cached' && !isFrom(step) && step.before !== undefined ? 'changed, and built before' : step.reason;
  const known = status === 'cached' && key !== undefined ? history.parts(key) : undefined;
  return {
    number: number!, stage, index, total, ...(line === undefined ? {} : { line }), text, status, hit: status === 'cached', took,
    ...(ran === undefined ? {} : { ran }), ...(bytes === undefined ? {} : { bytes }), ...(key && { key }), ...(diffId && { diffId }), ...(base && { base }),
    ...(error === undefined ? {} : { error }), ...(why === undefined ? {} : { why }),
    changes: traced?.changes ?? [], causes: [...new Set(roots.map(({ id }) => indexes.get(id)!))].sort((a, b) => a - b),
    ...(step.from === undefined ? {} : { from: step.from }),
    ...(known ? { made: { at: known.executed, took: known.took } } : {}),
  };
}

/** What changed of its own; else where it comes from. */
function whyOf(step: BuildStep, roots: readonly Root[]): string {
  const own = roots.filter((root) => root.step === step);
  if (own.length > 0) return own.map(headline).join('; ');
  const [first] = roots;
  if (!first) return step.reason ?? 'it changed';
  const sees = /^(?:build argument|environment) /.test(first.changes[0]?.part ?? '') && step.changes?.some(({ part }) => part === first.changes[0]!.part);
  if (sees || first.changes[0]?.part === 'cache' || first.changes[0]?.text === 'never built before') return headline(first);
  return `follows from ${[...new Set(roots.map((root) => `#${root.step.number}`))].join(', ')}`;
}
