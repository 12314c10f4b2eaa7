/** One step of a build that is not made: hit, miss, or unknown because of what it stands on or reads. */
import { existsSync } from 'node:fs';
import { isSiruError } from '../../base/errors.ts';
import type { Instruction } from '../../dockerfile/instruction.ts';
import type { Toc } from '../../layer/toc-contract.ts';
import { chainId, hexOf, type Digest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { asksBelow, explainMiss, type ReadListing } from '../../solver/explain.ts';
import { stepKey } from '../../solver/key.ts';
import { earlier, missOf } from '../../solver/solve.ts';
import { NotExecuted, type Looking, type Reason, type Step } from '../../solver/step.ts';
import type { KeyPart, StepRecord } from '../../store/store.ts';
import { createStep, openSource } from '../create-step.ts';
import { locate } from '../failure.ts';
import type { LayerStack, StackLayer } from '../layer-stack.ts';
import { readListing } from '../read-listing.ts';
import type { Session } from '../session.ts';
import { elsewhere, ignoresCache, reasonText } from '../stage.ts';
import { gitSourceOf, isHttpSource } from '../plan/source-words.ts';
import type { StageState, StepPlan } from '../step-plan.ts';
import { isFresh } from '../steps/copy.ts';
import { matchSource } from '../steps/copy-sources.ts';
import { hidden, openKnown, tableOf, theStep, Unknowable, type ForecastLayer, type ToldStep } from './forecast-layers.ts';

export interface Placed {
  stage: string;
  /** The instruction; in what is told secrets are masked. */
  text: string;
  slots: string[];
  /** See createPlaces. */
  places: string[];
  others: ReadonlySet<string>;
  /** After the instruction. */
  state: StageState;
  /** What is below, bottom first. */
  below: readonly ForecastLayer[];
}

/** Fills in what becomes of the step; gives the layer that it leaves. Throws what a build would throw before it executes anything. */
export async function forecastStep(session: Session, instruction: Instruction, plan: StepPlan, placed: Placed, told: ToldStep): Promise<ForecastLayer> {
  const { below, slots, places, others, stage, text, state } = placed;
  const chained = plan.kind === 'run';
  const { records } = session.store;
  const exact = below.every((layer): layer is ForecastLayer & StackLayer => layer.diffId !== undefined);
  let stack: Promise<LayerStack> | undefined;
  const step: Step = await locate(session, instruction, async () => {
    const made = await createStep(session, plan, { text, line: told.line, slots, ...(exact ? { layers: below.map(({ diffId, descriptor }) => ({ diffId: diffId!, descriptor: descriptor! })), ...(ignoresCache(session, stage) ? {} : { below: below.map(({ diffId }) => diffId).join() }) } : { layers: [] }), stack: () => (stack ??= openKnown(session, below)), onOutput() {}, ref: { id: 0, ...told }, state });
    return { ...made, others };
  });
  try {
    const known = await partsOf(session, instruction, plan, step, hidden(below) !== undefined);
    const last = earlier(step, noKey, { records })[0];
    const took = last && records.parts(last.key)?.took;
    const tell = (status: ToldStep['status'], more: Partial<ToldStep>): void => {
      Object.assign(told, { status, ...(took !== undefined && status !== 'hit' && { took }), ...defined(more) });
    };
    const unmade = (more: Partial<ForecastLayer> = {}): ForecastLayer => {
      const size = last && records.get(last.key)?.layer.size;
      return { source: gives, step: told, ...(size === undefined ? {} : { size }), ...more };
    };
    const solver = { ...session.solver, ...(ignoresCache(session, stage) && { ignoreCache: true }), ...elsewhere(session, places) };
    if ('blocked' in known) {
      if (solver.ignoreCache) tell('miss', { why: 'the cache was not to be used' });
      else tell('unknown', { likely: 'miss', why: `it depends on ${known.blocked}`, on: known.on });
      return unmade();
    }
    const { parts } = known;
    const read = reader(session);
    const cause = below.find((layer) => (chained ? layer.diffId === undefined : !layer.toc));
    // With --link nothing is asked of what is below.
    const apart = (plan.kind === 'copy' || plan.kind === 'add') && isFresh(plan);
    const certain = cause === undefined || apart || (!chained && !parts.some(({ name }) => asksBelow(name)));
    const own = (all: readonly KeyPart[]): KeyPart[] => all.filter(({ name }) => !asksBelow(name));
    const ownChanges = (): Reason[] => session.guard.maskAll(last ? explainMiss(own(last.parts), own(parts), read) : []);

    if (certain) {
      const key = stepKey(parts);
      const record = solver.ignoreCache ? undefined : records.get(key);
      if (record) {
        tell('hit', {});
        return layerOf(session, record, told);
      }
      const found = solver.ignoreCache ? undefined : await solver.elsewhere?.(key, text, session.context);
      if (found) {
        const { layer: { diffId, size }, from } = found;
        tell('hit', { from });
        return { diffId, size, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size }, toc: () => tableElsewhere(session, diffId), source: gives, step: told };
      }
      const { reasons } = session.guard.maskAll(missOf(step, key, parts, solver, read));
      const before = records.parts(key);
      tell('miss', { why: reasonText(reasons[0], changedBelow(below)) ?? 'never built before', changes: reasons, took: took ?? before?.took });
      return chained ? unmade() : await previewed(session, step, told, unmade, before?.evicted ? before.diffId : undefined);
    }
    if (solver.ignoreCache || (chained && below.some(({ fresh }) => fresh))) {
      const changes = ownChanges();
      tell('miss', { why: solver.ignoreCache ? 'the cache was not to be used' : changes[0]?.text ?? `it stands on ${theStep}, which would be executed`, changes, on: cause.step });
      return chained ? unmade() : await previewed(session, step, told, unmade);
    }
    const changes = ownChanges();
    if (!chained && parts.some(({ listing }) => listing !== undefined && !existsSync(session.store.path('listings', hexOf(listing))))) {
      // No step of this store ever read these files.
      tell('miss', { why: changes[0]?.text ?? 'never built before', changes });
      return unmade();
    }
    const same = last && changes.length === 0 ? last.key : undefined;
    const assumed = chained ? assumedRecord(session, below, parts) : same && records.get(same);
    tell('unknown', { likely: assumed ? 'hit' : 'miss', why: `it depends on ${cause.source}`, changes, on: cause.step });
    return unmade(assumed ? { assumed: assumed.layer.diffId, size: assumed.layer.size } : {});
  } finally {
    step.release?.();
  }
}

/** How what a step leaves is called. */
const gives = `what ${theStep} gives`;

/** Never the key of a step. */
const noKey: Digest = 'sha256:0';

async function partsOf(session: Session, instruction: Instruction, plan: StepPlan, step: Step, partial: boolean): Promise<{ parts: KeyPart[] } | { blocked: string; on?: ToldStep }> {
  try {
    return { parts: await locate(session, instruction, () => step.parts()) };
  } catch (error) {
    if (error instanceof Unknowable) return { blocked: error.message, ...(error.step && { on: error.step }) };
    if (error instanceof NotExecuted) return { blocked: `${error.text}, which is not here` };
    // What stands in the way may not be there once the steps below are executed.
    if (partial && isSiruError(error) && error.code === 'CONTEXT' && !(await lacksSource(session, plan))) return { blocked: `what is below it; as far as that is known: ${error.message.split('\n', 1)[0]}` };
    throw error;
  }
}

/** True when the plan copies what its source does not have, whatever is below. */
async function lacksSource(session: Session, plan: StepPlan): Promise<boolean> {
  if (plan.kind === 'run' || plan.kind === 'workdir' || plan.parents) return false;
  try {
    const { tree } = await openSource(session, plan.from);
    for (const word of plan.sources) if (!isHttpSource(word) && gitSourceOf(word) === undefined) matchSource(tree, word);
    return false;
  } catch {
    return true;
  }
}

/** What a step that makes its layer of files alone leaves when it is executed. */
async function previewed({ store }: Session, step: Step, told: ToldStep, unmade: (more: Partial<ForecastLayer>) => ForecastLayer, evicted?: Digest): Promise<ForecastLayer> {
  const entries = (await step.preview?.()) ?? [];
  const table = step.preview && tableOf(entries);
  if (!table) return unmade(evicted ? { assumed: evicted } : {});
  const equal = step.scope === undefined ? undefined : store.records.byTree(step.scope, table.treeDigest);
  const size = entries.reduce((sum, entry) => sum + 512 + Math.ceil(entry.size / 512) * 512, 1024);
  if (!equal) return unmade({ toc: table.toc, size, ...(evicted ? { assumed: evicted } : { fresh: true }) });
  told.same = true;
  return { ...layerParts(store, equal), source: gives, step: told };
}

function layerOf({ store }: Session, record: StepRecord, told: ToldStep): ForecastLayer {
  return { ...layerParts(store, record), source: gives, step: told };
}

function layerParts({ layers }: Session['store'], { layer: { diffId, size }, created }: StepRecord): Pick<ForecastLayer, 'diffId' | 'descriptor' | 'toc' | 'size' | 'created'> {
  return { ...(created === undefined ? {} : { created }), diffId, size, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size }, toc: () => layers.toc(diffId) };
}

/** From the store, else from the cache that has the layer. Nothing is kept. */
async function tableElsewhere({ store, cache, context }: Session, diffId: Digest): Promise<Toc> {
  if (store.layers.get(diffId)) return store.layers.toc(diffId);
  const toc = await cache?.layers.toc(diffId, context);
  if (!toc) throw new Unknowable(`the layer ${diffId}, which no cache has`);
  return toc;
}

/** The record of a RUN if every layer below comes out as it was. */
function assumedRecord({ store }: Session, below: readonly ForecastLayer[], parts: readonly KeyPart[]): StepRecord | undefined {
  const diffIds = below.map(({ diffId, assumed }) => diffId ?? assumed);
  if (!diffIds.every((diffId) => diffId !== undefined)) return undefined;
  const parent = chainId(diffIds);
  return store.records.get(stepKey(parts.map((part) => (part.name === 'parent' ? { ...part, value: parent } : part))));
}

/** The nearest step below that would be executed. */
function changedBelow(below: readonly ForecastLayer[]): string | undefined {
  const step = below.findLast((layer) => layer.step && layer.step.status !== 'hit')?.step;
  return step?.text ?? (below.every((layer) => !layer.step) ? 'the base image' : undefined);
}

function reader({ store, solver }: Session): ReadListing {
  const stored = readListing(store);
  const { listings } = solver.lookOnly as Looking;
  return (digest) => listings.get(digest)?.() ?? stored(digest);
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>;
}
