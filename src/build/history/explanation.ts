/** What `siru explain` tells of a build: plain data. */
import type { BuildEntry, StepChange } from '../../store/store.ts';

export interface Explanation {
  build: Pick<BuildEntry, 'id' | 'started' | 'took' | 'project' | 'directory' | 'dockerfile' | 'target' | 'references' | 'outcome'>;
  /** Why steps were executed, what cost most first. Empty when every step was found in the cache. */
  causes: Cause[];
  steps: ExplainedStep[];
}

export type CauseKind =
  | 'files' // files that the step reads
  | 'instruction' // its text, or a flag
  | 'argument' // a build argument
  | 'environment'
  | 'mount' // a mount or what is in it
  | 'base' // the base image
  | 'new' // it was never built here
  | 'evicted' // it was, and its result was removed
  | 'no-cache' // the cache was not to be used
  | 'other'; // user, working directory, network, ...

export interface Cause {
  kind: CauseKind;
  /** In one line: `src/app.js changed`, `8 files changed: src/app.js, ...`. */
  text: string;
  /** Number of the step where it came in. */
  step: number;
  /** Every part that changed; of files each file. */
  changes: StepChange[];
  /** Changes that are counted and not listed: what they were compared with is gone, or fewer were asked for. */
  unlisted?: number;
  /** What the changes have in common: a umask. */
  note?: string;
  /** What was executed for it, the step itself included, and what that took and made. */
  cost: { steps: number[]; took: number; bytes: number };
  advice: Advice[];
}

/** A change of the Dockerfile that would have prevented executions. */
export interface Advice {
  text: string;
  /** Line of the instruction to move. */
  line?: number;
  /** Milliseconds that it would have saved in the last `builds` builds. */
  saves: number;
  builds: number;
}

export interface ExplainedStep {
  number: number;
  stage: string;
  index: number;
  total: number;
  line?: number;
  text: string;
  status: string;
  hit: boolean;
  took: number;
  /** Milliseconds of execution alone. */
  ran?: number;
  bytes?: number;
  key?: string;
  diffId?: string;
  base?: { name: string; digest: string };
  error?: string;
  /** In one line. */
  why?: string;
  /** What changed of its own key, what only follows from other steps included. */
  changes: StepChange[];
  /** Indexes in `causes`. */
  causes: number[];
  /** For a hit: when its result was made, in milliseconds since 1970, and how long that took. */
  made?: { at: number; took: number };
  /** For a hit outside of the store: the cache that had it. */
  from?: string;
}
