/** What a build, pull, push or run tells while it works: plain data, one stream, read by every front end. */

/** A step of a build as people know it: an instruction at a line of a stage. */
export interface StepRef {
  /** Unique within one build. */
  id: number;
  /** The stage's name, or its index as text when it has none. */
  stage: string;
  /** 1-based position of the instruction among the instructions of its stage that make a step, FROM included. */
  index: number;
  /** How many there are in the stage. */
  total: number;
  /** The instruction as written, on one line, expanded where the builder expands. */
  text: string;
  /** 1-based line in the Dockerfile; absent for steps that no line asked for. */
  line?: number;
}

export type StepStatus =
  | 'cached' // an earlier result was reused
  | 'executed' // it was carried out and gave a new result
  | 'same' // it was carried out and gave a tree that was known already, so what stands on it stays cached
  | 'config' // it changes only the image's configuration
  | 'failed'
  | 'cancelled';

export type Event =
  | { type: 'step-started'; step: StepRef }
  | { type: 'step-log'; step: StepRef; stream: 'stdout' | 'stderr'; text: string }
  | {
      type: 'step-done';
      step: StepRef;
      status: StepStatus;
      /** Milliseconds. */
      took: number;
      /** Size of the step's layer in bytes (of its uncompressed tar), when it has one. */
      bytes?: number;
      /** diff ID of the step's layer, when it has one. */
      diffId?: string;
      /** Why it was not reused, in one line: `src/app.js changed`. Absent for a step that this project never had. */
      reason?: string;
      /** What went wrong. */
      error?: string;
      /** For a step that was found in a cache outside of the store: which. */
      from?: string;
    }
  | {
      type: 'transfer';
      direction: 'pull' | 'push' | 'copy' | 'download' | 'unpack' | 'compress' | 'write';
      /** What is moved, for people: a short digest, a reference or a URL. Unique per transfer within one call. */
      what: string;
      state: 'waiting' | 'moving' | 'done' | 'exists' | 'mounted' | 'failed';
      /** Bytes so far, and in all when that is known. */
      bytes?: number;
      total?: number;
    }
  | { type: 'status'; text: string }
  | {
      type: 'warning';
      text: string;
      /** 1-based line in the Dockerfile. */
      line?: number;
      hint?: string;
      /** Where the rule that found it is explained: a path in this project. */
      page?: string;
    }
  | {
      type: 'build-done';
      /** Image ID (digest of the config) and digest of the manifest. */
      imageId: string;
      digest: string;
      references: string[];
      /** What became of it, in the order that was asked for; `dest` is a path, `pushed` what a registry got. */
      outputs?: { type: string; dest?: string; pushed?: { name: string; digest: string }[] }[];
      /** Platforms with commas between them. */
      platform?: string;
      took: number;
      steps: { cached: number; executed: number; same: number };
      /** Of the cached ones those that were found in caches outside of the store: how many in which. */
      imported?: Record<string, number>;
    };
