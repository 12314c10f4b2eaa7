/** Solving one step: key, look-up, lock, execution, early cut-off, record. The life of it is told in step.ts. */
import type { Context } from '../base/context.ts';
import type { Digest } from '../oci/digest.ts';
import type { KeyPart, StepRecord } from '../store/store.ts';
import { explainMiss, type ReadListing } from './explain.ts';
import { stepKey } from './key.ts';
import type { Reason, Solved, Solver, Step } from './step.ts';

/** Solves a step. What the step's own parts() or execute() throw comes through; nothing is recorded then. */
export async function solveStep(step: Step, solver: Solver, readListing: ReadListing, context: Context): Promise<Solved> {
  let executing = false;
  try {
    const parts = await step.parts();
    const key = stepKey(parts);
    const hit = lookup(step, key, solver);
    if (hit) return hit;
    const reasons = reasonsFor(step, key, parts, solver, readListing);
    using _lock = await solver.lock(`step:${key}`, context);
    const made = lookup(step, key, solver);
    if (made) return made;
    return await solver.limit(async () => {
      executing = true;
      return execute(step, key, parts, reasons, solver, context);
    });
  } finally {
    if (!executing) step.release?.();
  }
}

function lookup(step: Step, key: Digest, solver: Solver): Solved | undefined {
  const record = solver.ignoreCache ? undefined : solver.records.get(key);
  if (!record) return undefined;
  note(step, key, solver);
  return { key, status: 'cached', layer: record.layer, created: record.created, took: 0, reasons: [], record };
}

/** Only what changed is written, so that a build in which nothing changed writes nothing here. */
function note(step: Step, key: Digest, solver: Solver): void {
  for (const slot of step.slots) if (solver.records.lastKey(slot) !== key) solver.records.note(slot, key);
}

function reasonsFor(step: Step, key: Digest, parts: KeyPart[], solver: Solver, readListing: ReadListing): Reason[] {
  if (solver.ignoreCache) return [{ part: 'cache', text: 'the cache was not to be used' }];
  const known = solver.records.parts(key);
  if (known) return [{ part: 'cache', text: 'its result was removed from the cache' }];
  for (const slot of step.slots) {
    const last = solver.records.lastKey(slot);
    const before = last && solver.records.parts(last);
    if (!before) continue;
    const reasons = explainMiss(before.parts, parts, readListing);
    if (reasons.length > 0) return reasons;
  }
  return [{ part: 'new', text: 'never built before' }];
}

async function execute(step: Step, key: Digest, parts: KeyPart[], reasons: Reason[], solver: Solver, context: Context): Promise<Solved> {
  const started = solver.now();
  const executed = await step.execute(context);
  const took = solver.now() - started;
  const known = solver.records.byTree(step.scope, executed.layer.treeDigest);
  if (known) await executed.drop();
  else await executed.keep();
  const { layer, created } = known ?? executed;
  const record: StepRecord = { key, parts, scope: step.scope, layer, took, executed: started, text: step.text };
  if (created !== undefined) record.created = created;
  solver.records.put(record);
  note(step, key, solver);
  return { key, status: known ? 'same' : 'executed', layer, created, took, reasons, record };
}
