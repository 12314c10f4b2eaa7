/** What check, outline and targets read before they plan: the Dockerfile of the context. */
import { contextOf } from '../../base/context.ts';
import type { Dockerfile } from '../../dockerfile/instruction.ts';
import { hostPlatform, type Platform } from '../../oci/platform.ts';
import { refuseOtherFrontend } from '../frontend.ts';
import { normaliseContexts } from '../plan/context-name.ts';
import { planStages, type GraphWarning, type StageGraph } from '../plan/graph.ts';
import type { DockerfileSource } from '../read-dockerfile.ts';
import { createRecorder } from '../history/recorder.ts';
import { createSharedSession } from '../shared-session.ts';
import type { BuildOptions } from '../options.ts';

/** Throws what opening a context throws, and DOCKERFILE for a file in another language. */
export async function readMain(options: BuildOptions): Promise<DockerfileSource> {
  const context = contextOf(options);
  await using shared = createSharedSession(options, context, createRecorder(options.store, { id: 'none', started: Date.now(), project: '' }, context.emit));
  const { dockerfile } = await shared.mainContext();
  refuseOtherFrontend(dockerfile, options.buildArgs);
  return dockerfile;
}

/** The graph that a build with these options has. Throws DOCKERFILE and NOT_FOUND. */
export function graphOf(dockerfile: Dockerfile, options: BuildOptions, platform: Platform, warnings?: GraphWarning[]): StageGraph {
  const { target, buildArgs = {}, buildContexts } = options;
  return planStages(dockerfile, {
    ...(target === undefined ? {} : { target }),
    buildArgs,
    targetPlatform: platform,
    buildPlatform: hostPlatform(),
    namedContexts: [...normaliseContexts(buildContexts).keys()],
    ...(warnings ? { warnings } : {}),
  });
}
