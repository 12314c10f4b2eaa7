/**
 * Uploads: a row, and from the first byte on a file whose size is the truth. The running hash lives in the process that
 * receives; where there is none (after a restart, or when another process took over) the file is read again.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tryLock } from '../../sys/lock.ts';
import { algorithmOf } from '../names.ts';
import { StorageError } from '../storage-error.ts';
import type { Algorithm, Upload, Uploads } from '../storage.ts';
import type { Core } from './core.ts';
import { keepBlob } from './keep-blob.ts';
import { blobFolder, ownFolder, uploadPath } from './paths.ts';
import { createRunningHash } from './running-hash.ts';
import type { RunningHash } from './running-hash.ts';
import { writeBody } from './write-body.ts';

/** Hashes that are kept for uploads that wait for their next request; the oldest are computed again when needed. */
const mostHashes = 10_000;

interface Active {
  takeOver: () => void;
  done: Promise<unknown>;
}

const nothing = (): void => {};

export function createUploads(core: Core): Uploads {
  const { db, root } = core;
  const hashes = new Map<string, RunningHash>();
  const active = new Map<string, Active>();

  const find = (repository: string, id: string): { algorithm: Algorithm } | undefined =>
    db.get<{ algorithm: Algorithm }>('SELECT algorithm FROM uploads WHERE id = ? AND repository = ?', id, repository);

  const hashOf = (id: string, algorithm: Algorithm): RunningHash => {
    const known = hashes.get(id);
    hashes.delete(id);
    return known?.algorithm === algorithm ? known : createRunningHash(algorithm);
  };

  const remember = (id: string, hash: RunningHash): void => {
    hashes.set(id, hash);
    if (hashes.size > mostHashes) hashes.delete(hashes.keys().next().value!);
  };

  /** Alone with the upload: the request before is ended, other processes are kept out. */
  const alone = async <Result>(id: string, takeOver: () => void, work: (file: FileHandle) => Promise<Result>): Promise<Result> => {
    for (let before; (before = active.get(id)) !== undefined; ) {
      before.takeOver();
      await before.done;
    }
    const { promise: done, resolve } = Promise.withResolvers<void>();
    active.set(id, { takeOver, done });
    let file: FileHandle | undefined;
    try {
      file = await open(uploadPath(root, id), 'a+', 0o666);
      if (!tryLock(file.fd)) throw new StorageError({ fault: 'BUSY' });
      return await work(file);
    } finally {
      await file?.close();
      active.delete(id);
      resolve();
    }
  };

  const forget = async (id: string): Promise<void> => {
    hashes.delete(id);
    await rm(uploadPath(root, id), { force: true });
  };

  return {
    async start(repository, algorithm) {
      const upload = { id: randomUUID(), algorithm, size: 0 };
      const now = core.now();
      db.run('INSERT INTO uploads (id, repository, algorithm, bytes, started, touched) VALUES (?, ?, ?, 0, ?, ?)', upload.id, repository, algorithm, now, now);
      return upload;
    },
    async state(repository, id) {
      const row = find(repository, id);
      return row && { id, algorithm: row.algorithm, size: await sizeOf(uploadPath(root, id)) };
    },
    async append(repository, id, source, options = {}): Promise<Upload | undefined> {
      if (find(repository, id) === undefined) return undefined;
      return alone(id, options.onTakenOver ?? nothing, async (file) => {
        const row = find(repository, id);
        if (row === undefined) {
          // Finished or cancelled while this waited: the file that was opened is nobody's.
          await forget(id);
          return undefined;
        }
        let { size, nlink } = await file.stat();
        // A kill came between the name of the blob and its row (keep-blob.ts): what is added here would be added to the blob.
        if (nlink > 1) {
          db.run('DELETE FROM uploads WHERE id = ?', id);
          await forget(id);
          return undefined;
        }
        if (options.at !== undefined && options.at !== size) throw new StorageError({ fault: 'RANGE', size });
        const hash = hashOf(id, row.algorithm);
        try {
          await hash.catchUp(file, size);
          size = await writeBody(file, size, source, hash, { uploads: active.size, onProgress: options.onProgress, onGarbage: core.onGarbage });
        } finally {
          const there = (await file.stat()).size;
          if (hash.seen === there) remember(id, hash);
          db.run('UPDATE uploads SET bytes = ?, touched = ? WHERE id = ?', there, core.now(), id);
        }
        return { id, algorithm: row.algorithm, size };
      });
    },
    async finish(repository, id, digest) {
      if (find(repository, id) === undefined) return undefined;
      return alone(id, nothing, async (file) => {
        const row = find(repository, id);
        if (row === undefined) {
          await forget(id);
          return undefined;
        }
        const { size } = await file.stat();
        const hash = hashOf(id, algorithmOf(digest));
        await hash.catchUp(file, size);
        const actual = hash.digest();
        if (actual !== digest) {
          db.run('DELETE FROM uploads WHERE id = ?', id);
          await forget(id);
          throw new StorageError({ fault: 'DIGEST', expected: digest, actual });
        }
        await core.sync.file(file.fd);
        await keepBlob(core, repository, uploadPath(root, id), digest, size, () => db.run('DELETE FROM uploads WHERE id = ?', id));
        await forget(id);
        return { digest, size };
      });
    },
    async cancel(repository, id) {
      const gone = db.run('DELETE FROM uploads WHERE id = ? AND repository = ?', id, repository) > 0;
      active.get(id)?.takeOver();
      await active.get(id)?.done;
      if (gone) await forget(id);
      return gone;
    },
  };
}

/** The folders that uploads and blobs need. */
export async function makeFolders(root: string): Promise<void> {
  for (const algorithm of ['sha256', 'sha512']) await mkdir(blobFolder(root, algorithm), { recursive: true });
  await mkdir(dirname(uploadPath(root, 'any')), { recursive: true });
  await mkdir(join(root, ownFolder, 'tmp'), { recursive: true });
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(({ size }) => size, () => 0);
}
