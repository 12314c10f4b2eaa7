/**
 * What the process of a step sees besides files: environment, user, directory, network, limits. It is remembered for each step
 * of the history, so that a shell can be opened there. The values of secrets are not in it: such variables are only named.
 */
import { isSensitiveName } from '../../dockerfile/checks/secrets-used-in-arg-or-env.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { ProcessLimits } from '../../runtime/executor.ts';
import { needlesOf } from '../guard/needles-of.ts';
import type { StackLayer } from '../layer-stack.ts';
import type { BuildOptions } from '../options.ts';
import { shellOf } from '../plan/command.ts';
import { processDirectory } from '../plan/paths.ts';
import { splitVariable, variablesOf } from '../plan/variables.ts';
import { workdirOf } from '../plan/windows-paths.ts';
import type { RunMountPlan, RunPlan, StageState, StepPlan } from '../step-plan.ts';
import type { BindContent } from '../steps/run-mounts.ts';

export interface Sight {
  /** `NAME=value` */
  env: string[];
  /** Names of variables whose values are not kept. */
  left: string[];
  user: string;
  cwd: string;
  /** Of shell-form commands: `['/bin/sh', '-c']`. */
  shell: string[];
  hostname: string;
  network: 'host' | 'none';
  hosts: [address: string, name: string][];
  ulimits: { name: string; soft: number; hard: number }[];
  limits: ProcessLimits;
  cgroupParent?: string;
  insecure?: boolean;
  platform: string;
}

/** A mount as planned; one that shows files says which. */
export type SightMount = RunMountPlan & { content?: BindContent };

/** All that opens a step again. */
export interface OpenStep {
  sight: Sight;
  mounts: SightMount[];
  script?: RunPlan['script'];
  /** Below what the step itself wrote, bottom first. */
  below: StackLayer[];
}

/** The settings of the build that steps see. */
export type SightOptions = Pick<BuildOptions, 'network' | 'addHosts' | 'ulimits' | 'limits' | 'shmSize' | 'cgroupParent'>;

/** `mask` takes the values of the build's secrets out of a text. */
export function sightOf(state: StageState, plan: StepPlan, options: SightOptions, mask: (text: string) => string): Sight {
  const run = plan.kind === 'run' ? plan : undefined;
  const all = run ? new Map([...run.env, ...run.proxyEnv].map(splitVariable)) : variablesOf(state);
  const env: string[] = [];
  const left: string[] = [];
  for (const [name, value] of all) {
    if (isSecret(name, value) || mask(value) !== value) left.push(name);
    else env.push(`${name}=${value}`);
  }
  const sight: Sight = {
    env,
    left,
    user: run?.user ?? state.config.User ?? '',
    cwd: run?.cwd ?? processDirectory(workdirOf(state)),
    shell: shellOf(state),
    hostname: run?.hostname ?? 'buildkitsandbox',
    network: run?.network === 'none' || (run?.network !== 'host' && options.network === 'none') ? 'none' : 'host',
    hosts: (options.addHosts ?? []).map(([name, address]) => [address, name.toLowerCase()]),
    ulimits: options.ulimits ?? [],
    limits: { ...options.limits, ...(options.shmSize === undefined ? {} : { shm: options.shmSize }) },
    platform: formatPlatform(state.platform),
  };
  if (options.cgroupParent !== undefined) sight.cgroupParent = options.cgroupParent;
  if (run?.security === 'insecure') sight.insecure = true;
  return sight;
}

/** A name that sounds so with a value that may be one, and addresses with a password in them. */
function isSecret(name: string, value: string): boolean {
  return (isSensitiveName(name) && needlesOf(Buffer.from(value)).length > 0) || /^[a-z][a-z\d+.-]*:\/\/[^/@\s]*:[^/@\s]*@/i.test(value);
}

/** The layers whose files the mounts show. */
export function layersOfMounts(mounts: readonly SightMount[]): Digest[] {
  return mounts.flatMap(({ content }) => content?.layers.map(({ diffId }) => diffId) ?? []);
}

/** Whether a document of the store may be one. */
export function isOpenStep(value: unknown): value is OpenStep {
  const step = value as Partial<OpenStep> | undefined;
  return typeof step === 'object' && Array.isArray(step.mounts) && Array.isArray(step.below) && Array.isArray(step.sight?.env) && Array.isArray(step.sight.shell);
}
