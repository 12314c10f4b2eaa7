/**
 * What an instruction asks for once every variable is known: plain data between the plan (pure) and the steps (effects).
 * Instructions that only change the configuration make none.
 */
import type { ContainerConfig, History } from '../oci/image-config.ts';
import type { Platform } from '../oci/platform.ts';
import type { Lines } from '../dockerfile/instruction.ts';

/** Where a COPY or a bind mount takes its files from. */
export type SourceRef =
  | { type: 'context' } // the main build context
  | { type: 'stage'; index: number }
  | { type: 'named-context'; name: string }
  | { type: 'image'; reference: string };

export interface RunPlan {
  kind: 'run';
  /** The argument vector as executed: the shell's, or the exec form. */
  args: string[];
  /** `NAME=value` as the process sees it: image environment, then arguments in scope; PATH always. */
  env: string[];
  /** Names in `env` whose value comes from a build argument (ARG), not from the image. */
  argumentNames: string[];
  /** `NAME=value` of proxies that no ARG needs to declare: they win over `env`, and are in neither the key nor the history. */
  proxyEnv: string[];
  user: string;
  cwd: string;
  mounts: RunMountPlan[];
  network: 'default' | 'none' | 'host';
  security: 'sandbox' | 'insecure';
  hostname: string;
  /** A heredoc that begins with `#!`: a file to place read-only at `/dev/pipes/<name>`, mode 0755. */
  script?: { name: string; content: string };
}

export type RunMountPlan =
  | { type: 'bind'; from: SourceRef; source: string; target: string; readonly: boolean }
  | {
      type: 'cache';
      id: string;
      target: string;
      from?: SourceRef;
      source: string;
      sharing: 'shared' | 'private' | 'locked';
      mode: number;
      uid: number;
      gid: number;
      readonly: boolean;
    }
  | { type: 'tmpfs'; target: string; size?: number }
  | { type: 'secret'; id: string; target?: string; env?: string; required: boolean; mode: number; uid: number; gid: number }
  | { type: 'ssh'; id: string; target: string; required: boolean; mode: number; uid: number; gid: number };

export interface CopyPlan {
  kind: 'copy' | 'add';
  from: SourceRef;
  /** Expanded, as written otherwise (wildcards stand; for ADD also URLs and git sources). */
  sources: string[];
  /** Inline files: heredocs with their body expanded. */
  inline: { name: string; content: string }[];
  /** Absolute path in the image; a trailing slash is kept, it means a directory. */
  destination: string;
  chown?: string;
  chmod?: string;
  link: boolean;
  parents: boolean;
  exclude: string[];
  checksum?: string;
  unpack?: boolean;
  keepGitDir: boolean;
}

export interface WorkdirPlan {
  kind: 'workdir';
  /** Absolute. */
  path: string;
  /** Who owns directories that are made: the current USER. */
  user: string;
}

export type StepPlan = RunPlan | CopyPlan | WorkdirPlan;

/** All that instructions change as a stage goes on. Values are never changed in place: each instruction gives a new one. */
export interface StageState {
  platform: Platform;
  /** Of the image: what `config` becomes. */
  config: ContainerConfig;
  author?: string;
  /**
   * Arguments in scope, in order of declaration; those that nobody gave a value have none. One that was declared with a
   * value after an ENV of its name overrides it for RUN and expansion until a later ENV.
   */
  args: StageArgument[];
  /** CMD was set in this stage: a later ENTRYPOINT keeps it. */
  cmdSet: boolean;
  /** WORKDIR was set in this Dockerfile, so that a relative one no longer depends on the base image. */
  workdirSet: boolean;
  /** What the plan cost so far; see plan/work.ts. */
  work?: number;
}

export interface StageArgument {
  name: string;
  value?: string;
  overridesEnv: boolean;
}

/** What one instruction does to a stage. */
export interface Advance {
  state: StageState;
  /** The layer that has to be made, if any. */
  step?: StepPlan;
  /** The history entry; `created` is filled in later. ONBUILD and FROM give none. */
  history?: History;
  /** For progress: the instruction with its variables expanded where the builder expands. */
  text: string;
  lines: Lines;
  warnings: { rule: string; text: string; line: number }[];
}
