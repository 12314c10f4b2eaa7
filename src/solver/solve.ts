/** Solving one step: key, look-up, lock, execution, early cut-off, record. The life of it is told in step.ts. */
import type { Context } from '../base/context.ts';
import type { Digest } from '../oci/digest.ts';
import type { KeyPart, StepRecord } from '../store/store.ts';
import { explainMiss, type ReadListing } from './explain.ts';
import { stepKey } from './key.ts';
import { NotExecuted, type Miss, type Solved, type Solver, type Step } from './step.ts';

/** Solves a step. What the step's own parts() or execute() throw comes through; nothing is recorded then. */
export async function solveStep(step: Step, solver: Solver, readListing: ReadListing, context: Context): Promise<Solved> {
  let executing = false;
  try {
    const parts = await step.parts();
    const key = stepKey(parts);
    const hit = lookup(step, key, solver);
    if (hit) return hit;
    if (solver.lookOnly) throw new NotExecuted(step.text);
    const found = await findElsewhere(step, key, parts, solver, context);
    if (found) return found;
    const miss = missOf(step, key, parts, solver, readListing);
    await step.missed?.(miss);
    using _lock = await solver.lock(`step:${key}`, context);
    const made = lookup(step, key, solver);
    if (made) return made;
    return await solver.limit(async () => {
      executing = true;
      return execute(step, parts, miss, solver, context);
    });
  } finally {
    if (!executing) step.release?.();
  }
}

function lookup(step: Step, key: Digest, solver: Solver): Solved | undefined {
  const record = solver.ignoreCache ? undefined : solver.records.get(key);
  if (!record) return undefined;
  const before = solver.lookOnly ? undefined : note(step, key, solver);
  return { key, status: 'cached', layer: record.layer, created: record.created, took: 0, reasons: [], record, ...(before && { before }) };
}

/** The record is kept; until its layer is in the store too, a look-up there does not find it. */
async function findElsewhere(step: Step, key: Digest, parts: KeyPart[], solver: Solver, context: Context): Promise<Solved | undefined> {
  const found = solver.ignoreCache ? undefined : await solver.elsewhere?.(key, step.text, context);
  if (!found) return undefined;
  const { from, ...result } = found;
  const record: StepRecord = { key, parts, scope: step.scope ?? key, text: step.text, ...result };
  solver.records.put(record);
  const before = note(step, key, solver);
  return { key, status: 'cached', layer: record.layer, created: record.created, took: 0, reasons: [], record, from, ...(before && { before }) };
}

/**
 * Remembers the key in the step's places; gives the other one that it had. Only what changed is written, so that a build in
 * which nothing changed writes nothing here.
 */
function note(step: Step, key: Digest, solver: Solver): Digest | undefined {
  const { records } = solver;
  let before: Digest | undefined;
  const changed = step.slots.filter((slot) => records.lastKey(slot) !== key);
  if (changed.length > 0) before = earlier(step, key, solver)[0]?.key;
  for (const slot of changed) records.note(slot, key);
  return before;
}

/** What the step's places had before, nearest first; nothing when it was this very key. */
export function earlier(step: Pick<Step, 'slots' | 'text' | 'others'>, key: Digest, { records }: Pick<Solver, 'records'>): { key: Digest; parts: KeyPart[] }[] {
  const found = [];
  for (const slot of step.slots) {
    const last = records.lastKey(slot);
    if (last === key) break;
    const known = last === undefined ? undefined : records.parts(last);
    if (!known || (known.text !== step.text && step.others?.has(known.text))) continue;
    found.push({ key: last!, parts: known.parts });
  }
  return found;
}

/** Why there is no record under the key. */
export function missOf(step: Step, key: Digest, parts: KeyPart[], solver: Solver, readListing: ReadListing): Miss {
  const places = earlier(step, key, solver);
  const [place] = places;
  const at = place && { before: place.key };
  if (solver.ignoreCache) return { key, ...at, reasons: [{ part: 'cache', text: 'the cache was not to be used' }] };
  const known = solver.records.parts(key);
  if (known) return { key, ...at, reasons: [{ part: 'cache', before: `made ${new Date(known.executed).toISOString()}`, text: known.unfetched ? 'its result was found elsewhere and not fetched' : 'its result was removed from the cache' }] };
  for (const { key: before, parts: old } of places) {
    const reasons = explainMiss(old, parts, readListing);
    if (reasons.length > 0) return { key, before, reasons };
  }
  return { key, reasons: [solver.unlike?.(parts) ?? { part: 'new', text: 'never built before' }] };
}

async function execute(step: Step, parts: KeyPart[], miss: Miss, solver: Solver, context: Context): Promise<Solved> {
  const { key, before, reasons } = miss;
  const started = solver.now();
  const executed = await step.execute(context);
  const took = solver.now() - started;
  const { scope = key } = step;
  const known = solver.records.byTree(scope, executed.layer.treeDigest);
  if (known) await executed.drop();
  else await executed.keep();
  const { layer, created } = known ?? executed;
  const record: StepRecord = { key, parts, scope, layer, took, executed: started, text: step.text };
  if (created !== undefined) record.created = created;
  solver.records.put(record);
  note(step, key, solver);
  return { key, status: known ? 'same' : 'executed', layer, created, took, reasons, record, ...(before && { before }) };
}
