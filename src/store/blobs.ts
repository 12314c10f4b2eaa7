/** Blobs: files named by their SHA-256, known to the database, leased when told of. */
import { readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SiruError } from '../base/errors.ts';
import { hexOf, isSha256, sha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { noteUnsynced } from './unsynced.ts';
import type { Core } from './core.ts';
import { createIngest } from './ingest.ts';
import { readOnlyStore, storeError } from './store-error.ts';
import type { Blobs } from './store.ts';

const documentLimit = 4 * 1024 * 1024;

export function blobPath(root: string, digest: Digest): string {
  return join(root, 'blobs', 'sha256', hexOf(digest));
}

/** The size of the blob when it is here and whole. Leases nothing, heals nothing. */
export function sizeHere(core: Core, digest: Digest): number | undefined {
  if (!isSha256(digest)) return undefined;
  const size = core.db.get<{ size: number }>('SELECT size FROM blobs WHERE digest = ?', digest)?.size;
  if (size === undefined) return undefined;
  return statSync(blobPath(core.root, digest), { throwIfNoEntry: false })?.size === size ? size : undefined;
}

export function createBlobs(core: Core): Blobs {
  const { db, leases, root } = core;

  const hereAndLeased = (digest: Digest): number | undefined => {
    leases.open();
    const size = sizeHere(core, digest);
    if (size !== undefined) leases.hold('blob', digest);
    return size;
  };

  const sizeOf = (digest: Digest): number => {
    const size = hereAndLeased(digest);
    if (size !== undefined) return size;
    throw new SiruError('NOT_FOUND', `the store has no blob ${digest}`, {
      hint: 'Pull the image again, or build it: the store fetches or makes what is missing.',
    });
  };

  /** Removes what turned out damaged, unless somebody has put a whole one in its place meanwhile. */
  const dropDamaged = (digest: Digest): void => {
    if (db.readonly) return;
    const path = blobPath(root, digest);
    db.transaction(() => {
      try {
        if (sha256(readFileSync(path)) === digest) return;
      } catch {}
      dropBlob(core, digest);
    });
  };

  const adopt = (file: string, digest: Digest): void => {
    if (!isSha256(digest)) throw new SiruError('DIGEST', `the store keeps sha256 only, not ${String(digest).slice(0, 200)}`);
    leases.open();
    try {
      const { size } = statSync(file);
      db.transaction(() => {
        if (sizeHere(core, digest) === size) {
          rmSync(file, { force: true });
        } else {
          renameSync(file, blobPath(root, digest));
          db.run('INSERT OR REPLACE INTO blobs (digest, size, made) VALUES (?, ?, ?)', digest, size, Date.now());
          noteUnsynced(core, 'blob', digest);
        }
        db.run('DELETE FROM trash WHERE digest = ?', digest);
      });
    } catch (error) {
      throw storeError(error, `cannot keep ${digest} in ${dirname(blobPath(root, digest))}`);
    }
    leases.hold('blob', digest);
  };

  return {
    has(digest, size) {
      const here = hereAndLeased(digest);
      return here !== undefined && (size === undefined || size === here);
    },
    size: sizeOf,
    path(digest) {
      sizeOf(digest);
      return blobPath(root, digest);
    },
    read(digest, limit = documentLimit) {
      const size = sizeOf(digest);
      if (size > limit) throw new SiruError('DOCUMENT', `${digest} has ${size} bytes; at most ${limit} are read`);
      let bytes: Buffer;
      try {
        bytes = readFileSync(blobPath(root, digest));
      } catch (error) {
        throw storeError(error, `cannot read ${blobPath(root, digest)}`);
      }
      if (sha256(bytes) === digest) return bytes;
      dropDamaged(digest);
      throw new SiruError('DIGEST', `the blob ${digest} was damaged on the disk and has been dropped`, {
        hint: 'Pull or build the image again.',
      });
    },
    put(bytes) {
      const digest = sha256(bytes);
      if (hereAndLeased(digest) !== bytes.byteLength) {
        if (db.readonly) throw readOnlyStore(root);
        const file = core.temporary('.blob');
        try {
          writeFileSync(file, bytes);
        } catch (error) {
          rmSync(file, { force: true });
          throw storeError(error, `cannot write ${file}`);
        }
        adopt(file, digest);
      }
      return { digest, size: bytes.byteLength };
    },
    ingest: () => createIngest(core, adopt),
    async continue(digest) {
      const { continueIngest } = await import('./partials.ts');
      return continueIngest(core, digest, adopt);
    },
    adopt,
  };
}

/** Removes a blob's row and file; in a transaction. */
export function dropBlob(core: Core, digest: Digest): void {
  core.db.run('DELETE FROM blobs WHERE digest = ?', digest);
  core.db.run("DELETE FROM unsynced WHERE kind = 'blob' AND name = ?", digest);
  try {
    unlinkSync(blobPath(core.root, digest));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
