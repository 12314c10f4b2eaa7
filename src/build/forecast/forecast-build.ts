/** What a build would do, without doing any of it: nothing is executed, pulled, written or remembered. */
import { contextOf } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { parseDockerfile } from '../../dockerfile/parse.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import { NotExecuted } from '../../solver/step.ts';
import { openLocked } from '../find-lock.ts';
import { refuseOtherFrontend } from '../frontend.ts';
import { createRecorder } from '../history/recorder.ts';
import type { MainContext } from '../contexts/open.ts';
import type { BuildOptions } from '../options.ts';
import { planFor, platformsOf, settleTimes, type GraphPlan } from '../platform-plans.ts';
import { createSession, type PlatformPlan, type Session } from '../session.ts';
import { createSharedSession, type SharedSession } from '../shared-session.ts';
import type { Forecast } from './forecast.ts';
import { theStep, type ToldStep } from './forecast-layers.ts';
import { forecastStage, isExecuted, unfetched, type Found } from './forecast-stage.ts';

export interface ForecastOptions extends BuildOptions {
  /** A reference: what would be pushed to it, layer by layer. Asks its registry. */
  pushTo?: string;
}

interface Planned {
  session: Session;
  found: Found;
  platform: Platform;
}

/**
 * The steps of the build with hit, miss or unknown, what would be pulled and pushed, and how long it takes by the history.
 * A store that may only be read is enough. Throws what a build throws before it executes anything, and CONTEXT for a context
 * that would have to be fetched first.
 */
export async function forecastBuild(options: ForecastOptions): Promise<Forecast> {
  const context = contextOf(options);
  const history = createRecorder(options.store, { id: 'none', started: 0, project: '' }, () => {});
  // Caches are asked; nothing is written to any.
  await using cache = options.cacheFrom?.length ? await (await import('../cache/build-cache.ts')).openBuildCache({ ...options, cacheTo: [] }, context) : undefined;
  await using shared = createSharedSession(options, context, history, { lookOnly: { listings: new Map() }, ...(cache && { cache }) });
  const { dockerfile: file, identity } = await openMain(shared);
  refuseOtherFrontend(file, options.buildArgs);
  const dockerfile = parseDockerfile(file.text, file.name);
  const source = { name: file.name, text: dockerfile.text };
  const platforms = platformsOf(options);
  const plan = (of: GraphPlan, timed?: true): Planned => {
    const { platform } = of;
    const several = platforms.length > 1 ? formatPlatform(platform) : undefined;
    const project = [identity, file.name, ...(several === undefined ? [] : [several])].join('\0');
    const planned: PlatformPlan = { ...of, dockerfile, source, warn() {}, project, ...(timed && { timed }), ...(several === undefined ? {} : { label: several }) };
    const found: Found = { stages: new Map(), pulls: new Map() };
    return { session: createSession(shared, planned, (session, index) => forecastStage(session, index, found), () => {}), found, platform };
  };
  const times = await settleTimes({
    shared, dockerfile, source, platforms,
    async stageTime(of, index) {
      const { session, found } = plan(of, true);
      await session.stage(index);
      const last = found.stages.get(index)!.layers.at(-1);
      if (last && last.diffId === undefined) throw new SiruError('CONTEXT', 'SOURCE_DATE_EPOCH comes from a stage that would have to be fetched first, and a plan fetches nothing', { hint: 'Build it once, or give the seconds.' });
      return last?.created === undefined ? undefined : Date.parse(last.created) / 1000;
    },
  });
  const planned = platforms.map((platform) => plan(times(planFor(options, dockerfile, platform))));
  if (shared.pins || options.offline) await (await import('../lock/check-sources.ts')).checkSources(planned.map(({ session }) => session));
  await Promise.all(planned.map(({ session }) => session.stage(session.graph.target)));
  const steps = planned.flatMap(stepsOf);
  for (const [i, step] of steps.entries()) step.number = i + 1;
  for (const step of steps) settle(step);
  const executed = steps.filter(isExecuted);
  const forecast: Forecast = {
    platforms: platforms.map(formatPlatform),
    steps,
    pulls: [...new Map(planned.flatMap(({ found }) => [...found.pulls])).values()],
    time: {
      took: Math.max(...planned.map(({ session, found }) => found.stages.get(session.graph.target)!.ends)),
      work: executed.reduce((sum, { took = 0 }) => sum + took, 0),
      untimed: executed.flatMap(({ took, number }) => (took === undefined ? [number] : [])),
    },
  };
  if (options.pushTo !== undefined) {
    const { forecastPush } = await import('./forecast-push.ts');
    const targets = planned.map(({ session, found, platform }) => ({ platform: formatPlatform(platform), layers: found.stages.get(session.graph.target)!.layers }));
    forecast.push = await forecastPush(shared, options.pushTo, targets);
  }
  return forecast;
}

/** Puts the number in for the step that it hangs on. */
function settle(step: ToldStep): void {
  const { on, why } = step;
  delete step.on;
  if (!on) return;
  step.dependsOn = on.number;
  if (why !== undefined) step.why = why.replace(theStep, `#${on.number}`);
}

function stepsOf({ session, found }: Planned): ToldStep[] {
  return session.graph.order.flatMap((index) => found.stages.get(index)?.steps ?? []);
}

async function openMain(shared: SharedSession): Promise<MainContext> {
  try {
    return await openLocked(shared);
  } catch (error) {
    if (error instanceof NotExecuted) throw unfetched('the build context', error);
    throw error;
  }
}
