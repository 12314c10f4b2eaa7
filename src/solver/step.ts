/**
 * The contract of the solver: a step is known by what it stands on, what it does and what it reads. The solver knows no
 * container, no file and no clock; steps bring their effects along, records come from the store.
 *
 *     const solved = await solveStep(step, solver, context)
 *
 *  1. `step.parts()` names every part of the key. The key is the digest of the parts.
 *  2. A record under the key, in the store or elsewhere: a hit, the step is not executed.
 *  3. Else the key's lock is taken (across processes) and the record looked up again: somebody else may have made it.
 *  4. Else the step is executed. When its tree digest was reached before in the same scope, the recorded layer is kept and
 *     the fresh one dropped (early cut-off): what stands on it keeps its keys.
 *  5. The record is put, and the step's place (slot) remembers its key, so that the next miss can be explained.
 */
import type { Context } from '../base/context.ts';
import type { Digest } from '../oci/digest.ts';
import type { Entry, LayerSummary } from '../layer/entry.ts';
import type { Toc } from '../layer/toc-contract.ts';
import type { KeyPart, Records, StepChange, StepRecord } from '../store/store.ts';

export interface Step {
  /** The instruction, for people. */
  text: string;
  /** Places whose last key the explanation compares with, nearest first. */
  slots: string[];
  /** See StepRecord.scope. Absent: no result of another key stands in for this one's. */
  scope?: string;
  /** Reads what the key needs and names it. Pure but for reading. */
  parts(): Promise<KeyPart[]>;
  /** Carries the step out. The layer is put into the store by the step. */
  execute(context: Context): Promise<Executed>;
  /**
   * Texts of the other steps around: a key that one of them had says nothing about this place, that step was only moved.
   */
  others?: ReadonlySet<string>;
  /** Told of a miss before the step waits for its lock; what it throws ends the solving, and nothing is executed. */
  missed?(miss: Miss): void | Promise<void>;
  /** Called once when the step will not be executed after all: frees what parts() prepared for it. */
  release?(): void;
  /**
   * After parts(), for a solver that only looks: what the layer would hold, in order. Absent when only execution tells;
   * a file without a digest stands for content that is not known.
   */
  preview?(): Promise<Entry[]>;
}

export interface Miss {
  key: Digest;
  /** The key that this place had last. */
  before?: Digest;
  /** Why, the first reason first; never empty. */
  reasons: Reason[];
}

export interface Executed {
  layer: LayerSummary;
  /** RFC 3339; see StepRecord.created. */
  created?: string;
  /** Puts the layer into the store. Called unless an equal result is kept instead. */
  keep(): Promise<void>;
  /** Throws the layer away. */
  drop(): Promise<void>;
}

export interface Solver {
  records: Records;
  lock(name: string, context: Context): Promise<Disposable>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Steps that may execute at once. */
  limit: <T>(task: () => Promise<T>) => Promise<T>;
  /** True when a record must not be used for this step (`--no-cache`). */
  ignoreCache: boolean;
  /** Looks in other places than the store, when there are any. */
  elsewhere?(key: Digest, text: string, context: Context): Promise<Elsewhere | undefined>;
  /** For a step that was never here: what distinguishes it from the one that another place has instead, if one has. */
  unlike?(parts: readonly KeyPart[]): Reason | undefined;
  /** Nothing is executed and nothing is remembered: a miss throws NotExecuted. */
  lookOnly?: Looking;
}

/** A result that somebody else reached. Its layer need not be in the store yet. */
export interface Elsewhere extends Pick<StepRecord, 'layer' | 'created' | 'took' | 'executed'> {
  /** The place, for people. */
  from: string;
}

/** What is found out while nothing may be written. */
export interface Looking {
  /** Listings by digest, as ReadListing gives those of the store. */
  listings: Map<string, () => Toc>;
}

/** A step that a solver which only looks would have executed. */
export class NotExecuted extends Error {
  /** The step's text. */
  readonly text: string;
  constructor(text: string) {
    super(`${text} would be executed`);
    this.text = text;
  }
}

export interface Solved {
  key: Digest;
  status: 'cached' | 'executed' | 'same';
  layer: LayerSummary;
  created?: string;
  /** Milliseconds of execution; 0 for a hit. */
  took: number;
  /** The key that this place had last, when it was another one. */
  before?: Digest;
  /** For a miss: why, the first reason first. */
  reasons: Reason[];
  record: StepRecord;
  /** For a hit outside of the store: where. */
  from?: string;
}

/** One part that changed since the step was last seen in this place; `text` tells it in one line: `src/app.js changed`. */
export type Reason = StepChange;
