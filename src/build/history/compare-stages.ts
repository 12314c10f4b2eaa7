/** Which step of one build stands where which step of another stood. Pure. */
import type { BuildEntry, BuildStep } from '../../store/store.ts';

/** Steps of a stage by position, FROM first; not those of the stage that it stands on. */
export function stepsOfStage(build: BuildEntry, stage: string): BuildStep[] {
  return build.steps.filter((step) => step.stage === stage).sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
}

/** What a stage consists of, from the base on: the steps of the stages that it stands on, then its own. */
export function stackOf(build: BuildEntry, stage: string): BuildStep[] {
  const stages = new Map((build.stages ?? []).map((one) => [one.name, one.on]));
  const steps: BuildStep[] = [];
  for (let at: string | undefined = stage, seen = 0; at !== undefined && seen <= stages.size; seen++) {
    steps.unshift(...stepsOfStage(build, at));
    at = stages.get(at);
  }
  return steps;
}

/** True for the step that opens an image for its stage. */
export function isFrom(step: BuildStep): boolean {
  return step.base !== undefined || (step.index === 1 && step.text.startsWith('FROM '));
}

/**
 * Pairs the steps of two stacks: first FROMs of one stage and equal instructions, the n-th of a text with the n-th; then what
 * is left at one position of one stage.
 */
export function pairSteps(now: readonly BuildStep[], before: readonly BuildStep[]): Map<BuildStep, BuildStep> {
  const pairs = new Map<BuildStep, BuildStep>();
  const pairBy = (name: (step: BuildStep) => string | undefined): void => {
    const taken = new Set(pairs.values());
    const waiting = new Map<string, BuildStep[]>();
    for (const step of before) {
      const key = taken.has(step) ? undefined : name(step);
      if (key !== undefined) waiting.set(key, [...(waiting.get(key) ?? []), step]);
    }
    for (const step of now) {
      const key = pairs.has(step) ? undefined : name(step);
      const twin = key === undefined ? undefined : waiting.get(key)?.shift();
      if (twin) pairs.set(step, twin);
    }
  };
  pairBy((step) => (isFrom(step) ? `from ${step.stage}` : `${step.stage} ${step.text}`));
  pairBy((step) => `${step.stage} ${step.index} ${kindOf(step)}`);
  return pairs;
}

/** RUN, COPY, ADD, WORKDIR, FROM. */
function kindOf({ text }: BuildStep): string {
  return text.slice(0, text.indexOf(' ')).toUpperCase();
}
