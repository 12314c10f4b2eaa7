/** How the tables of an older version become those of a newer one. */
import { SiruError } from '../base/errors.ts';
import type { Database } from './database.ts';

/**
 * Brings the tables to the newest version; a database of version n runs the steps from n on. `onCreate` runs in the
 * transaction that makes a new database. Throws STORE when the database is newer than this program; `what` it is of.
 */
export function applyMigrations(db: Database, migrations: readonly string[], what: string, onCreate: () => void = () => {}): void {
  const version = versionOf(db);
  if (version === migrations.length) return;
  if (version > migrations.length) {
    throw new SiruError('STORE', `the ${what}'s database ${db.path} was made by a newer Siru (version ${version})`, {
      hint: `Use that Siru, or another ${what} (--root, SIRU_ROOT).`,
    });
  }
  if (version === 0) becomeWal(db);
  db.transaction(() => {
    // Another process may have done it while this one waited.
    const from = versionOf(db);
    for (const step of migrations.slice(from)) db.exec(step);
    db.exec(`PRAGMA user_version = ${migrations.length}`);
    if (from === 0) onCreate();
  });
}

export function versionOf(db: Database): number {
  return db.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
}

function becomeWal(db: Database): void {
  // Turning WAL on does not wait as other statements do when a second process has the new file open.
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      db.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (Date.now() > deadline || !/busy/.test(String(error))) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
