/**
 * The moment in which a finished upload becomes a blob. Three processes may meet here: another upload of the same blob, a
 * collection that removes it, and a kill at any line. So the row says `arriving` before the file has its name, and `here`
 * after the name is on disk; a collection leaves `arriving` alone within the grace time.
 */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { link, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Digest } from '../../oci/digest.ts';
import { algorithmOf } from '../names.ts';
import { StorageError } from '../storage-error.ts';
import { addToRepository, blobState } from './blobs.ts';
import type { Core } from './core.ts';
import { blobFolder, blobPath, layoutBlobPath, ownFolder } from './paths.ts';

/** Tries until a collection that removes the same blob is done, 20 milliseconds each. */
const mostTries = 500;

/** `file` has the bytes, synced. `onKept` runs in the transaction that tells of the blob. Durable when it returns. */
export async function keepBlob(core: Core, repository: string, file: string, digest: Digest, size: number, onKept: () => void): Promise<void> {
  const { db, root } = core;
  const folder = blobFolder(root, algorithmOf(digest));
  for (let tries = 0; ; tries++) {
    const state = db.transaction(() => {
      const row = db.get<{ state: number }>('SELECT state FROM blobs WHERE digest = ?', digest);
      const now = core.now();
      if (row === undefined) db.run('INSERT INTO blobs (digest, size, state, made, touched) VALUES (?, ?, 0, ?, ?)', digest, size, now, now);
      else if (row.state !== blobState.leaving) db.run('UPDATE blobs SET touched = max(touched, ?) WHERE digest = ?', now, digest);
      return row?.state ?? blobState.arriving;
    });
    if (state === blobState.leaving) {
      if (tries >= mostTries) throw new StorageError({ fault: 'BUSY' });
      await wait(20);
      continue;
    }
    // A blob that is here is looked for all the same: this upload can mend what a broken disk lost.
    const place = blobPath(root, digest);
    const before = await sizeOf(place);
    if (before === undefined) {
      await mkdir(folder, { recursive: true });
      await link(file, place).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    } else if (before !== size) await replaceFile(core, file, place);
    await core.sync.folder(folder);
    const kept = db.transaction(() => {
      if (db.run('UPDATE blobs SET state = 1, size = ? WHERE digest = ? AND state <> 2', size, digest) === 0) return false;
      addToRepository(core, repository, digest, size);
      if (state === blobState.broken || (before !== undefined && before !== size)) relinkBlob(core, digest);
      onKept();
      return true;
    });
    if (kept) return core.sync.database();
  }
}

/** The layouts of all repositories that have the blob get its new file; in a transaction. */
export function relinkBlob({ db, layouts, root }: Core, digest: Digest): void {
  for (const { id, name } of db.all<{ id: number; name: string }>(
    'SELECT r.id, r.name FROM repository_blobs rb JOIN repositories r ON r.id = rb.repository WHERE rb.digest = ?', digest)) {
    // A link to the file before stays in the way of the new one.
    rmSync(layoutBlobPath(root, name, digest), { force: true });
    db.run('UPDATE repository_blobs SET linked = 0 WHERE repository = ? AND digest = ?', id, digest);
    db.run('UPDATE repositories SET changes = changes + 1 WHERE id = ?', id);
    layouts.changed(name);
  }
}

/** What is not as large as the blob is not the blob: a broken disk cut it, or another upload went on writing. */
async function replaceFile({ root }: Core, file: string, place: string): Promise<void> {
  const draft = join(root, ownFolder, 'tmp', `blob-${randomUUID()}`);
  try {
    await link(file, draft);
    await rename(draft, place);
  } finally {
    // Two names of one file: renaming one to the other does nothing.
    await rm(draft, { force: true });
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then((found) => found.size, () => undefined);
}
