/**
 * Leases: what a handle wrote or was told exists is not collected until the handle is closed or its process ends.
 *
 * Telling must be cheap and collecting must be safe, so a lease is written in two parts. Before a handle asks the database
 * for the first time it marks its lease dirty, in a small transaction; what it is then told it keeps in memory. A moment
 * later, or when it is closed, the list is written and the mark taken away. A collection decides in a transaction too: it
 * sees either the list, or the mark, and then waits until the mark is gone. While one waits, lists are written at once, so
 * that many busy handles cannot keep it waiting.
 *
 *     leases.open()                     // marks, unless it is marked; outside of any transaction
 *     if (exists(digest)) leases.hold('blob', digest)
 */
import type { Database } from './database.ts';
import { isAlive } from './owner.ts';
import type { Owner } from './owner.ts';

/** A failed step is held while somebody looks into it. */
const kinds = ['blob', 'layer', 'record', 'cache-mount', 'failed'] as const;
export type LeaseKind = (typeof kinds)[number];

export interface Leases {
  /** To be called before the question whose answer is to be held. */
  open(): void;
  hold(kind: LeaseKind, name: string): void;
  /** Writes what is only in memory. */
  flush(): void;
  close(): void;
}

/** How long after the mark the list is written. */
const flushAfter = 200;
/** A process that cannot be looked at (another pid namespace) lives this long after its last renewal. */
const lifetime = 10 * 60_000;
const renewEvery = 60_000;
/** A collection that has said so longer ago than this is not waiting any more: it was killed. */
const collectionLifetime = 60_000;
/** Times of last use are written when they are older than this, so that a build in which nothing changed writes little. */
const usedGrain = 10 * 60_000;

export function createLeases(db: Database, owner: Owner): Leases {
  if (db.readonly) return { open() {}, hold() {}, flush() {}, close() {} };
  let id: number | undefined;
  let dirty = false;
  let closed = false;
  let flushing: NodeJS.Timeout | undefined;
  let renewing: NodeJS.Timeout | undefined;
  const held = nothing();
  let pending: [LeaseKind, string][] = [];

  const insertLease = (): number => {
    const row = db.get<{ id: number }>(
      'INSERT INTO leases (home, pid, start, expires, dirty) VALUES (?, ?, ?, ?, 1) RETURNING id',
      owner.home, owner.pid, owner.start, Date.now() + lifetime,
    );
    return row!.id;
  };
  const writeItems = (items: Iterable<[LeaseKind, string]>): void => {
    for (const [kind, name] of items) {
      db.run('INSERT OR IGNORE INTO leased (lease, kind, name) VALUES (?, ?, ?)', id!, kind, name);
    }
  };
  const touch = (): void => {
    const now = Date.now();
    for (const [kind, name] of pending) {
      if (kind === 'layer') db.run('UPDATE layers SET used = ? WHERE diff_id = ? AND used < ?', now, name, now - usedGrain);
      if (kind === 'record') db.run('UPDATE records SET used = ? WHERE key = ? AND used < ?', now, name, now - usedGrain);
    }
  };
  const mark = (): void => {
    dirty = true;
    clearInterval(flushing);
    flushing = setInterval(() => quietly(flush), flushAfter).unref();
  };
  const collectionWaits = (): boolean => {
    const row = db.get<{ since: number }>('SELECT since FROM collecting');
    return row !== undefined && row.since > Date.now() - collectionLifetime;
  };
  const renew = (): void => {
    if (db.run('UPDATE leases SET expires = ? WHERE id = ?', Date.now() + lifetime, id!) === 1) return;
    // Taken for dead, after a long sleep of the machine perhaps: what is still there is held again.
    db.transaction(() => {
      id = insertLease();
      for (const kind of kinds) writeItems([...held[kind]].map((name) => [kind, name]));
    });
    mark();
  };
  /** For timers: a full disk now is no reason to end the process; the mark stays and the next turn tries again. */
  const quietly = (work: () => void): void => {
    try {
      if (!closed) work();
    } catch {}
  };
  const flush = (): void => {
    if (!dirty || db.inTransaction) return;
    db.transaction(() => {
      writeItems(pending);
      touch();
      db.run('UPDATE leases SET dirty = 0 WHERE id = ?', id!);
    });
    dirty = false;
    pending = [];
    clearInterval(flushing);
  };

  return {
    open() {
      if (dirty) return;
      if (id === undefined) {
        id = insertLease();
        renewing = setInterval(() => quietly(renew), renewEvery).unref();
      } else if (db.run('UPDATE leases SET dirty = 1 WHERE id = ?', id) === 0) {
        renew();
      }
      mark();
      if (collectionWaits()) queueMicrotask(() => quietly(flush));
    },
    hold(kind, name) {
      if (held[kind].has(name)) return;
      held[kind].add(name);
      pending.push([kind, name]);
    },
    flush,
    close() {
      if (closed) return;
      closed = true;
      clearInterval(flushing);
      clearInterval(renewing);
      if (id === undefined) return;
      db.transaction(() => {
        touch();
        db.run('DELETE FROM leased WHERE lease = ?', id!);
        db.run('DELETE FROM leases WHERE id = ?', id!);
      });
    },
  };
}

/** Asks all handles to write their lists at once, or takes that back. */
export function askForLists(db: Database, ask: boolean): void {
  if (ask) db.run('INSERT OR REPLACE INTO collecting (one, since) VALUES (1, ?)', Date.now());
  else db.run('DELETE FROM collecting');
}

function nothing(): Record<LeaseKind, Set<string>> {
  return { blob: new Set(), layer: new Set(), record: new Set(), 'cache-mount': new Set(), failed: new Set() };
}

export interface LiveLeases {
  held: Record<LeaseKind, Set<string>>;
  /** A process whose list is not written yet, if there is one. */
  dirty?: Owner;
}

/** What living handles hold; inside a collection's transaction. Leases of the dead are removed unless `keep`. */
export function liveLeases(db: Database, self: Owner, keep = false): LiveLeases {
  const held = nothing();
  let dirty: Owner | undefined;
  const now = Date.now();
  type Row = Owner & { id: number; expires: number; dirty: number };
  for (const row of db.all<Row>('SELECT id, home, pid, start, expires, dirty FROM leases')) {
    const alive = isAlive(row, self);
    // Where a number alone tells (no /proc) it may have been given to another process, so the lease expires there too.
    if (alive === false || ((alive === undefined || row.start === '0') && row.expires < now)) {
      if (keep) continue;
      db.run('DELETE FROM leased WHERE lease = ?', row.id);
      db.run('DELETE FROM leases WHERE id = ?', row.id);
      continue;
    }
    if (row.dirty === 1) dirty = { home: row.home, pid: row.pid, start: row.start };
    type Item = { kind: LeaseKind; name: string };
    for (const { kind, name } of db.all<Item>('SELECT kind, name FROM leased WHERE lease = ?', row.id)) held[kind]?.add(name);
  }
  return { held, dirty };
}
