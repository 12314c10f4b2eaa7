/** What the asking process and its helper say to each other: plain data, one JSON line each (see channel.ts). */
import type { ArchiveRequest, CommitRequest, Committed, PrepareRequest, ProcessSpec, RunResult, UnpackRequest } from './executor.ts';
import type { LayerSummary } from '../layer/entry.ts';

/** Root of the machine, or of a user namespace with subordinate ids. */
export type Rung = 'R0' | 'R1';

/** What the helper is told of itself before anything else. */
export interface Setup {
  rung: Rung;
  /** The namespaces to make include a user namespace with the user's subordinate ids. */
  nested: boolean;
  /** The process is root of a user namespace, not of the machine: overlayfs must keep its marks in `user.*` attributes. */
  userns: boolean;
  /** A folder of the store in which attempts may be made. */
  folder: string;
  /** The only runtime to try: `crun` or `runc`. */
  runtime?: string;
  /** What an earlier helper found out; found out now when absent. */
  abilities?: Abilities;
}

/** What was found out by trying. */
export interface Abilities {
  /** Options of overlay mounts that this kernel takes, best first. */
  overlay: string[];
  runtime?: RuntimeChoice;
  /** The one for containers with limits, when the first cannot make cgroups here. */
  limits?: RuntimeChoice;
  rejected: { name: string; why: string }[];
}

export interface RuntimeChoice {
  name: 'crun' | 'runc';
  /** Absolute. */
  path: string;
  version: string;
  /** It runs only where /sys/fs/cgroup is cgroup v2: the helper mounts that for itself. */
  cgroup2: boolean;
}

export type ProcessIoKind = { type: 'stream' } | { type: 'inherit'; tty: boolean; stdin: boolean };

/** Calls by name: what goes in and what comes out. */
export interface Calls {
  setup: [Setup, Abilities];
  unpack: [UnpackRequest, LayerSummary];
  prepare: [PrepareRequest, { id: string; rootfs: string }];
  run: [{ id: string; spec: ProcessSpec; io: ProcessIoKind }, RunResult];
  kill: [{ id: string; signal: string | number }, void];
  resize: [{ id: string }, void];
  commit: [{ id: string } & CommitRequest, Committed];
  remove: [{ id: string; keepUpper?: boolean }, void];
  archive: [ArchiveRequest, LayerSummary];
  removeTrees: [{ paths: string[] }, void];
  move: [{ from: string; to: string; fresh?: boolean }, void];
  measure: [{ path: string }, number];
}

export type Request = { [Name in keyof Calls]: { call: number; name: Name; params: Calls[Name][0] } }[keyof Calls];

export type ToHelper = Request | { cancel: number };

export type FromHelper =
  | { ready: true }
  | { reply: number; result: unknown }
  | { reply: number; error: PlainError }
  /** The payload that follows belongs to the process of a run call. */
  | { output: number; stream: 'stdout' | 'stderr' }
  | { warning: string };

export interface PlainError {
  message: string;
  code: string;
  hint?: string;
}
