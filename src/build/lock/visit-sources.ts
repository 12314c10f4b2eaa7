/**
 * What a build takes from outside, found by planning its stages and carrying nothing out: images, files behind URLs,
 * repositories, named contexts. The visitor says what is below a stage, as far as it can; where it cannot, what the stage's
 * variables lead to is not known, and what is found may not be all.
 */
import { isSiruError } from '../../base/errors.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { normalizePlatform, type Platform } from '../../oci/platform.ts';
import { locate } from '../failure.ts';
import { findContext, normaliseContexts } from '../plan/context-name.ts';
import { gitSourceOf, isHttpSource } from '../plan/source-words.ts';
import type { StagePlan } from '../plan/graph.ts';
import { onBuildTexts, onBuildTriggers, startStage, type StageBase } from '../plan/stage-state.ts';
import type { GitSource } from '../contexts/git-url.ts';
import { parseNamedContext, type NamedSpec } from '../contexts/spec.ts';
import type { Session } from '../session.ts';
import { createPlaces, planInstructions } from '../stage.ts';
import type { SourceRef, StageState, StepPlan } from '../step-plan.ts';

export interface Visitor {
  /** Gives the image's configuration, or undefined when it cannot be had. */
  image(reference: string, platform: Platform, line: number): Promise<ImageConfig | undefined>;
  /** A named context that is no image of a registry. Gives the configuration of an image in a layout. */
  context(name: string, spec: Exclude<NamedSpec, { type: 'image' | 'directory' }>, platform: Platform, line: number): Promise<ImageConfig | undefined>;
  /** `slots` are the places of the step that takes it; `checksum` is what the Dockerfile itself says of it. */
  url(address: string, checksum: string | undefined, slots: readonly string[], line: number): Promise<void>;
  git(source: GitSource, line: number): Promise<void>;
}

/** Visits what the target takes, and the stage or context that SOURCE_DATE_EPOCH names. Each source may be visited many times. */
export async function visitSources(session: Session, visitor: Visitor): Promise<void> {
  const stages = new Map<number, Promise<StageState | undefined>>();
  const visit: Visit = {
    // Who carries the stages out warns.
    session: { ...session, warn() {} },
    visitor,
    stage(index) {
      let visiting = stages.get(index);
      if (!visiting) stages.set(index, (visiting = visitStage(visit, index)));
      return visiting;
    },
  };
  const { graph, buildArgs, dockerfile, platform } = session;
  const wanted = new Set(graph.order);
  const epoch = buildArgs.SOURCE_DATE_EPOCH ?? graph.globalArgs.get('SOURCE_DATE_EPOCH') ?? '';
  if (!/^[-+\d]*$/.test(epoch) && epoch !== 'context') {
    const named = dockerfile.stages.find(({ name }) => name === epoch.toLowerCase());
    if (graph.namedContexts.includes(epoch)) await visitContext(visit, epoch, platform, 1);
    else if (named) wanted.add(named.index);
  }
  await Promise.all([...wanted].map((index) => visit.stage(index)));
}

interface Visit {
  session: Session;
  visitor: Visitor;
  /** The state that the stage ends in; undefined when that is not known. */
  stage(index: number): Promise<StageState | undefined>;
}

async function visitStage(visit: Visit, index: number): Promise<StageState | undefined> {
  const { session, visitor } = visit;
  const planned = session.graph.stages[index]!;
  const { base, platform, known, replaced } = await locate(session, planned, () => startFrom(visit, planned));
  try {
    const state = startStage(base, platform);
    const instructions = replaced ? [] : [...onBuildTriggers(onBuildTexts(base), planned.lines, session.source), ...planned.instructions];
    const advances = planInstructions(session, index, state, instructions);
    const places = createPlaces(session, planned.label);
    for (const [at, { step, text }] of advances.entries()) {
      if (!step) continue;
      const { slots } = places(text);
      await locate(session, instructions[at]!, async () => {
        const line = instructions[at]!.lines.start;
        for (const source of filesFrom(step)) await visitFiles(visit, source, line);
        if (step.kind !== 'add') return;
        for (const word of step.sources) {
          const git = isHttpSource(word) ? undefined : gitSourceOf(word);
          if (git) await visitor.git({ ...git, ...(step.checksum !== undefined && { checksum: step.checksum }), ...(step.keepGitDir && { keepGitDir: true }) }, line);
          else if (isHttpSource(word)) await visitor.url(word, step.checksum, slots, line);
        }
      });
    }
    return known ? (advances.at(-1)?.state ?? state) : undefined;
  } catch (error) {
    // Without the variables of the base an instruction may make no sense.
    if (known || !isSiruError(error) || error.code !== 'DOCKERFILE') throw error;
    return undefined;
  }
}

interface Start {
  base: StageBase;
  platform: Platform;
  /** False when what is below could not be had. */
  known: boolean;
  /** A context stands in for the stage: it does nothing itself. */
  replaced: boolean;
}

async function startFrom(visit: Visit, { from, platform: own, lines }: StagePlan): Promise<Start> {
  const { session, visitor } = visit;
  const platform = own ?? session.platform;
  if (from.type === 'scratch') return { base: { type: 'scratch' }, platform: session.platform, known: true, replaced: false };
  if (from.type === 'stage') {
    const state = await visit.stage(from.index);
    return { base: state ? { type: 'stage', state } : { type: 'scratch' }, platform, known: state !== undefined, replaced: false };
  }
  const replaced = from.type === 'named-context' && from.replaces === true;
  const config = from.type === 'image' ? await visitor.image(from.reference, platform, lines.start) : await visitContext(visit, from.name, platform, lines.start);
  if (config === 'files') return { base: { type: 'scratch' }, platform: session.platform, known: true, replaced };
  if (!config) return { base: { type: 'scratch' }, platform, known: false, replaced };
  const { os, architecture, variant } = config;
  const of = os && architecture && from.type === 'image' && (os !== platform.os || architecture !== platform.architecture) ? normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) }) : platform;
  return { base: { type: 'image', config: config.config ?? {}, ...(config.author === undefined ? {} : { author: config.author }) }, platform: of, known: true, replaced };
}

/** The images and contexts whose files a step takes; of stages their own steps tell. */
function filesFrom(step: StepPlan): SourceRef[] {
  if (step.kind === 'run') return step.mounts.flatMap((mount) => ('from' in mount && mount.from ? [mount.from] : []));
  return step.kind === 'workdir' ? [] : [step.from];
}

async function visitFiles(visit: Visit, source: SourceRef, line: number): Promise<void> {
  const { session, visitor } = visit;
  if (source.type === 'image' && source.reference !== 'scratch') await visitor.image(source.reference, session.platform, line);
  else if (source.type === 'named-context') await visitContext(visit, source.name, session.platform, line);
  // Triggers of a base may read a stage that the target does not stand on.
  else if (source.type === 'stage') await visit.stage(source.index);
}

/** `files` for a context that has no configuration. */
async function visitContext({ session, visitor }: Visit, name: string, platform: Platform, line: number): Promise<ImageConfig | 'files' | undefined> {
  const contexts = normaliseContexts(session.options.buildContexts);
  const key = findContext(contexts.keys(), name, platform);
  const spec = key === undefined ? undefined : parseNamedContext(key, contexts.get(key)!);
  if (!spec || spec.type === 'directory' || (spec.type === 'image' && spec.reference === 'scratch')) return 'files';
  if (spec.type === 'image') return visitor.image(spec.reference, platform, line);
  const config = await visitor.context(name, spec, platform, line);
  return spec.type === 'layout' ? config : 'files';
}
