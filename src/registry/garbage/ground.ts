/** What the phases of a collection share. */
import type { Digest } from '../../oci/digest.ts';
import type { Core } from '../files/core.ts';
import type { GarbagePolicy } from './policy.ts';

export interface Removal {
  what: 'manifest' | 'blob' | 'repository blob' | 'upload' | 'repository' | 'temporary file';
  repository?: string;
  digest?: Digest;
  /** Of an upload or a file. */
  name?: string;
  /** That the disk has more of when it is gone. */
  bytes: number;
  why: string;
}

export interface Ground {
  core: Core;
  policy: GarbagePolicy;
  /** The time for all decisions: that of the begin and what passed since, whatever the clock does meanwhile. */
  now: () => number;
  /** False when it is only told what would go: files stay. */
  real: boolean;
  removed: (removal: Removal) => void;
}

/**
 * A part of the work. `look` finds what may go, without a lock and at most for a few milliseconds; `takes`, in
 * short transactions, decide and do it.
 */
export interface Phase {
  name: string;
  look(ground: Ground, place: string): Promise<Look> | Look;
}

export interface Look {
  /** Where the next step begins; undefined at the end of the phase. */
  next: string | undefined;
  /** Each in a transaction, several in one as long as it is short. */
  takes?: (() => void)[];
  /** After the last transaction. */
  after?: () => Promise<void>;
}

/** Rows that a step looks at. */
export const windowSize = 200;

/** Times that are later than now are of a clock that was wrong; some difference between servers is none. */
const skew = 3_600_000;

export function isFromFuture(ground: Ground, time: number): boolean {
  return time > ground.now() + skew;
}

/** True when the time of a last touch is so long ago. */
export function isOlder({ now, core }: Ground, touched: number, age: number): boolean {
  return touched < now() - age - core.touchInterval;
}

/** A place of two columns, and back. */
export function pairPlace(repository: number, text: string): string {
  return `${repository} ${text}`;
}

export function readPair(place: string): [repository: number, text: string] {
  const space = place.indexOf(' ');
  return place === '' ? [0, ''] : [Number(place.slice(0, space)), place.slice(space + 1)];
}

export function repositoryName({ core: { db } }: Ground, id: number): string {
  return db.get<{ name: string }>('SELECT name FROM repositories WHERE id = ?', id)?.name ?? '';
}
