/** The graph of stages for each platform that is asked for, with the times that SOURCE_DATE_EPOCH asks for. */
import type { SourceText } from '../dockerfile/errors.ts';
import type { Dockerfile } from '../dockerfile/instruction.ts';
import { formatPlatform, hostPlatform, parsePlatform, type Platform } from '../oci/platform.ts';
import type { BuildOptions } from './options.ts';
import { normaliseContexts } from './plan/context-name.ts';
import { planStages } from './plan/graph.ts';
import type { PlatformPlan } from './session.ts';
import type { SharedSession } from './shared-session.ts';

export type GraphPlan = Pick<PlatformPlan, 'graph' | 'platform' | 'buildArgs'>;

/** The platforms that the result is for, each once, in the order that was asked for; the host's when none was. */
export function platformsOf({ platform }: Pick<BuildOptions, 'platform'>): Platform[] {
  const texts = (typeof platform === 'string' ? [platform] : (platform ?? [])).flatMap((text) => text.split(','));
  if (texts.length === 0) return [hostPlatform()];
  const platforms = new Map(texts.map((text): [string, Platform] => {
    const parsed = text.trim() === 'local' ? hostPlatform() : parsePlatform(text.trim());
    return [formatPlatform(parsed), parsed];
  }));
  return [...platforms.values()];
}

/** Throws DOCKERFILE and NOT_FOUND. */
export function planFor(options: BuildOptions, dockerfile: Dockerfile, platform: Platform): GraphPlan {
  const buildArgs = { ...(options.sourceDateEpoch === undefined ? {} : { SOURCE_DATE_EPOCH: String(options.sourceDateEpoch) }), ...options.buildArgs };
  const namedContexts = [...normaliseContexts(options.buildContexts).keys()];
  const graph = planStages(dockerfile, { target: options.target, buildArgs, targetPlatform: platform, buildPlatform: hostPlatform(), namedContexts });
  return { graph, platform, buildArgs };
}

export interface TimedParts {
  shared: SharedSession;
  dockerfile: Dockerfile;
  source: SourceText;
  platforms: readonly Platform[];
  /** The time of what a stage fetched, in seconds. */
  stageTime(plan: GraphPlan, index: number): Promise<number | undefined>;
}

/** Settles SOURCE_DATE_EPOCH, or the time that a reproducible build takes for it, in the options of the session; gives what has to be done to each plan. */
export async function settleTimes(parts: TimedParts): Promise<(plan: GraphPlan) => GraphPlan> {
  const { shared, dockerfile, source, platforms } = parts;
  const { options } = shared;
  const asked = options.reproducible || options.buildArgs?.SOURCE_DATE_EPOCH !== undefined || options.sourceDateEpoch !== undefined || dockerfile.globalArgs.some(({ args }) => args.some(({ name }) => name === 'SOURCE_DATE_EPOCH'));
  if (!asked) return (plan) => plan;
  const { settleEpoch, setEpoch, timeOfContext } = await import('./epoch.ts');
  const platform = platforms[0]!;
  const plan = planFor(options, dockerfile, platform);
  const { namedContexts, globalArgs } = plan.graph;
  let epoch = await settleEpoch(plan.buildArgs, { shared, dockerfile, source, platform, namedContexts, globalArgs, stageTime: (index) => parts.stageTime(plan, index) });
  if (options.reproducible && epoch?.seconds === undefined) epoch = { ...(await timeOfContext(shared)), told: true };
  shared.options = { ...options, sourceDateEpoch: epoch?.seconds };
  const settled = epoch;
  return (of) => (settled ? { ...of, buildArgs: setEpoch(settled, of.buildArgs, of.graph.globalArgs) } : of);
}
