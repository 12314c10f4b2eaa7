/** What the planning of one instruction gives; advance() adds what is the same for all of them. */
import type { History } from '../../oci/image-config.ts';
import type { ContainerConfig } from '../../oci/image-config.ts';
import type { StageState, StepPlan } from '../step-plan.ts';
import type { Warning } from './expansion.ts';

export interface Change {
  state: StageState;
  step?: StepPlan;
  history?: History;
  warnings?: Warning[];
}

/** The state with some members of the configuration replaced; undefined removes a member. */
export function withConfig(state: StageState, changes: Partial<ContainerConfig>): StageState {
  return { ...state, config: { ...state.config, ...changes } };
}
