/** Repositories: a row from the first blob or manifest on. */
import type { Page, Repositories, SearchOptions } from '../storage.ts';
import type { Core } from './core.ts';

/** The id, making the repository when it is new; in a transaction. Counts a change of it. */
export function changeRepository({ db, layouts, now }: Core, name: string): number {
  const known = db.get<{ id: number }>('SELECT id FROM repositories WHERE name = ?', name)?.id;
  layouts.changed(name);
  if (known !== undefined) {
    db.run('UPDATE repositories SET changes = changes + 1 WHERE id = ?', known);
    return known;
  }
  return db.get<{ id: number }>('INSERT INTO repositories (name, made, changes, written) VALUES (?, ?, 1, 0) RETURNING id', name, now())!.id;
}

export function repositoryId({ db }: Core, name: string): number | undefined {
  return db.get<{ id: number }>('SELECT id FROM repositories WHERE name = ?', name)?.id;
}

/** Cuts one row more than asked off, which tells that there are more. */
export function cutPage(rows: { name: string }[], limit: number): Page {
  return { items: rows.slice(0, limit).map(({ name }) => name), more: rows.length > limit };
}

export function createRepositories(core: Core): Repositories {
  const { db } = core;
  return {
    async has(name) {
      return repositoryId(core, name) !== undefined;
    },
    async list({ limit, last = '', containing = '' }: SearchOptions) {
      const rows = db.all<{ name: string }>(
        `SELECT name FROM repositories r WHERE name > ? AND instr(name, ?) > 0 AND EXISTS (SELECT 1 FROM manifests m WHERE m.repository = r.id)
         ORDER BY name LIMIT ?`, last, containing, limit + 1);
      return cutPage(rows, limit);
    },
    async countTags(name, most) {
      return db.get<{ n: number }>('SELECT count(*) AS n FROM (SELECT 1 FROM repositories r JOIN tags t ON t.repository = r.id WHERE r.name = ? LIMIT ?)', name, most)!.n;
    },
    async usage(which) {
      const [condition, ...values] = 'name' in which ? ['name = ?', which.name] : ['name >= ? AND name < ?', which.prefix, `${which.prefix}\u{10ffff}`];
      const sum = (table: string): number => db.get<{ bytes: number | null }>(
        `SELECT sum(size) AS bytes FROM ${table} WHERE repository IN (SELECT id FROM repositories WHERE ${condition})`, ...values)?.bytes ?? 0;
      return sum('repository_blobs') + sum('manifests');
    },
  };
}
