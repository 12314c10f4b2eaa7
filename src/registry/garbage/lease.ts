/**
 * One collector at a time for all processes of a root: a row that its owner renews with every step, in the transaction of
 * the step. Whoever lost the row cannot do harm: the transaction of the next step fails before it changes anything. The row
 * also tells where the collector is, so that another goes on where a dead one was.
 */
import { randomUUID } from 'node:crypto';
import type { Database } from '../../store/database.ts';
import { bootId, currentOwner, isAlive } from '../../store/owner.ts';
import type { Owner } from '../../store/owner.ts';

export interface Place {
  phase: number;
  /** Where in the phase: a text of the phase's own, '' at its begin. */
  place: string;
}

export interface Lease {
  /** Where the collection begins, or goes on. */
  start: Place;
  /** When it began; before now when another process began it. */
  begun: number;
  /** In the transaction of a step: notes where the next one begins. Throws LeaseLost. */
  renew(at: Place): void;
  /** The collection is done; or, with `stay`, the next collector goes on from where this one is. */
  release(how?: { stay: boolean }): void;
}

/** Another process took the collection over: it had reason to think that this one is dead. */
export class LeaseLost extends Error {
  constructor() {
    super('another process took the collection over');
    this.name = 'LeaseLost';
  }
}

/** Milliseconds without a sign of life, after which a collector is taken for dead; one of this machine is seen to be dead at once. */
export const leaseTime = 60_000;

interface Row {
  owner: string | null;
  beat: number;
  phase: number;
  place: string;
  begun: number;
}

/** Undefined while another process collects. */
export function takeLease(db: Database, now: () => number): Lease | undefined {
  const self = currentOwner(bootId());
  const owner = JSON.stringify({ ...self, call: randomUUID() });
  const taken = db.transaction(() => {
    const row = db.get<Row>('SELECT owner, beat, phase, place, begun FROM collection')!;
    // A sign of life from the future is that of a clock which was wrong.
    if (row.owner !== null && Math.abs(now() - row.beat) < leaseTime && isAlive(JSON.parse(row.owner) as Owner, self) !== false) return undefined;
    const begun = row.phase > 0 || row.place !== '' ? row.begun : now();
    db.run('UPDATE collection SET owner = ?, beat = ?, begun = ?', owner, now(), begun);
    return { phase: row.phase, place: row.place, begun };
  });
  if (taken === undefined) return undefined;
  const { begun, ...start } = taken;
  return {
    start,
    begun,
    renew({ phase, place }) {
      if (db.run('UPDATE collection SET beat = ?, phase = ?, place = ? WHERE owner = ?', now(), phase, place, owner) === 0) throw new LeaseLost();
    },
    release({ stay } = { stay: false }) {
      if (stay) db.run('UPDATE collection SET owner = NULL WHERE owner = ?', owner);
      else db.run(`UPDATE collection SET owner = NULL, phase = 0, place = '', ended = ? WHERE owner = ?`, now(), owner);
    },
  };
}

/** When the last collection ended; 0 when there was none. */
export function lastCollection(db: Database): number {
  return db.get<{ ended: number }>('SELECT ended FROM collection')!.ended;
}

/** The clock was seen to step: nothing is old enough for the grace time from now on. */
export function noteStep(db: Database, now: number): void {
  db.run('UPDATE collection SET stepped = ?', now);
}

export function lastStep(db: Database): number {
  return db.get<{ stepped: number }>('SELECT stepped FROM collection')!.stepped;
}
