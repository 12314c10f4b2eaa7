/** Two builds side by side: step by step, and in sums. Pure. */
import type { BuildEntry, BuildStep } from '../../store/store.ts';
import { pairSteps } from './compare-stages.ts';

export interface BuildSums {
  /** Steps without FROMs. */
  steps: number;
  cached: number;
  executed: number;
  same: number;
  failed: number;
  took: number;
  /** Milliseconds of execution, of all steps together. */
  ran: number;
  /** Bytes of the layers that were made. */
  bytes: number;
  /** Bytes that were pulled, pushed, downloaded. */
  moved: number;
  warnings: number;
}

export interface BuildComparison {
  before: BuildSums & { id: string };
  after: BuildSums & { id: string };
  /** In the order of the second; those of the first alone at the end. */
  steps: ComparedStep[];
}

export interface ComparedStep {
  stage: string;
  text: string;
  before?: StepResult;
  after?: StepResult;
  /** The layer is the same. */
  equal: boolean;
}

export type StepResult = Pick<BuildStep, 'number' | 'status' | 'took' | 'bytes' | 'diffId'>;

export function sumsOf(build: BuildEntry): BuildSums {
  const own = build.steps.filter(({ text }) => !text.startsWith('FROM '));
  const count = (wanted: string): number => own.filter(({ status }) => status === wanted).length;
  const made = own.filter(({ status }) => status === 'executed');
  return {
    steps: own.length, cached: count('cached'), executed: count('executed'), same: count('same'), failed: count('failed'), took: build.took,
    ran: own.reduce((sum, { status, ran, took }) => sum + (status === 'cached' ? 0 : (ran ?? took)), 0),
    bytes: made.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    moved: (build.transfers ?? []).filter(({ direction }) => ['pull', 'push', 'download'].includes(direction)).reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    warnings: build.warnings?.length ?? 0,
  };
}

export function compareBuilds(before: BuildEntry, after: BuildEntry): BuildComparison {
  const twins = pairSteps(after.steps, before.steps);
  const kept = new Set(twins.values());
  const steps = after.steps.map((step): ComparedStep => {
    const twin = twins.get(step);
    return { stage: step.stage, text: step.text, ...(twin && { before: resultOf(twin) }), after: resultOf(step), equal: twin?.diffId !== undefined && twin.diffId === step.diffId };
  });
  const gone = before.steps.filter((step) => !kept.has(step)).map((step): ComparedStep => ({ stage: step.stage, text: step.text, before: resultOf(step), equal: false }));
  return { before: { id: before.id, ...sumsOf(before) }, after: { id: after.id, ...sumsOf(after) }, steps: [...steps, ...gone] };
}

function resultOf({ number, status, took, bytes, diffId }: BuildStep): StepResult {
  return { status, took, ...(number === undefined ? {} : { number }), ...(bytes === undefined ? {} : { bytes }), ...(diffId === undefined ? {} : { diffId }) };
}
