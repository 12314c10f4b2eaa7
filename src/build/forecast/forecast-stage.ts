/** A stage as solveStage goes through it, with look-ups in place of executions. */
import { checkCancelled } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Instruction } from '../../dockerfile/instruction.ts';
import type { ImageLayer } from '../../images/read.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { NotExecuted } from '../../solver/step.ts';
import { openContextBase } from '../context-base.ts';
import { locate } from '../failure.ts';
import type { StagePlan } from '../plan/graph.ts';
import { onBuildTexts, onBuildTriggers, startStage, type StageBase } from '../plan/stage-state.ts';
import { shownStage, type Session } from '../session.ts';
import { createPlaces, makesLayer, planInstructions, stagesRead, type StageResult } from '../stage.ts';
import type { SourceRef, StepPlan } from '../step-plan.ts';
import type { ForecastPull, ForecastStep } from './forecast.ts';
import { forecastBase } from './forecast-base.ts';
import { hidden, openKnown, Unknowable, type ForecastLayer, type ToldStep } from './forecast-layers.ts';
import { forecastStep } from './forecast-step.ts';

export interface StageForecast {
  layers: ForecastLayer[];
  /** Of this stage alone, FROM first when it names an image or a context. */
  steps: ToldStep[];
  /** Milliseconds after which it is done when all goes on side by side. */
  ends: number;
}

/** What the stages of a forecast find together. */
export interface Found {
  stages: Map<number, StageForecast>;
  /** By name and platform. */
  pulls: Map<string, ForecastPull>;
}

export async function forecastStage(session: Session, index: number, found: Found): Promise<StageResult> {
  const planned = session.graph.stages[index]!;
  for (const dependency of planned.dependencies) void session.stage(dependency).catch(() => {});
  const start = await startFrom(session, planned, found);
  const instructions = [...start.triggers, ...planned.instructions];
  const total = 1 + instructions.filter(makesLayer).length;
  const advances = planInstructions(session, index, start.state, instructions);
  const places = createPlaces(session, planned.label);
  const others = new Set(advances.flatMap(({ step, text }) => (step ? [text] : [])));
  const layers = [...start.layers];
  const steps = [...start.steps];
  let { ends } = start;
  let position = 1;
  for (const [at, instruction] of instructions.entries()) {
    checkCancelled(session.context);
    const { step: plan, text, state } = advances[at]!;
    if (!plan) {
      if (makesLayer(instruction)) position++;
      continue;
    }
    const told = newStep(session, planned.label, ++position, total, text, instruction.lines.start);
    for (const read of stagesRead(plan)) {
      await session.stage(read);
      ends = Math.max(ends, found.stages.get(read)!.ends);
    }
    for (const reference of imagesRead(plan)) await notePull(session, reference, found);
    layers.push(await forecastStep(session, instruction, plan, { stage: planned.label, text, state, ...places(text), others, below: [...layers] }, told));
    if (isExecuted(told)) ends += told.took ?? 0;
    steps.push(told);
  }
  for (const step of steps) step.total = total;
  found.stages.set(index, { layers, steps, ends });
  return {
    state: advances.at(-1)?.state ?? start.state,
    layers: [],
    entries: [],
    keys: new Set(),
    async stack() {
      const unknown = hidden(layers);
      if (unknown) throw new Unknowable(unknown.source, unknown.step);
      return openKnown(session, layers);
    },
  };
}

/** The images whose files a step takes. */
function imagesRead(plan: StepPlan): string[] {
  const sources: (SourceRef | undefined)[] = plan.kind === 'run' ? plan.mounts.map((mount) => ('from' in mount ? mount.from : undefined)) : plan.kind === 'workdir' ? [] : [plan.from];
  return sources.flatMap((source) => (source?.type === 'image' && source.reference !== 'scratch' ? [source.reference] : []));
}

async function notePull(session: Session, reference: string, { pulls }: Found): Promise<void> {
  const base = await forecastBase(session, reference, session.platform, session.context);
  if (base.pull) pulls.set(`${base.name} ${formatPlatform(session.platform)}`, base.pull);
}

/** It is executed, or is when nothing of what it depends on comes out as it was. */
export function isExecuted({ status, likely, base }: ForecastStep): boolean {
  return base === undefined && (status === 'miss' || likely === 'miss');
}

function newStep(session: Session, stage: string, index: number, total: number, text: string, line: number): ToldStep {
  return { number: 0, stage: shownStage(session, stage), index, total, line, text: session.guard.mask(text), status: 'unknown' };
}

interface Start extends Omit<StageForecast, 'layers'> {
  layers: ForecastLayer[];
  state: StageResult['state'];
  triggers: Instruction[];
}

async function startFrom(session: Session, planned: StagePlan, found: Found): Promise<Start> {
  const { from, lines } = planned;
  const platform = planned.platform ?? session.platform;
  const begin = (base: StageBase, of = platform): Pick<Start, 'state' | 'triggers'> => ({
    state: startStage(base, of),
    triggers: onBuildTriggers(onBuildTexts(base), lines, session.source),
  });
  if (from.type === 'scratch') return { ...begin({ type: 'scratch' }, session.platform), layers: [], steps: [], ends: 0 };
  if (from.type === 'stage') {
    const { state } = await session.stage(from.index);
    const { layers, ends } = found.stages.get(from.index)!;
    return { ...begin({ type: 'stage', state }), layers: [...layers], steps: [], ends };
  }
  const name = from.type === 'image' ? from.reference : from.name;
  const told = newStep(session, planned.label, 1, 1, `FROM ${name}`, lines.start);
  const bare = from.type === 'named-context' && from.replaces ? { state: { platform: session.platform, config: {}, args: [], cmdSet: false, workdirSet: false }, triggers: [] } : undefined;
  if (from.type === 'image') {
    const base = await locate(session, planned, () => forecastBase(session, from.reference, platform, session.context));
    Object.assign(told, { status: base.pull ? 'miss' : 'hit', base: { name: base.name, digest: base.digest }, ...(base.pull && { why: `${base.name} is not here` }) });
    if (base.pull) found.pulls.set(`${base.name} ${formatPlatform(platform)}`, base.pull);
    const { config, author, os, architecture, variant } = base.config;
    const of = { os, architecture, ...(variant === undefined ? {} : { variant }) };
    return { ...begin({ type: 'image', config: config ?? {}, ...(author === undefined ? {} : { author }) }, base.layers.length > 0 && os && architecture && isOther(of, platform) ? of : platform), layers: baseLayers(session, base.layers, name), steps: [told], ends: 0 };
  }
  try {
    const opened = await locate(session, planned, () => openContextBase(session, from.name, platform));
    const image = 'layers' in opened ? undefined : opened.image;
    told.status = 'hit';
    const layers = baseLayers(session, image?.layers ?? ('layers' in opened ? opened.layers : []), name);
    if (!image) return { ...(bare ?? begin({ type: 'scratch' }, session.platform)), layers, steps: [told], ends: 0 };
    if (!('layers' in opened)) told.base = { name: opened.name, digest: image.manifestDigest };
    const { config, author } = image.config;
    return { ...begin({ type: 'image', config: config ?? {}, ...(author === undefined ? {} : { author }) }), ...(bare && { triggers: [] }), layers, steps: [told], ends: 0 };
  } catch (error) {
    if (!(error instanceof NotExecuted)) throw error;
    Object.assign(told, { status: 'miss', why: `${error.text} is not here` });
    // Of an image its configuration would be needed for all that follows.
    if (error.text.startsWith('the pull of ')) throw unfetched(name, error);
    return { ...(bare ?? begin({ type: 'scratch' }, session.platform)), layers: [{ source: error.text, step: told }], steps: [told], ends: 0 };
  }
}

/** What a plan says of a source that it would have to fetch before it can tell anything. */
export function unfetched(what: string, error: NotExecuted): SiruError {
  return new SiruError('CONTEXT', `${what} is not in the store, and a plan fetches nothing: it needs ${error.text}`, { hint: 'Build it once, or fetch it first.', cause: error });
}

function isOther(a: { os: string; architecture: string }, b: { os: string; architecture: string }): boolean {
  return a.os !== b.os || a.architecture !== b.architecture;
}

function baseLayers({ store }: Session, layers: readonly ImageLayer[], name: string): ForecastLayer[] {
  return layers.map(({ diffId, descriptor }): ForecastLayer => {
    const here = store.layers.get(diffId);
    return { diffId, descriptor, size: here?.size ?? descriptor.size, source: `the files of ${name}, which were never looked into here`, ...(here ? { toc: () => store.layers.toc(diffId) } : {}) };
  });
}

