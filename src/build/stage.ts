/**
 * Solving one stage: FROM, then instruction by instruction: plan (pure), solve when files change, remember. Stages that it
 * takes files from are set going at once, so that independent stages run side by side.
 */
import { checkCancelled, type Context } from '../base/context.ts';
import { messageOf } from '../base/errors.ts';
import { stableJson } from '../base/json.ts';
import type { StepRef, StepStatus } from '../base/events.ts';
import { checkStage } from '../dockerfile/checks/check-stage.ts';
import { invalidBaseImagePlatform } from '../dockerfile/checks/invalid-base-image-platform.ts';
import type { Instruction } from '../dockerfile/instruction.ts';
import { chainId, sha256, type Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { solveStep } from '../solver/solve.ts';
import type { Miss, Reason, Solved, Solver, Step } from '../solver/step.ts';
import { openBaseImage } from './base-image.ts';
import type { Lookout } from './guard/guard.ts';
import { explainStart } from './explain-start.ts';
import { locate } from './failure.ts';
import type { LayerStack, StackLayer } from './layer-stack.ts';
import { readListing } from './read-listing.ts';
import { advance } from './plan/advance.ts';
import type { StagePlan } from './plan/graph.ts';
import { splitVariable } from './plan/variables.ts';
import { proxyArgs } from './plan/global-args.ts';
import type { Scope } from './plan/scope.ts';
import { sourcesOf } from './plan/sources.ts';
import { onBuildTexts, onBuildTriggers, startStage, type StageBase } from './plan/stage-state.ts';
import { createStep, prepareToRun } from './create-step.ts';
import { shownStage, stepRef, type Session } from './session.ts';
import { failOnMiss } from './history/fail-on-miss.ts';
import type { NewEntry } from './assemble.ts';
import type { Image } from '../images/read.ts';
import type { Advance, SourceRef, StageState, StepPlan } from './step-plan.ts';

export interface StageResult {
  state: StageState;
  /** Of the image that the stage makes, the base's included, bottom first. */
  layers: StackLayer[];
  /** What the instructions of this stage and of the stages that it stands on did, in order. */
  entries: NewEntry[];
  /** Keys of all steps whose results this one's are made of: of the stage, of those that it stands on, of those that it reads. */
  keys: ReadonlySet<Digest>;
  /** The image at the bottom; absent for scratch. */
  base?: { name: string; image: Image };
  /** The merged view of the layers; opened at the first call. */
  stack(): Promise<LayerStack>;
}

export async function solveStage(session: Session, index: number): Promise<StageResult> {
  const planned = session.graph.stages[index]!;
  for (const dependency of planned.dependencies) void session.stage(dependency).catch(() => {});
  const name = planned.label;
  const start = await startFrom(session, planned);
  const instructions = [...start.triggers, ...planned.instructions];
  const total = 1 + instructions.filter(makesLayer).length;

  const advances = planInstructions(session, index, start.state, instructions);
  const layers = [...start.layers];
  const entries = [...start.entries];
  const keys = new Set(start.keys);
  const final = isOfImage(session, index);
  const places = createPlaces(session, name);
  const others = new Set(advances.flatMap(({ step, text }) => (step ? [text] : [])));
  let position = 1;
  let changed = start.changed;
  const platform: Platform = start.base?.image.config ?? start.state.platform;
  for (const [at, instruction] of instructions.entries()) {
    checkCancelled(session.context);
    const next = advances[at]!;
    const entry: NewEntry = { history: next.history ?? {}, line: instruction.lines.start };
    if (next.step) {
      const place = { stage: name, index: ++position, total, text: next.text, line: instruction.lines.start };
      const { slots, places: portable } = places(next.text);
      // Waiting for other stages is not this step's time.
      const reads = new Set((await Promise.all(stagesRead(next.step).map((stage) => session.stage(stage)))).flatMap((stage) => [...stage.keys]));
      const runFollows = next.step.kind !== 'run' && instructions.slice(at).some(({ kind }) => kind === 'run');
      // A place that was never built will not be a hit, unless others built it.
      if (runFollows && !session.cache?.reads && !slots.some((slot) => session.store.records.lastKey(slot))) prepareToRun(session, [...layers]);
      const solved = await solvePlanned(session, instruction, next.step, { layers: [...layers], state: next.state, place, slots, places: portable, others, changed, runFollows, platform });
      if (solved.status === 'executed' || (solved.status === 'cached' && solved.before)) changed = next.text;
      const { diffId, size } = solved.layer;
      entry.layer = { diffId, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size } };
      layers.push(entry.layer);
      session.cache?.add({ record: solved.record, needs: [...keys, ...reads], reads: [...reads], places: portable, final });
      for (const key of [...reads, solved.key]) keys.add(key);
      if (solved.created !== undefined) entry.created = solved.created;
    } else if (makesLayer(instruction)) position++;
    if (next.history) entries.push(entry);
  }
  return { state: advances.at(-1)?.state ?? start.state, layers, entries, keys, base: start.base, stack: lazyStack(session, layers) };
}

/** The target, and what it stands on: their layers are those of the image. */
function isOfImage({ graph }: Session, index: number): boolean {
  let stage: number | undefined = graph.target;
  while (stage !== undefined && stage !== index) {
    const { from }: StagePlan = graph.stages[stage]!;
    stage = from.type === 'stage' ? from.index : undefined;
  }
  return stage === index;
}

/** What each instruction does. Known before any is carried out, so that a mistake in the last line costs no time. */
export function planInstructions(session: Session, index: number, from: StageState, instructions: Instruction[]): Advance[] {
  const scope = scopeOf(session, index);
  for (const warning of checkStage(instructions, { choosesShell: (from.config.Shell ?? []).length > 0 })) session.warn(warning);
  let state = from;
  return instructions.map((instruction) => {
    const next = locate(session, instruction, () => advance(state, instruction, scope));
    for (const warning of next.warnings) session.warn(warning);
    state = next.state;
    noteVariables(session, instruction, state);
    return next;
  });
}

/** Shows the guard what the instruction sets. */
function noteVariables({ guard }: Session, instruction: Instruction, { args, config }: StageState): void {
  if (instruction.kind === 'arg') {
    for (const { name } of instruction.args) guard.variable(name, args.findLast((arg) => arg.name === name)?.value ?? '');
  } else if (instruction.kind === 'env') {
    const values = new Map((config.Env ?? []).map(splitVariable));
    for (const { key } of instruction.pairs) guard.variable(key, values.get(key) ?? '');
  }
}

/** Instructions that count as steps where people see them counted. */
export function makesLayer({ kind }: Instruction): boolean {
  return kind === 'run' || kind === 'copy' || kind === 'add' || kind === 'workdir';
}

interface Start extends Omit<StageResult, 'stack'> {
  triggers: Instruction[];
  /** What changed at the bottom, for the explanation of steps that stand on it. */
  changed?: string;
}

function scopeOf(session: Session, index: number): Scope {
  const { options, graph, dockerfile, buildArgs } = session;
  const namespace = buildArgs.BUILDKIT_CACHE_MOUNT_NS;
  return {
    ...(namespace && { cacheMountNamespace: namespace }),
    ...(options.reproducible && { runVariables: { SOURCE_DATE_EPOCH: String(options.sourceDateEpoch), PYTHONHASHSEED: '0' } }),
    buildArgs,
    globalArgs: graph.globalArgs,
    escape: dockerfile.escape,
    source: session.source,
    proxy: proxyArgs(buildArgs),
    network: options.network ?? 'default',
    sourceOf: sourcesOf(graph, index),
  };
}

async function startFrom(session: Session, planned: StagePlan): Promise<Start> {
  const { from } = planned;
  const platform = planned.platform ?? session.platform;
  const stands = from.type === 'stage' ? session.graph.stages[from.index]!.label : undefined;
  session.history.stage(shownStage(session, planned.label), stands && shownStage(session, stands));
  const begin = (base: StageBase, of = platform): Pick<Start, 'state' | 'triggers'> => ({
    state: startStage(base, of),
    triggers: onBuildTriggers(onBuildTexts(base), planned.lines, session.source),
  });
  // Nothing is for every platform: what is made of it is the target's, as BuildKit has it.
  if (from.type === 'scratch') return { ...begin({ type: 'scratch' }, session.platform), layers: [], entries: [], keys: new Set() };
  if (from.type === 'stage') {
    const { state, layers, entries, keys, base } = await session.stage(from.index);
    return { ...begin({ type: 'stage', state }), layers, entries, keys, base };
  }
  const total = 1 + planned.instructions.filter(makesLayer).length;
  const text = `FROM ${from.type === 'image' ? from.reference : from.name}`;
  const ref = stepRef(session, planned.label, 1, total, text, planned.lines.start);
  const started = Date.now();
  session.context.emit({ type: 'step-started', step: ref });
  try {
    const found = await locate(session, planned, async () => {
      if (from.type === 'image') return openBaseImage(session, from.reference, platform, session.context);
      const { openContextBase } = await import('./context-base.ts');
      return openContextBase(session, from.name, platform);
    });
    if (!found || 'layers' in found) {
      session.context.emit({ type: 'step-done', step: ref, status: 'cached', took: Date.now() - started });
      if (found) session.history.stageLayers(shownStage(session, planned.label), found.layers.map(({ diffId }) => diffId));
      return { ...(from.type === 'named-context' && from.replaces ? bare(session) : begin({ type: 'scratch' }, session.platform)), layers: found?.layers ?? [], entries: found?.entries ?? [], keys: new Set() };
    }
    const { image, pulled, name, otherPlatform = platform } = found;
    const misfit = invalidBaseImagePlatform(name, platform, otherPlatform);
    if (misfit !== undefined) session.warn({ rule: 'InvalidBaseImagePlatform', text: misfit, line: planned.lines.start });
    const took = Date.now() - started;
    noteBase(session, ref, name, image);
    session.context.emit({ type: 'step-done', step: ref, status: pulled ? 'executed' : 'cached', took, ...(pulled ? { reason: `${name} was pulled` } : {}) });
    const { config } = image;
    const begun = begin({ type: 'image', config: config.config ?? {}, author: config.author }, otherPlatform);
    return {
      ...begun,
      // Nothing is done in a stage that is replaced.
      ...(from.type === 'named-context' && from.replaces ? { triggers: [] } : {}),
      layers: image.layers.map(({ descriptor, diffId }) => ({ descriptor, diffId })),
      entries: [],
      keys: new Set(),
      base: { name, image },
      ...(pulled ? { changed: text } : {}),
    };
  } catch (error) {
    session.context.emit({ type: 'step-done', step: ref, status: session.context.signal.aborted ? 'cancelled' : 'failed', took: Date.now() - started, error: messageOf(error) });
    throw error;
  }
}

/** What a FROM brought, for the history. */
function noteBase({ history }: Session, ref: StepRef, name: string, { manifestDigest, config, layers }: Image): void {
  const chain = chainId(layers.map(({ diffId }) => diffId));
  history.note(ref, { base: { name, digest: manifestDigest }, ...(chain && { diffId: chain }) });
  history.base(manifestDigest, () => {
    const made = (config.history ?? []).filter(({ empty_layer }) => !empty_layer);
    return layers.map(({ diffId }, i) => ({ diffId, ...(made[i]?.created_by === undefined ? {} : { by: made[i].created_by.slice(0, 200) }) }));
  });
}

/** What a stage that a context without configuration stands in for ends in. */
function bare({ platform }: Session): Pick<Start, 'state' | 'triggers'> {
  return { state: { platform, config: {}, args: [], cmdSet: false, workdirSet: false }, triggers: [] };
}

/** The stages whose files a step takes. */
export function stagesRead(plan: StepPlan): number[] {
  const sources: (SourceRef | undefined)[] = [];
  if (plan.kind === 'run') for (const mount of plan.mounts) sources.push('from' in mount ? mount.from : undefined);
  else if (plan.kind !== 'workdir') sources.push(plan.from);
  return sources.flatMap((source) => (source?.type === 'stage' ? [source.index] : []));
}

interface Placed {
  /** Below the step. */
  layers: StackLayer[];
  place: { stage: string; index: number; total: number; text: string; line: number };
  slots: string[];
  /** The same without the project, so that they are the same on another machine. */
  places: string[];
  /** See Step.others. */
  others: ReadonlySet<string>;
  state: StageState;
  /** A later instruction of the stage is a RUN. */
  runFollows: boolean;
  /** What the programs of the layers are for. */
  platform: Platform;
  /** The step or base further down that changed last, if any did. */
  changed?: string;
}

async function solvePlanned(session: Session, instruction: Instruction, plan: StepPlan, placed: Placed): Promise<Solved> {
  const { place } = placed;
  const ref = stepRef(session, place.stage, place.index, place.total, place.text, place.line);
  const reads = stagesRead(plan).map((stage) => shownStage(session, session.graph.stages[stage]!.label));
  const context: Context = session.context;
  const started = Date.now();
  const done = (status: StepStatus, more: { bytes?: number; diffId?: string; reason?: string; error?: string; from?: string } = {}): void => {
    context.emit({ type: 'step-done', step: ref, status, took: Date.now() - started, ...more });
  };
  context.emit({ type: 'step-started', step: ref });
  if (reads.length > 0) session.history.note(ref, { reads });
  try {
    const lookout = session.guard.lookout(place.line);
    const solved = await locate(session, instruction, async () => {
      const step: Step = await createStep(session, plan, {
        text: place.text,
        line: place.line,
        slots: placed.slots,
        layers: placed.layers,
        ...(ignoresCache(session, place.stage) ? {} : { below: placed.layers.map(({ diffId }) => diffId).join() }),
        stack: lazyStack(session, placed.layers),
        onOutput: (stream, text) => context.emit({ type: 'step-log', step: ref, stream, text }),
        ...(lookout && { lookout }),
        ref,
        state: placed.state,
      });
      // What the RUN needs is made ready while this step writes its layer.
      const executed = (of: Context): ReturnType<Step['execute']> => {
        if (placed.runFollows) prepareToRun(session, placed.layers);
        return step.execute(of).catch(async (error: unknown) => {
          throw await explainStart(error, placed.platform, session.store, of);
        });
      };
      const solver = { ...session.solver, ...(ignoresCache(session, place.stage) && { ignoreCache: true }), ...elsewhere(session, placed.places) };
      const missed = async (miss: Miss): Promise<void> => {
        session.history.missed(ref, session.guard.maskAll(miss));
        await failOnMiss(session, ref);
      };
      const result = await solveStep({ ...step, others: placed.others, missed, execute: executed }, solver, readListing(session.store), context);
      if (lookout) await guardResult(session, lookout, result);
      return result;
    });
    const reason = reasonText(solved.reasons[0], placed.changed);
    const { key, before, from, took: ran } = solved;
    session.history.note(ref, { key, ...(before && { before }), ...(from === undefined ? {} : { from }), ...(solved.status === 'cached' ? {} : { ran }) });
    done(solved.status, { bytes: solved.layer.size, diffId: solved.layer.diffId, ...(from === undefined ? {} : { from }), ...(reason === undefined ? {} : { reason }) });
    return solved;
  } catch (error) {
    done(context.signal.aborted ? 'cancelled' : 'failed', { error: messageOf(error) });
    throw error;
  }
}

/** What was made was judged on the way; what was there before may hold what is secret only since. */
async function guardResult({ store, context }: Session, lookout: Lookout, { status, layer }: Solved): Promise<void> {
  const { judgeStored, noteSearched } = await import('./guard/search-stored.ts');
  const { diffId, size } = layer;
  if (status === 'cached') await judgeStored(lookout, { diffId, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size } }, store, context);
  else noteSearched(lookout, diffId, lookout.judged, store);
}

/** Where results are looked for beside the store. */
export function elsewhere({ cache }: Session, places: readonly string[]): Pick<Solver, 'elsewhere' | 'unlike'> {
  return cache?.reads ? { elsewhere: cache.find, unlike: (parts) => cache.unlike(places, parts) } : {};
}

/** `noCacheFilter` names the stage with this label. */
export function ignoresCache({ options, graph }: Session, label: string): boolean {
  const wanted = options.noCacheFilter ?? [];
  if (wanted.length === 0) return false;
  const stage = graph.stages.find((one) => one.label === label);
  const names = [label, stage?.name, String(stage?.index)].map((name) => name?.toLowerCase());
  return wanted.some((name) => names.includes(name.toLowerCase()));
}

/** The first reason of a miss in one line; none for a step that was never here before. */
export function reasonText(first: Reason | undefined, changed: string | undefined): string | undefined {
  if (first?.part === 'new' && first.text === 'never built before') return undefined;
  return first?.part === 'parent' && changed !== undefined ? `it stands on ${changed}, which changed` : first?.text;
}

function lazyStack(session: Session, layers: StackLayer[]): () => Promise<LayerStack> {
  let opening: Promise<LayerStack> | undefined;
  const open = async (): Promise<LayerStack> => {
    const { openLayerStack } = await import('./layer-stack.ts');
    return session.use(await openLayerStack(session.store, layers, session.context, session.cache?.layers));
  };
  return () => (opening ??= open());
}

/** Names the places of a stage's steps: by text (the n-th with this text) first, then by position. */
export function createPlaces(session: Session, stage: string): (text: string) => { slots: string[]; places: string[] } {
  const seen = new Map<string, number>();
  let position = 0;
  return (text) => {
    const count = (seen.get(text) ?? 0) + 1;
    seen.set(text, count);
    const all = [[text, count], ++position];
    const within = (project: string): string[] => all.map((what) => sha256(stableJson([project, stage, what])));
    return { slots: within(session.project), places: within(session.label ?? '') };
  };
}
