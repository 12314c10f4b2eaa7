/** Repositories with neither manifests nor blobs, and their layouts. */
import { rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { layoutPath } from '../files/paths.ts';
import { isOlder, windowSize } from './ground.ts';
import type { Ground, Phase } from './ground.ts';

interface Row {
  id: number;
  name: string;
  made: number;
}

export const repositoryPhase: Phase = {
  name: 'repositories',
  look(ground, place) {
    const { core: { db }, policy } = ground;
    const rows = db.all<Row>('SELECT id, name, made FROM repositories WHERE id > ? ORDER BY id LIMIT ?', Number(place), windowSize);
    const end = rows.at(-1);
    if (end === undefined) return { next: undefined };
    const found = rows.filter((row) => isOlder(ground, row.made, policy.grace) && isEmpty(ground, row.id));
    return { next: String(end.id), takes: found.map((row) => () => take(ground, row)) };
  },
};

function isEmpty({ core: { db } }: Ground, id: number): boolean {
  return ['manifests', 'repository_blobs', 'tags'].every((table) => db.get(`SELECT 1 FROM ${table} WHERE repository = ?`, id) === undefined);
}

function take(ground: Ground, { id, name }: Row): void {
  const { core: { db, root }, real, removed } = ground;
  if (!isEmpty(ground, id)) return;
  db.run('DELETE FROM repositories WHERE id = ?', id);
  if (real) removeLayout(root, name);
  removed({ what: 'repository', repository: name, bytes: 0, why: 'it is empty' });
}

/** What a layout without blobs consists of, and the folders above that have nothing else. */
export function removeLayout(root: string, name: string): void {
  const folder = layoutPath(root, name);
  for (const file of ['index.json', 'oci-layout']) rmSync(join(folder, file), { force: true });
  for (const below of ['blobs/sha256', 'blobs/sha512', 'blobs']) removeEmpty(join(folder, below));
  for (let at = folder; at !== root && removeEmpty(at); at = dirname(at));
}

function removeEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}
