/** What the stages of one platform share: the build's own session, the Dockerfile, and the graph of stages. */
import type { StepRef } from '../base/events.ts';
import type { SourceText } from '../dockerfile/errors.ts';
import type { Dockerfile } from '../dockerfile/instruction.ts';
import type { Platform } from '../oci/platform.ts';
import type { StageGraph } from './plan/graph.ts';
import type { SharedSession } from './shared-session.ts';
import type { StageResult } from './stage.ts';

/** What is known once the Dockerfile is planned for a platform. */
export interface PlatformPlan {
  dockerfile: Dockerfile;
  /** Name and text of the Dockerfile, for excerpts. */
  source: SourceText;
  graph: StageGraph;
  platform: Platform;
  /** Goes before the names of stages when the build is for several platforms: `linux/arm64`. */
  label?: string;
  /** `--build-arg` with SOURCE_DATE_EPOCH. */
  buildArgs: Record<string, string>;
  /** It is for the times of what its stages fetch: see FileStepDeps.timed. */
  timed?: true;
  /** Tells the user of a warning, each once. */
  warn: (warning: { rule: string; text: string; line?: number }) => void;
  /** Names the project in the slots of its steps: context, Dockerfile, and platform when there are several. */
  project: string;
}

export interface Session extends Omit<SharedSession, typeof Symbol.asyncDispose>, PlatformPlan {
  /** The result of a stage, solved at the first call. */
  stage(index: number): Promise<StageResult>;
}

/** @param onFailure Called with the error of each stage that fails, whether or not anybody waits for it yet. */
export function createSession(
  shared: SharedSession,
  plan: PlatformPlan,
  solveStage: (session: Session, index: number) => Promise<StageResult>,
  onFailure: (error: unknown) => void,
): Session {
  const stages = new Map<number, Promise<StageResult>>();
  const session: Session = {
    ...shared,
    ...plan,
    stage(index) {
      let solving = stages.get(index);
      if (!solving) {
        solving = solveStage(session, index);
        solving.catch(onFailure);
        shared.track(solving);
        stages.set(index, solving);
      }
      return solving;
    },
  };
  return session;
}

/** The name of a stage, with the platform before it when the build is for several. */
export function shownStage({ label }: Pick<Session, 'label'>, stage: string): string {
  return label === undefined ? stage : `${label} ${stage}`;
}

/** A step as events name it. */
export function stepRef(session: Session, stage: string, index: number, total: number, text: string, line?: number): StepRef {
  const ref: StepRef = { id: session.nextStepId(), stage: shownStage(session, stage), index, total, text: session.guard.mask(text) };
  if (line !== undefined) ref.line = line;
  return ref;
}
