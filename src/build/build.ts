/**
 * Dockerfile to image, the whole way on one page:
 *
 *     text --parse--> tree --plan--> stages --solve--> layers + config --assemble--> image --put--> store
 *
 * The part from plan to assemble is done once for each platform.
 */
import { randomUUID } from 'node:crypto';
import { checkCancelled, contextOf, type Context } from '../base/context.ts';
import { isSiruError, SiruError } from '../base/errors.ts';
import type { Event } from '../base/events.ts';
import { checkDockerfile } from '../dockerfile/checks/check-dockerfile.ts';
import { parseDockerfile } from '../dockerfile/parse.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import { formatReference, parseReferenceWithTag } from '../oci/reference.ts';
import { assembleImage, type AssembledImage } from './assemble.ts';
import type { BuildCache } from './cache/build-cache.ts';
import type { BuiltImage } from './built-image.ts';
import { checkOptions } from './check-options.ts';
import { checkOutputs, exportBuild, type ExportPlan } from './export/export-build.ts';
import { openLocked } from './find-lock.ts';
import { refuseOtherFrontend } from './frontend.ts';
import { describeCall } from './history/describe-call.ts';
import { createRecorder, type Recorder } from './history/recorder.ts';
import { searchImage } from './guard/search-image.ts';
import { planFor, platformsOf, settleTimes, type GraphPlan } from './platform-plans.ts';
import { createSession, type PlatformPlan, type Session } from './session.ts';
import { createSharedSession, type SharedSession } from './shared-session.ts';
import { createWarnings } from './warnings.ts';
import { solveStage, type StageResult } from './stage.ts';
import type { BuildOptions, BuildResult } from './options.ts';

/**
 * Builds an image and keeps it in the store. Throws SiruError; what was built before a failure stays cached, and no name
 * points anywhere else than before. When the signal fires, running steps are ended and CANCELLED is thrown.
 */
export async function build(given: BuildOptions): Promise<BuildResult> {
  checkOptions(given);
  const outer = contextOf(given);
  const tried: Tried = { id: randomUUID(), started: Date.now(), steps: 0 };
  if (!given.cacheFrom?.length && !given.cacheTo?.length) return tryToBuild(given, outer, tried);
  const { openBuildCache } = await import('./cache/build-cache.ts');
  await using cache = await openBuildCache(given.offline ? localCaches(given) : given, outer);
  tried.cache = cache;
  try {
    for (;;) {
      try {
        return await tryToBuild(given, outer, tried);
      } catch (error) {
        if (!cache.again()) throw error;
      }
    }
  } catch (error) {
    await cache.finish(false);
    throw error;
  }
}

/** An offline build refuses the others; they are not asked before it does. */
function localCaches({ cacheFrom, cacheTo, ...others }: BuildOptions): BuildOptions {
  return { ...others, cacheFrom: cacheFrom?.filter(({ type }) => type !== 'registry'), cacheTo: cacheTo?.filter(({ type }) => type !== 'registry') };
}

interface Tried {
  /** Of the build in the history. */
  id: string;
  /** When it began. */
  started: number;
  /** The last number that was given to a step. */
  steps: number;
  cache?: BuildCache;
}

async function tryToBuild(given: BuildOptions, outer: Context, tried: Tried): Promise<BuildResult> {
  const { started, cache } = tried;
  // A stage that fails stops the others; the caller's signal stops all.
  const stop = new AbortController();
  const history = createRecorder(given.store, { id: tried.id, started, ...describeCall(given) }, outer.emit);
  const emit: Context['emit'] = (event) => {
    history.take(event);
    outer.emit(event);
  };
  const context: Context = { emit, signal: AbortSignal.any([outer.signal, stop.signal]) };
  checkCancelled(context);

  const names = (given.tags ?? []).map((tag) => formatReference(parseReferenceWithTag(tag)));
  await using shared = createSharedSession(given, context, history, { cache, nextStepId: () => ++tried.steps });
  const { dockerfile: file, identity } = await openLocked(shared);
  history.place(identity, file.name);
  refuseOtherFrontend(file, given.buildArgs);
  const dockerfile = parseDockerfile(file.text, file.name);
  const { warn, failIfWanted } = createWarnings(context, dockerfile, given.buildArgs);
  for (const warning of checkDockerfile(dockerfile)) warn(warning);
  // What a stage finds in its instructions comes before any of its steps.
  const warnOrFail: PlatformPlan['warn'] = (warning) => {
    warn(warning);
    failIfWanted();
  };
  const platforms = platformsOf(given);
  const exported = { outputs: given.outputs ?? [{ type: 'image' as const }], tags: names, index: platforms.length > 1 || isTrue(given.buildArgs?.BUILDKIT_MULTI_PLATFORM) };
  checkOutputs(exported, platforms);
  const source = { name: file.name, text: dockerfile.text };
  const begin = (platform: Platform, plan: GraphPlan & Pick<PlatformPlan, 'timed'>): Session => {
    const several = platforms.length > 1 ? formatPlatform(platform) : undefined;
    const project = [identity, file.name, ...(several === undefined ? [] : [several])].join('\0');
    // Only stages that the target needs are begun, so the first error is the build's.
    return createSession(shared, { ...plan, dockerfile, source, warn: warnOrFail, project, ...(several === undefined ? {} : { label: several }) }, solveStage, (error) => stop.abort(error));
  };
  const timed = await settleTimes({
    shared, dockerfile, source, platforms,
    async stageTime(plan, index) {
      const { entries } = await begin(plan.platform, { ...plan, timed: true }).stage(index);
      const created = entries.findLast(({ layer }) => layer !== undefined)?.created;
      return created === undefined ? undefined : Date.parse(created) / 1000;
    },
  });
  const { options } = shared;
  const sessions = platforms.map((platform) => {
    const plan = planFor(given, dockerfile, platform);
    for (const warning of plan.graph.warnings) warn(warning);
    return begin(platform, timed(plan));
  });
  failIfWanted();
  if (shared.pins || options.offline) {
    if (shared.pins && (options.pull || options.revalidate !== undefined)) outer.emit({ type: 'warning', text: `no registry is asked what names of images mean: ${shared.pins.file} says it`, hint: 'Renew it with siru lock --update, or build with --no-lock.' });
    await (await import('./lock/check-sources.ts')).checkSources(sessions);
  }
  try {
    const solved = await Promise.all(sessions.map((session) => session.stage(session.graph.target)));
    if (options.failOnMiss?.length) (await import('./history/fail-on-miss.ts')).checkWanted(shared);
    const images = solved.map((stage, i) => assemble(options, stage, sessions[i]!.platform));
    for (const [i, image] of images.entries()) guardImage(shared, image, solved[i]!, options.sourceDateEpoch);
    checkCancelled(context);
    const wanted = exported.outputs.some(({ type }) => type !== 'cacheonly') || options.maxSize !== undefined || options.maxWaste !== undefined;
    if (wanted) await cache?.layers.ensure(images.flatMap(({ layers }) => layers.map(({ diffId }) => diffId)), context);
    await checkSizes(shared, images, exported, context);
    const results = await exportBuild(shared, images, exported, context);
    await cache?.sendMounts(() => shared.executor());
    await cache?.finish(true, results.outputs);
    checkCancelled(outer);
    const imported = countImported(history);
    const done: BuildResult = {
      ...results,
      platform: platforms.map(formatPlatform).join(','),
      steps: count(history),
      ...(imported && { imported }),
      took: Date.now() - started,
    };
    history.finish('done', { references: done.references, imageId: done.imageId, digest: done.digest });
    outer.emit(doneEvent(done));
    return done;
  } catch (error) {
    stop.abort(error);
    if (cache?.stumbled) {
      history.drop();
      throw error;
    }
    const first: unknown = stop.signal.reason;
    if (!outer.signal.aborted) await cache?.sendMounts(() => shared.executor());
    const cancelled = isSiruError(first) && first.code === 'CANCELLED';
    history.finish(cancelled || outer.signal.aborted ? 'cancelled' : 'failed', {}, shared.guard.maskError(first));
    // What was in the middle of something when the signal fired has its own word for that.
    if (outer.signal.aborted && !cancelled) throw new SiruError('CANCELLED', 'cancelled', { cause: first });
    throw first;
  }
}

function doneEvent({ imageId, digest, references, outputs, platform, took, steps, imported }: BuildResult): Event {
  const told = outputs.map(({ type, dest, pushed }) => ({
    type,
    ...(dest === undefined ? {} : { dest }),
    ...(pushed === undefined ? {} : { pushed: pushed.map((one) => ({ name: one.name, digest: one.digest })) }),
  }));
  return { type: 'build-done', imageId, digest, references, outputs: told, platform, took, steps, ...(imported && { imported }) };
}

function assemble(options: BuildOptions, stage: StageResult, platform: Platform): BuiltImage {
  const { state, entries, base, layers } = stage;
  const made = new Map<number | undefined, AssembledImage>();
  const at: BuiltImage['at'] = (epoch) => {
    let image = made.get(epoch);
    if (!image) made.set(epoch, (image = assembleImage({
      state,
      entries,
      base: base?.image,
      baseName: base?.name,
      baseDigest: base?.image.manifestDigest,
      labels: options.labels,
      // BuildKit names the platform that was asked for, else the one that the base is for.
      platform: options.platform === undefined ? state.platform : platform,
      epoch,
    })));
    return image;
  };
  return { platform, at, layers, baseLayers: base?.image.layers.length ?? 0, stack: () => stage.stack() };
}

/** Looks at the sizes when somebody asked for limits, or when a name is to mean another image than before. */
async function checkSizes(shared: SharedSession, images: readonly BuiltImage[], { outputs, tags }: ExportPlan, context: Context): Promise<void> {
  const { maxSize, maxWaste, warnGrowth, sourceDateEpoch } = shared.options;
  const keeps = outputs.some((output) => output.type === 'image' && (output.store ?? true));
  if (maxSize !== undefined || maxWaste !== undefined) {
    const { checkSize } = await import('./size/check-size.ts');
    await checkSize(shared, images, keeps, context);
  }
  const before = keeps && warnGrowth !== false && tags[0] !== undefined ? shared.store.images.byName(tags[0]) : undefined;
  if (!before || images[0]!.at(sourceDateEpoch).manifest.config.digest === before.imageId) return;
  const growth = await import('./size/warn-growth.ts');
  await growth.warnGrowth(shared, images, before, context);
}

/** Throws SECRET when config or history hold one. Secrets in layers were found by the steps that made them. */
function guardImage({ guard }: SharedSession, image: BuiltImage, { entries }: StageResult, epoch: number | undefined): void {
  const lookout = guard.lookout();
  if (!lookout) return;
  const finds = searchImage(image.at(epoch), entries.map(({ line }) => line), lookout);
  // What fails the build comes before what is only warned of.
  guard.judge(finds);
}

/** As Go reads booleans. */
function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|true)$/i.test(text);
}

function count({ steps }: Recorder): BuildResult['steps'] {
  const counts = { cached: 0, executed: 0, same: 0, config: 0 };
  for (const { status, text } of steps) if (status in counts && !text.startsWith('FROM ')) counts[status as keyof typeof counts]++;
  return counts;
}

/** How many steps were found in which cache outside of the store. */
function countImported({ steps }: Recorder): BuildResult['imported'] {
  const counts: Record<string, number> = {};
  for (const { from } of steps) if (from !== undefined) counts[from] = (counts[from] ?? 0) + 1;
  return Object.keys(counts).length > 0 ? counts : undefined;
}
