/** Blobs: files in .siru/blobs, rows that tell which repositories have them. */
import { open as openFile, rm } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import type { Blobs } from '../storage.ts';
import type { Core } from './core.ts';
import { leadingTo } from './leading-to.ts';
import { blobPath, layoutBlobPath } from './paths.ts';
import { readChunks } from './read-chunks.ts';
import { changeRepository, repositoryId } from './repositories.ts';

/** States of a blob; see storage.ts. */
export const blobState = { arriving: 0, here: 1, leaving: 2, broken: 3 } as const;

interface Row {
  repository: number;
  size: number;
  touched: number;
}

export function createBlobs(core: Core): Blobs {
  const { db, root } = core;
  const find = (repository: string, digest: Digest): Row | undefined => db.get<Row>(
    `SELECT rb.repository, b.size, min(b.touched, rb.touched) AS touched FROM repositories r
     JOIN repository_blobs rb ON rb.repository = r.id AND rb.digest = ?2
     JOIN blobs b ON b.digest = ?2 AND b.state = 1 WHERE r.name = ?1`, repository, digest);
  return {
    async size(repository, digest) {
      const found = find(repository, digest);
      if (found === undefined || found.touched > core.now() - core.touchInterval) return found?.size;
      // A collection may have decided since: only what is still here when it is touched is told of.
      return db.transaction(() => {
        const still = find(repository, digest);
        if (still !== undefined) touch(core, still.repository, digest);
        return still?.size;
      });
    },
    async open(repository, digest, range) {
      const found = find(repository, digest);
      if (found === undefined) return undefined;
      const part = range?.(found.size);
      // A collection may take it between the answer and this: then it is not here.
      const file = await openFile(blobPath(root, digest), 'r').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (file === undefined) return undefined;
      return { size: found.size, range: part, bytes: readChunks(file, part ?? { start: 0, end: found.size - 1 }), close: () => file.close() };
    },
    async mount(repository, digest, from) {
      const done = db.transaction(() => {
        const found = find(from, digest);
        if (found === undefined) return false;
        addToRepository(core, repository, digest, found.size);
        return true;
      });
      if (done) await core.sync.database();
      return done;
    },
    async holders(digest, limit) {
      return db.all<{ name: string }>(
        `SELECT r.name FROM blobs b JOIN repository_blobs rb ON rb.digest = b.digest JOIN repositories r ON r.id = rb.repository
         WHERE b.digest = ? AND b.state = 1 LIMIT ?`, digest, limit).map(({ name }) => name);
    },
    async delete(repository, digest, onTag) {
      const gone = db.transaction(() => {
        const id = repositoryId(core, repository);
        if (id !== undefined && onTag) for (const name of leadingTo(db, id, digest).tags) onTag(name);
        if (id === undefined || db.run('DELETE FROM repository_blobs WHERE repository = ? AND digest = ?', id, digest) === 0) return false;
        changeRepository(core, repository);
        return true;
      });
      if (!gone) return false;
      await rm(layoutBlobPath(root, repository, digest), { force: true });
      await core.sync.database();
      return true;
    },
  };
}

/** Gives the repository a blob that is here, and its grace time; in a transaction. */
export function addToRepository(core: Core, repository: string, digest: Digest, size: number): void {
  const id = changeRepository(core, repository);
  core.db.run('INSERT OR IGNORE INTO repository_blobs (repository, digest, size, touched, linked) VALUES (?, ?, ?, 0, 0)', id, digest, size);
  touch(core, id, digest);
}

function touch({ db, now: clock }: Core, repository: number, digest: Digest): void {
  const now = clock();
  db.run('UPDATE blobs SET touched = max(touched, ?) WHERE digest = ?', now, digest);
  db.run('UPDATE repository_blobs SET touched = max(touched, ?) WHERE repository = ? AND digest = ?', now, repository, digest);
}
