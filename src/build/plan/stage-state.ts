/** The state in which a stage begins, from what its FROM names. Pure. */
import { parseTrigger } from '../../dockerfile/parse-instruction.ts';
import type { Instruction, Lines } from '../../dockerfile/instruction.ts';
import type { ContainerConfig } from '../../oci/image-config.ts';
import type { Platform } from '../../oci/platform.ts';
import type { StageState } from '../step-plan.ts';
import { messageOf } from '../../base/errors.ts';
import { placed } from './placed.ts';
import { DockerfileError, fault, type SourceText } from '../../dockerfile/errors.ts';
import { nextWorkdir } from './paths.ts';
import { splitVariable } from './variables.ts';
import { configured, slashed } from './windows-paths.ts';

/** PATH of an image that sets none. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type StageBase =
  | { type: 'scratch' }
  /** `config` and `author` of its image config. */
  | { type: 'image'; config: ContainerConfig; author?: string }
  /** The state in which that stage ended. */
  | { type: 'stage'; state: StageState };

/** A stage FROM another stage takes over that stage's platform; `platform` counts for the others. */
export function startStage(base: StageBase, platform: Platform): StageState {
  switch (base.type) {
    case 'scratch':
      return { platform, config: withPath({ WorkingDir: configured('/', platform.os) }, platform), args: [], cmdSet: false, workdirSet: false };
    case 'image': {
      const state: StageState = { platform, config: inherited(base.config, platform), args: [], cmdSet: false, workdirSet: false };
      if (base.author) state.author = base.author;
      return state;
    }
    case 'stage': {
      const { state } = base;
      const config = inherited(state.config, state.platform);
      const environment = new Set((config.Env ?? []).map((variable) => splitVariable(variable)[0]));
      // The image's environment is applied anew at every FROM, so arguments do not override it any longer.
      const args = state.args.map((arg) => ({ ...arg, overridesEnv: arg.overridesEnv && !environment.has(arg.name) }));
      return { ...state, config, args, cmdSet: false };
    }
  }
}

/** What the base leaves for its children to do (ONBUILD), as written. */
export function onBuildTexts(base: StageBase): string[] {
  if (base.type === 'scratch') return [];
  return (base.type === 'stage' ? base.state.config : base.config).OnBuild ?? [];
}

/** Most triggers that a base may leave. */
export const maxTriggers = 1000;

/**
 * ONBUILD expressions as instructions that stand at the lines of the FROM that fires them. They were written elsewhere, so
 * the escape character of this Dockerfile does not count. Throws DOCKERFILE.
 */
export function onBuildTriggers(texts: readonly string[], lines: Lines, source: SourceText): Instruction[] {
  if (texts.length > maxTriggers) placed(source, lines, () => {
    throw fault(`the base leaves ${texts.length} ONBUILD triggers; it may leave ${maxTriggers}`);
  });
  return texts.map((text) => {
    const instruction = placed(source, lines, () => triggerOf(text));
    return { ...instruction, lines };
  });
}

function triggerOf(text: string): Instruction {
  try {
    return parseTrigger(text, 'ONBUILD');
  } catch (error) {
    throw fault(`ONBUILD ${JSON.stringify(text)} of the base: ${error instanceof DockerfileError ? error.reason : messageOf(error)}`);
  }
}

/** The members that Siru knows, but for the triggers. */
function inherited(base: ContainerConfig, platform: Platform): ContainerConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, ArgsEscaped, Healthcheck, Shell } = base;
  const known = { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, ArgsEscaped, Healthcheck, Shell };
  const config: ContainerConfig = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined && value !== null));
  if (config.WorkingDir) config.WorkingDir = configured(nextWorkdir('', slashed(config.WorkingDir, platform.os)), platform.os);
  return withPath(config, platform);
}

function withPath(config: ContainerConfig, platform: Platform): ContainerConfig {
  const environment = config.Env ?? [];
  if (platform.os === 'windows' || environment.some((variable) => splitVariable(variable)[0] === 'PATH')) return config;
  return { ...config, Env: [...environment, `PATH=${defaultPath}`] };
}
