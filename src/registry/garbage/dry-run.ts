/**
 * What a collection would take. It is the same collection, over a copy of the tables without the manifests' bytes, and no file is
 * touched: nobody waits for it, and it cannot decide otherwise than the real one.
 */
import type { Core } from '../files/core.ts';
import { registryMigrations } from '../files/schema.ts';
import { openDatabase } from '../../store/database.ts';
import type { Database } from '../../store/database.ts';
import { collect } from './collect.ts';
import type { CollectOptions, Outcome } from './collect.ts';

export async function collectDry(core: Core, options: Omit<CollectOptions, 'real' | 'share'>): Promise<Outcome> {
  const db = copyTables(core);
  try {
    const layouts: Core['layouts'] = { changed: () => {}, flush: async () => {}, [Symbol.asyncDispose]: async () => {} };
    return await collect({ ...core, db, layouts }, { ...options, share: 1, real: false });
  } finally {
    db.close();
  }
}

/** In a file without a name, which SQLite removes itself. Nobody holds the lease of the copy. */
function copyTables(core: Core): Database {
  const db = openDatabase('', core.root);
  for (const step of registryMigrations) db.exec(step);
  db.exec(`ATTACH '${core.db.path.replaceAll(`'`, `''`)}' AS original`);
  db.transaction(() => {
    for (const table of ['repositories', 'blobs', 'repository_blobs', 'named', 'tags', 'uploads']) {
      const columns = db.all<{ name: string }>(`PRAGMA original.table_info(${table})`).map(({ name }) => name).join(', ');
      db.exec(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM original.${table}`);
    }
    db.exec(`INSERT INTO manifests (repository, digest, media_type, subject, size, pushed, touched, retired, linked, content)
      SELECT repository, digest, media_type, subject, size, pushed, touched, retired, linked, x'' FROM original.manifests`);
    db.exec('UPDATE collection SET stepped = (SELECT stepped FROM original.collection)');
  });
  db.exec('DETACH original');
  return db;
}
