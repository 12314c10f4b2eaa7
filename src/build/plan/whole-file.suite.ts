/** For tests: a Dockerfile planned from its text, stage by stage, with the configs of base images given. */
import { parseDockerfile } from '../../dockerfile/parse.ts';
import type { ContainerConfig, History } from '../../oci/image-config.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Advance, CopyPlan, RunPlan, StageState, StepPlan } from '../step-plan.ts';
import { advance } from './advance.ts';
import { proxyArgs } from './global-args.ts';
import { planStages, type PlanOptions, type StageGraph } from './graph.ts';
import type { Scope } from './scope.ts';
import { sourcesOf } from './sources.ts';
import { onBuildTexts, onBuildTriggers, startStage, type StageBase } from './stage-state.ts';

export const amd64: Platform = { os: 'linux', architecture: 'amd64' };

export interface Planned {
  graph: StageGraph;
  /** Of the target's stages together, bottom first. */
  history: History[];
  advances: Advance[];
  steps: StepPlan[];
  state: StageState;
  warnings: string[];
}

export interface PlanFileOptions extends Partial<PlanOptions> {
  /** Configs of base images, by the reference that FROM gives. */
  images?: Record<string, ContainerConfig>;
  scope?: Partial<Scope>;
}

export function planFile(text: string, options: PlanFileOptions = {}): Planned {
  const dockerfile = parseDockerfile(text);
  const graph = planStages(dockerfile, { targetPlatform: amd64, buildPlatform: amd64, ...options });
  const source = { name: dockerfile.name, text };
  const done = new Map<number, { state: StageState; advances: Advance[] }>();
  const warnings = graph.warnings.map(({ rule, text: told }) => `${rule}: ${told}`);
  for (const index of graph.order) {
    const stage = graph.stages[index]!;
    const parent = stage.from.type === 'stage' ? done.get(stage.from.index)! : undefined;
    const base: StageBase = parent
      ? { type: 'stage', state: parent.state }
      : stage.from.type === 'image'
        ? { type: 'image', config: options.images?.[stage.from.reference] ?? {} }
        : { type: 'scratch' };
    const scope: Scope = {
      source,
      buildArgs: options.buildArgs ?? {},
      globalArgs: graph.globalArgs,
      escape: dockerfile.escape,
      proxy: proxyArgs(options.buildArgs ?? {}),
      network: 'default',
      sourceOf: sourcesOf(graph, index),
      ...options.scope,
    };
    let state = startStage(base, stage.platform ?? options.targetPlatform ?? amd64);
    const advances = [...(parent?.advances ?? [])];
    for (const instruction of [...onBuildTriggers(onBuildTexts(base), stage.lines, source), ...stage.instructions]) {
      const next = advance(frozen(state), instruction, scope); // values are never changed in place
      warnings.push(...next.warnings.map(({ rule, text: told }) => `${rule}: ${told}`));
      advances.push(next);
      state = next.state;
    }
    done.set(index, { state, advances });
  }
  const { state, advances } = done.get(graph.target)!;
  return {
    graph,
    state,
    advances,
    warnings,
    history: advances.flatMap(({ history }) => history ?? []),
    steps: advances.flatMap(({ step }) => step ?? []),
  };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) for (const member of Object.values(Object.freeze(value))) frozen(member);
  return value;
}

/** `created_by` of every entry. */
export function historyLines(text: string, options?: PlanFileOptions): string[] {
  return planFile(text, options).history.map(({ created_by }) => created_by ?? '');
}

export function runSteps(text: string, options?: PlanFileOptions): RunPlan[] {
  return planFile(text, options).steps.filter((step): step is RunPlan => step.kind === 'run');
}

export function copySteps(text: string, options?: PlanFileOptions): CopyPlan[] {
  return planFile(text, options).steps.filter((step): step is CopyPlan => step.kind === 'copy' || step.kind === 'add');
}
