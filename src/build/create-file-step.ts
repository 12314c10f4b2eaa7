/** COPY, ADD and WORKDIR as steps of the solver. */
import type { Step } from '../solver/step.ts';
import { openSource, type StepPlace } from './create-step.ts';
import type { Session } from './session.ts';
import type { RunPlan, StepPlan } from './step-plan.ts';
import { createCopyStep } from './steps/copy.ts';
import type { FileStepDeps } from './steps/deps.ts';
import { createWorkdirStep } from './steps/workdir.ts';

export async function createPlannedFileStep(session: Session, plan: Exclude<StepPlan, RunPlan>, place: StepPlace): Promise<Step> {
  const deps: FileStepDeps = {
    text: place.text,
    slots: place.slots,
    store: session.store,
    context: session.context,
    view: async () => (await place.stack()).view,
    readFile: async (path) => (await place.stack()).readFile(path),
    source: async (from) => (await openSource(session, from)).tree,
    similar: session.similar,
    git: async (source) => (await session.git(source)).tree,
    secret: (id) => session.secret(id),
    ...(session.pins && { pins: session.pins }),
    ...(session.options.offline && { offline: true }),
    ...(place.lookout && { lookout: place.lookout }),
  };
  if (session.timed) deps.timed = true;
  if (place.below !== undefined && !session.solver.ignoreCache) deps.below = place.below;
  if (session.options.sourceDateEpoch !== undefined) deps.epoch = session.options.sourceDateEpoch;
  if (session.solver.lookOnly) deps.lookOnly = session.solver.lookOnly;
  if (plan.kind === 'workdir') return createWorkdirStep(plan, deps);
  if (plan.kind === 'copy') return createCopyStep(plan, deps);
  // Few Dockerfiles have an ADD, and it brings archives and the network along.
  const { createAddStep } = await import('./steps/add.ts');
  return createAddStep(plan, deps);
}
