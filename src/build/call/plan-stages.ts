/** Stages planned and not built: what their instructions would do, as far as the store knows the images below them. */
import { isSiruError } from '../../base/errors.ts';
import type { Finding } from '../../dockerfile/checks/check.ts';
import { checkStage } from '../../dockerfile/checks/check-stage.ts';
import { copyIgnoredFile, type IgnoreFile } from '../../dockerfile/checks/copy-ignored-file.ts';
import { invalidBaseImagePlatform } from '../../dockerfile/checks/invalid-base-image-platform.ts';
import type { SourceText } from '../../dockerfile/errors.ts';
import type { Dockerfile, Instruction } from '../../dockerfile/instruction.ts';
import { readImage, type Image } from '../../images/read.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatReference, parseReferenceWithTag } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import { advance } from '../plan/advance.ts';
import { proxyArgs } from '../plan/global-args.ts';
import type { StageGraph, StagePlan } from '../plan/graph.ts';
import type { Scope } from '../plan/scope.ts';
import { sourcesOf } from '../plan/sources.ts';
import { onBuildTexts, onBuildTriggers, startStage, type StageBase } from '../plan/stage-state.ts';
import type { Advance, StageState } from '../step-plan.ts';

export interface WholePlan {
  store: Pick<Store, 'images' | 'blobs'>;
  dockerfile: Dockerfile;
  graph: StageGraph;
  platform: Platform;
  buildArgs: Readonly<Record<string, string>>;
  /** Of the main context; COPY is checked against it. */
  ignore?: IgnoreFile;
  /** Gets what is found; what was found before an error stays. */
  tell?: (finding: Finding) => void;
}

export interface PlannedStage {
  stage: StagePlan;
  /** What its base left to be done, then its own. */
  instructions: Instruction[];
  /** One for each instruction. */
  advances: Advance[];
  /** In the end. */
  state: StageState;
  /** The image below that is not in the store: its environment is not known. '' for a named context, which is not opened. */
  unknown?: string;
}

/** Plans the stages, each after those it depends on. Throws DOCKERFILE. Nothing is pulled. */
export function planStagesOnly(whole: WholePlan, order: readonly number[]): Map<number, PlannedStage> {
  const planned = new Map<number, PlannedStage>();
  const plan = (index: number): PlannedStage => {
    const known = planned.get(index);
    if (known) return known;
    const stage = whole.graph.stages[index]!;
    const made = planOne(whole, stage, stage.from.type === 'stage' ? plan(stage.from.index) : undefined);
    planned.set(index, made);
    return made;
  };
  for (const index of order) plan(index);
  return planned;
}

function planOne(whole: WholePlan, stage: StagePlan, parent: PlannedStage | undefined): PlannedStage {
  const { dockerfile, graph, tell = () => {} } = whole;
  const source: SourceText = { name: dockerfile.name, text: dockerfile.text };
  const { base, unknown } = parent ? { base: { type: 'stage', state: parent.state } as StageBase, unknown: parent.unknown } : baseOf(whole, stage);
  // Nothing is for every platform: what is made of it is the target's.
  let state = startStage(base, stage.from.type === 'scratch' ? whole.platform : (stage.platform ?? whole.platform));
  const instructions = [...onBuildTriggers(onBuildTexts(base), stage.lines, source), ...stage.instructions];
  for (const finding of checkStage(instructions, { choosesShell: (state.config.Shell ?? []).length > 0 })) tell(finding);
  const scope: Scope = {
    source,
    buildArgs: whole.buildArgs,
    globalArgs: graph.globalArgs,
    escape: dockerfile.escape,
    proxy: proxyArgs(whole.buildArgs),
    network: 'default',
    sourceOf: sourcesOf(graph, stage.index),
  };
  const advances = instructions.map((instruction) => {
    const next = advance(state, instruction, scope);
    for (const finding of next.warnings) if (unknown === undefined || isCertain(finding)) tell(finding);
    for (const finding of ignored(next, whole.ignore)) tell(finding);
    state = next.state;
    return next;
  });
  return { stage, instructions, advances, state, ...(unknown === undefined ? {} : { unknown }) };
}

/** On an image that is not here a variable may well be defined; not one that looks like another one's misspelling. */
function isCertain({ rule, text }: Finding): boolean {
  return rule !== 'UndefinedVar' || text.includes('(did you mean ');
}

function ignored({ step, lines }: Advance, ignore: IgnoreFile | undefined): Finding[] {
  if (!ignore || (step?.kind !== 'copy' && step?.kind !== 'add') || step.from.type !== 'context') return [];
  // An address (of a file or a git repository) is no path of the context.
  const local = step.sources.filter((source) => !/^[a-z][a-z0-9+.-]*:\/\/|^[\w.-]+@/i.test(source));
  return copyIgnoredFile(step.kind, local, ignore).map((text) => ({ rule: 'CopyIgnoredFile', text, line: lines.start }));
}

function baseOf({ store, platform, tell = () => {} }: WholePlan, stage: StagePlan): { base: StageBase; unknown?: string } {
  const { from } = stage;
  if (from.type === 'scratch' || from.type === 'stage') return { base: { type: 'scratch' } };
  if (from.type === 'named-context') return { base: { type: 'image', config: {} }, unknown: '' };
  const wanted = stage.platform ?? platform;
  const image = storedImage(store, from.reference, wanted);
  if (!image) return { base: { type: 'image', config: {} }, unknown: from.reference };
  const { architecture, os } = image.config;
  const text = architecture && os ? invalidBaseImagePlatform(from.reference, wanted, { os, architecture }) : undefined;
  if (text !== undefined) tell({ rule: 'InvalidBaseImagePlatform', text, line: stage.lines.start });
  return { base: { type: 'image', config: image.config.config ?? {}, ...(image.config.author === undefined ? {} : { author: image.config.author }) } };
}

/** The image for the platform, else the one that was pulled or built under its name. */
function storedImage(store: WholePlan['store'], text: string, platform: Platform): Image | undefined {
  const reference = parseReferenceWithTag(text);
  const stored = reference.digest ? store.images.byId(reference.digest)[0] : store.images.byName(formatReference(reference));
  if (!stored) return undefined;
  for (const wanted of [platform, undefined]) {
    try {
      return readImage(store as Store, stored, wanted);
    } catch (error) {
      if (!isSiruError(error)) throw error;
    }
  }
  return undefined;
}
