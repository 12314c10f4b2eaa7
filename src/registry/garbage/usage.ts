/** What a registry's content takes on disk, from the tables: bytes of files, without folders, as `du --apparent-size` counts. */
import type { Core } from '../files/core.ts';

export interface RepositoryUsage {
  name: string;
  tags: number;
  manifests: number;
  blobs: number;
  /** Its layout's files: each blob once, and its manifests. What the quota counts. */
  bytes: number;
  /** That no other repository has. */
  alone: number;
}

export interface Usage {
  repositories: RepositoryUsage[];
  /** Each blob once, whatever repositories have it. */
  blobs: { count: number; bytes: number };
  /** A file in the layout of each repository that has it. */
  manifests: { count: number; bytes: number };
  uploads: { count: number; bytes: number };
  /** Of these three. */
  bytes: number;
}

/** Of some repositories, or of all; the totals are always those of the whole registry. */
export function registryUsage({ db }: Core, names?: readonly string[]): Usage {
  const total = (column: string, from: string): { count: number; bytes: number } => db.get(`SELECT count(*) AS count, coalesce(sum(${column}), 0) AS bytes FROM ${from}`)!;
  const rows = names === undefined
    ? db.all<{ id: number; name: string }>('SELECT id, name FROM repositories ORDER BY name')
    : names.flatMap((name) => db.all<{ id: number; name: string }>('SELECT id, name FROM repositories WHERE name = ?', name));
  const repositories = rows.map(({ id, name }): RepositoryUsage => {
    const blobs = db.get<{ count: number; bytes: number; alone: number }>(
      `SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes,
       coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM repository_blobs o WHERE o.digest = rb.digest AND o.repository <> rb.repository) THEN 0 ELSE size END), 0) AS alone
       FROM repository_blobs rb WHERE repository = ?`, id)!;
    const manifests = db.get<{ count: number; bytes: number }>('SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes FROM manifests WHERE repository = ?', id)!;
    const tags = db.get<{ count: number }>('SELECT count(*) AS count FROM tags WHERE repository = ?', id)!.count;
    return { name, tags, manifests: manifests.count, blobs: blobs.count, bytes: blobs.bytes + manifests.bytes, alone: blobs.alone + manifests.bytes };
  });
  const [blobs, manifests, uploads] = [total('size', 'blobs WHERE state IN (1, 2)'), total('size', 'manifests'), total('bytes', 'uploads')];
  return { repositories, blobs, manifests, uploads, bytes: blobs.bytes + manifests.bytes + uploads.bytes };
}
