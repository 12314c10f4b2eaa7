/**
 * The typed tree of a Dockerfile: what parseDockerfile() gives. Nothing is expanded yet; words are as written with their
 * quotes, and each instruction knows its lines. Plain data.
 */

/** 1-based, inclusive. */
export interface Lines {
  start: number;
  end: number;
}

export interface Heredoc {
  name: string;
  /** As written; see bodyOf(). */
  content: string;
  /** False when any part of the word was quoted: the builder leaves the body alone. */
  expand: boolean;
  /** True for `<<-`: leading tabs do not count. */
  chomp: boolean;
  fd: number;
}

/** Shell form: one command line with its heredocs, or exec form: the words of a JSON array. */
export type CommandLine =
  | { form: 'exec'; args: string[] }
  | { form: 'shell'; text: string; heredocs: Heredoc[] };

interface Common {
  lines: Lines;
  /** As written, continuations joined by one space, without comments; heredoc bodies left out. */
  source: string;
  /** The comment block directly above, without `#`. */
  comments: string[];
}

export interface KeyValue {
  key: string;
  value: string;
  /** True for the old form `ENV key the rest`. */
  legacy?: boolean;
}

export interface RunMountOption {
  /** As written, unexpanded: `target`, `/root/.npm`. A key without `=` has no value. */
  key: string;
  value?: string;
}

export type Instruction = Common &
  (
    | { kind: 'from'; image: string; name?: string; platform?: string }
    | { kind: 'arg'; args: { name: string; value?: string; doc?: string }[] }
    | { kind: 'env'; pairs: KeyValue[] }
    | { kind: 'label'; pairs: KeyValue[] }
    | { kind: 'maintainer'; author: string }
    | {
        kind: 'run';
        command: CommandLine;
        mounts: RunMountOption[][];
        network?: string;
        security?: string;
        devices: string[];
      }
    | ({ kind: 'copy'; from?: string; parents: boolean } & CopyCommon)
    | ({ kind: 'add'; keepGitDir?: boolean; checksum?: string; unpack?: boolean } & CopyCommon)
    | { kind: 'workdir'; path: string }
    | { kind: 'user'; user: string }
    | { kind: 'expose'; ports: string[] }
    | { kind: 'volume'; volumes: string[] }
    | { kind: 'entrypoint'; command: CommandLine }
    | { kind: 'cmd'; command: CommandLine }
    | { kind: 'shell'; args: string[] }
    | {
        kind: 'healthcheck';
        /** undefined for NONE. */
        command?: CommandLine;
        /** Nanoseconds. */
        interval?: number;
        timeout?: number;
        startPeriod?: number;
        startInterval?: number;
        retries?: number;
      }
    | { kind: 'stopsignal'; signal: string }
    | {
        kind: 'onbuild';
        /** As written. */
        expression: string;
        /** What it says; absent where that is wrong, which only counts when it is fired. */
        instruction?: Instruction;
      }
  );

interface CopyCommon {
  /** Source words as written; heredoc sources are in `heredocs` instead. */
  sources: string[];
  heredocs: Heredoc[];
  destination: string;
  chown?: string;
  chmod?: string;
  link: boolean;
  exclude: string[];
}

export type InstructionOf<K extends Instruction['kind']> = Extract<Instruction, { kind: K }>;

export interface DockerfileStage {
  from: InstructionOf<'from'>;
  /** Lower-cased name after AS. */
  name?: string;
  /** Position, from 0. */
  index: number;
  instructions: Instruction[];
}

export interface Dockerfile {
  /** How errors call the file: `Dockerfile`, or a path. */
  name: string;
  /** Before the first FROM. */
  globalArgs: InstructionOf<'arg'>[];
  stages: DockerfileStage[];
  escape: '\\' | '`';
  directives: { name: string; value: string; line: number }[];
  /** Found while parsing: empty continuation lines, odd casing and the like. */
  warnings: { rule: string; text: string; line: number }[];
  /** The text, for excerpts in errors. */
  text: string;
}
