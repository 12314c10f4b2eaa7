/**
 * Blobs: first those of a repository that no manifest of it names, then those that no repository has. The file is renamed in
 * the transaction that removes the row, so that no upload comes between, and removed after it: that may take its time.
 */
import { randomUUID } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { blobPath, layoutBlobPath, ownFolder, quarantinePath } from '../files/paths.ts';
import { isFromFuture, isOlder, pairPlace, readPair, repositoryName, windowSize } from './ground.ts';
import type { Phase } from "./ground.ts";

export const repositoryBlobPhase: Phase = {
  name: 'blobs of repositories',
  look(ground, place) {
    const { core, policy, real, removed } = ground;
    const { db } = core;
    const [repository, last] = readPair(place);
    const rows = db.all<{ repository: number; digest: Digest; touched: number }>(
      'SELECT repository, digest, touched FROM repository_blobs WHERE (repository, digest) > (?, ?) ORDER BY repository, digest LIMIT ?', repository, last, windowSize);
    const end = rows.at(-1);
    if (end === undefined) return { next: undefined };
    const isNamed = (row: { repository: number; digest: Digest }): boolean =>
      db.get('SELECT 1 FROM named WHERE repository = ? AND target = ?', row.repository, row.digest) !== undefined;
    const future = rows.filter(({ touched }) => isFromFuture(ground, touched));
    const found = rows.filter((row) => isOlder(ground, row.touched, policy.grace) && !isNamed(row));
    const take = (row: { repository: number; digest: Digest }): void => {
      const now = db.get<{ touched: number }>('SELECT touched FROM repository_blobs WHERE repository = ? AND digest = ?', row.repository, row.digest);
      if (now === undefined || !isOlder(ground, now.touched, policy.grace) || isNamed(row)) return;
      db.run('DELETE FROM repository_blobs WHERE repository = ? AND digest = ?', row.repository, row.digest);
      const name = repositoryName(ground, row.repository);
      if (real) rmSync(layoutBlobPath(core.root, name, row.digest), { force: true });
      removed({ what: 'repository blob', repository: name, digest: row.digest, bytes: 0, why: 'no manifest of the repository names it' });
    };
    const correct = (row: { repository: number; digest: Digest }): void =>
      void db.run('UPDATE repository_blobs SET touched = ? WHERE repository = ? AND digest = ?', ground.now(), row.repository, row.digest);
    return { next: pairPlace(end.repository, end.digest), takes: [...future.map((row) => () => correct(row)), ...found.map((row) => () => take(row))] };
  },
};

export const blobPhase: Phase = {
  name: 'blobs',
  async look(ground, place) {
    const { core, policy, real, removed } = ground;
    const { db, root } = core;
    type Row = { digest: Digest; size: number; touched: number };
    const rows = db.all<Row>('SELECT digest, size, touched FROM blobs WHERE digest > ? ORDER BY digest LIMIT ?', place, windowSize);
    const end = rows.at(-1);
    if (end === undefined) return { next: undefined };
    const isHeld = ({ digest }: Row): boolean => db.get('SELECT 1 FROM repository_blobs WHERE digest = ?', digest) !== undefined;
    const future = rows.filter(({ touched }) => isFromFuture(ground, touched));
    const found = rows.filter((row) => isOlder(ground, row.touched, policy.grace) && !isHeld(row));
    // After a crash of the machine no repository may have the blob again whose file is gone.
    if (found.length > 0 && real) await core.sync.database();
    const gone: string[] = [];
    const take = ({ digest }: Row): void => {
      const now = db.get<Row>('SELECT digest, size, touched FROM blobs WHERE digest = ?', digest);
      if (now === undefined || !isOlder(ground, now.touched, policy.grace) || isHeld(now)) return;
      db.run('DELETE FROM blobs WHERE digest = ?', digest);
      for (const path of real ? [blobPath(root, digest), quarantinePath(root, digest)] : []) {
        const aside = join(root, ownFolder, 'tmp', `gone-${randomUUID()}`);
        if (moved(path, aside)) gone.push(aside);
      }
      removed({ what: 'blob', digest, bytes: now.size, why: 'no repository has it' });
    };
    const correct = ({ digest }: Row): void => void db.run('UPDATE blobs SET touched = ? WHERE digest = ?', ground.now(), digest);
    return {
      next: end.digest,
      takes: [...future.map((row) => () => correct(row)), ...found.map((row) => () => take(row))],
      after: async () => {
        for (const path of gone) await rm(path, { force: true });
      },
    };
  },
};

function moved(path: string, aside: string): boolean {
  try {
    renameSync(path, aside);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
