/** SQLite as the store uses it: WAL, one statement per text, one kind of write transaction. */
import { existsSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { readOnlyStore, storeError } from './store-error.ts';

export type Value = string | number | null | Uint8Array;

export interface Database {
  readonly path: string;
  /** True when nothing can be written. */
  readonly readonly: boolean;
  /** The first row, or undefined. */
  get<Row>(sql: string, ...values: Value[]): Row | undefined;
  all<Row>(sql: string, ...values: Value[]): Row[];
  /** The number of rows that changed. Throws STORE. */
  run(sql: string, ...values: Value[]): number;
  /** Several statements without values. */
  exec(sql: string): void;
  /**
   * Does the work in one BEGIN IMMEDIATE transaction: no other process writes meanwhile, and all or nothing of it stays.
   * Within another transaction it is part of that one.
   */
  transaction<Result>(work: () => Result): Result;
  readonly inTransaction: boolean;
  /**
   * `ending` says that the process ends now: a short log is then left to the next who opens the database, as after a kill,
   * because the last one that closes it syncs the disk twice.
   */
  close(options?: { ending?: boolean }): void;
}

/** Bytes of log that are not left behind: reading it costs the next one a millisecond. */
const longLog = 1024 * 1024;

/** How long a writer waits for the writers of other processes, in milliseconds. */
const patience = 20_000;

/**
 * Opens or makes the database. `readonly` opens what is there for reading, also where SQLite cannot make its files.
 * Throws STORE.
 */
export function openDatabase(path: string, root: string, options: { readonly?: boolean } = {}): Database {
  const readonly = options.readonly ?? false;
  const fail = (error: unknown): never => {
    throw storeError(error, `cannot use the database ${path}`, path);
  };
  let connection: DatabaseSync;
  try {
    connection = readonly ? openForReading(path) : new DatabaseSync(path, { timeout: patience });
    // A commit is not synced: a crash of the machine may lose the last ones, never the order of them.
    connection.exec('PRAGMA synchronous = NORMAL');
  } catch (error) {
    return fail(error);
  }
  const statements = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    let found = statements.get(sql);
    if (found === undefined) statements.set(sql, (found = connection.prepare(sql)));
    return found;
  };
  let depth = 0;
  return {
    path,
    readonly,
    get inTransaction() {
      return depth > 0;
    },
    get<Row>(sql: string, ...values: Value[]): Row | undefined {
      try {
        return statement(sql).get(...values) as Row | undefined;
      } catch (error) {
        return fail(error);
      }
    },
    all<Row>(sql: string, ...values: Value[]): Row[] {
      try {
        return statement(sql).all(...values) as Row[];
      } catch (error) {
        return fail(error);
      }
    },
    run(sql, ...values) {
      if (readonly) throw readOnlyStore(root);
      try {
        return Number(statement(sql).run(...values).changes);
      } catch (error) {
        return fail(error);
      }
    },
    exec(sql) {
      try {
        connection.exec(sql);
      } catch (error) {
        fail(error);
      }
    },
    transaction<Result>(work: () => Result): Result {
      if (depth > 0) return work();
      if (readonly) throw readOnlyStore(root);
      try {
        statement('BEGIN IMMEDIATE').run();
      } catch (error) {
        return fail(error);
      }
      depth++;
      try {
        const result = work();
        statement('COMMIT').run();
        return result;
      } catch (error) {
        // SQLite has rolled back by itself after some errors (a full disk); the statement then fails, which is fine.
        try {
          statement('ROLLBACK').run();
        } catch {}
        throw storeError(error, `cannot write to the store at ${root}`, path);
      } finally {
        depth--;
      }
    },
    close({ ending = false } = {}) {
      if (ending && logSize(path) < longLog) return;
      statements.clear();
      if (connection.isOpen) connection.close();
    },
  };
}

function logSize(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

function openForReading(path: string): DatabaseSync {
  const connection = new DatabaseSync(path, { readOnly: true, timeout: patience });
  try {
    connection.prepare('SELECT count(*) FROM sqlite_schema').get();
    return connection;
  } catch (error) {
    connection.close();
    // A WAL database wants a -shm file beside it. Where that cannot be made and no writer left a log, the file alone is
    // the whole truth.
    if (existsSync(`${path}-wal`)) throw error;
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    return new DatabaseSync(url, { readOnly: true });
  }
}
