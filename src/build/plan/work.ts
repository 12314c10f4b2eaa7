/** What the planning of a stage may cost in all, so that no Dockerfile can use up time or memory. Pure. */
import { fault } from '../../dockerfile/errors.ts';
import type { ContainerConfig, History } from '../../oci/image-config.ts';
import type { StageState } from '../step-plan.ts';

/**
 * Most work of a stage, the stages that it stands on included. A unit is a character that an expansion gave or that stands
 * in the history; a member of a list or map of the configuration that an instruction replaces counts as 64.
 */
export const maxPlanWork: number = 64 * 1024 * 1024;

const perMember = 64;
const collections = ['Env', 'Labels', 'Volumes', 'ExposedPorts', 'OnBuild'] as const satisfies (keyof ContainerConfig)[];

/** The state with work added. Throws DOCKERFILE when it becomes too much. */
export function withWork(state: StageState, units: number): StageState {
  const work = (state.work ?? 0) + units;
  if (work > maxPlanWork) {
    throw fault(`the stage is too much work to plan: more than ${maxPlanWork} characters of values`, 'Variables grow by each other, or lists of the configuration are made again too often.');
  }
  return { ...state, work };
}

/** What the change from one state to the next cost, but for expansion. */
export function changeWork(before: StageState, after: StageState, history: History | undefined): number {
  let members = before.args === after.args ? 0 : after.args.length;
  for (const name of collections) {
    const value = after.config[name];
    if (value !== before.config[name]) members += Object.keys(value ?? {}).length;
  }
  return members * perMember + (history?.created_by?.length ?? 0);
}
