/**
 * What was seen of registries: uploads that are under way there, so that another process can go on with one, and which
 * repository had which blob.
 */
import type { Digest } from '../oci/digest.ts';
import type { Core } from './core.ts';

/** What is uploaded, and where to. */
export interface UploadPlace {
  /** As it stands in references. */
  registry: string;
  repository: string;
  /** Of the blob; or of the uncompressed layer, and then `form` says what becomes of it on the way. */
  digest: Digest;
  form?: string;
}

export interface KeptUpload {
  /** Where the registry wants the next bytes. */
  location: string;
  /** Bytes that the registry has acknowledged. */
  bytes: number;
}

export interface KnownRegistries {
  upload(place: UploadPlace): KeptUpload | undefined;
  /** The oldest make room. */
  keepUpload(place: UploadPlace, upload: KeptUpload): void;
  dropUpload(place: UploadPlace): void;
  /** Remembers that the repository has these blobs now. */
  sawBlobs(registry: string, repository: string, digests: readonly Digest[]): void;
  /** The repositories of the registry that had the blob, the last one first, with the time (milliseconds since 1970). */
  repositoriesOf(registry: string, digest: Digest): { repository: string; at: number }[];
  /** Forgets what the repository was seen to have: it lacks something that it should have. */
  forgetBlobs(registry: string, repository: string): void;
}

/** Registries forget an upload after a week. */
const mostUploadDays = 7;
const mostUploads = 1000;
const mostSeenDays = 365;
const mostSeen = 100_000;
const day = 24 * 3600 * 1000;
/** An answer this young is not written again, in milliseconds: a push that sends nothing writes nothing. */
const seenGrain = 60_000;

export function createKnownRegistries({ db }: Core): KnownRegistries {
  return {
    upload({ registry, repository, digest, form = '' }) {
      return db.get<KeptUpload>(
        'SELECT location, bytes FROM uploads WHERE registry = ? AND repository = ? AND digest = ? AND form = ? AND at > ?',
        registry, repository, digest, form, Date.now() - mostUploadDays * day,
      );
    },
    keepUpload({ registry, repository, digest, form = '' }, { location, bytes }) {
      if (db.readonly) return;
      db.transaction(() => {
        db.run(
          'INSERT OR REPLACE INTO uploads (registry, repository, digest, form, location, bytes, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
          registry, repository, digest, form, location, bytes, Date.now(),
        );
        db.run('DELETE FROM uploads WHERE at < ?', Date.now() - mostUploadDays * day);
        const { n } = db.get<{ n: number }>('SELECT count(*) AS n FROM uploads')!;
        if (n > mostUploads) db.run('DELETE FROM uploads WHERE (registry, repository, digest, form) IN (SELECT registry, repository, digest, form FROM uploads ORDER BY at LIMIT ?)', n - mostUploads);
      });
    },
    dropUpload({ registry, repository, digest, form = '' }) {
      if (db.readonly) return;
      db.run('DELETE FROM uploads WHERE registry = ? AND repository = ? AND digest = ? AND form = ?', registry, repository, digest, form);
    },
    sawBlobs(registry, repository, digests) {
      if (db.readonly || digests.length === 0) return;
      const now = Date.now();
      const fresh = new Set(digests.filter((digest) => {
        const at = db.get<{ at: number }>('SELECT at FROM seen_blobs WHERE registry = ? AND digest = ? AND repository = ?', registry, digest, repository)?.at;
        return at === undefined || at < now - seenGrain || at > now;
      }));
      if (fresh.size === 0) return;
      db.transaction(() => {
        for (const digest of fresh) db.run('INSERT OR REPLACE INTO seen_blobs (registry, digest, repository, at) VALUES (?, ?, ?, ?)', registry, digest, repository, now);
        db.run('DELETE FROM seen_blobs WHERE at < ?', now - mostSeenDays * day);
        const { n } = db.get<{ n: number }>('SELECT count(*) AS n FROM seen_blobs')!;
        if (n > mostSeen) db.run('DELETE FROM seen_blobs WHERE (registry, digest, repository) IN (SELECT registry, digest, repository FROM seen_blobs ORDER BY at LIMIT ?)', n - mostSeen);
      });
    },
    repositoriesOf: (registry, digest) => db.all<{ repository: string; at: number }>(
      'SELECT repository, at FROM seen_blobs WHERE registry = ? AND digest = ? AND at > ? ORDER BY at DESC, repository LIMIT 16',
      registry, digest, Date.now() - mostSeenDays * day,
    ),
    forgetBlobs(registry, repository) {
      if (db.readonly) return;
      db.run('DELETE FROM seen_blobs WHERE registry = ? AND repository = ?', registry, repository);
    },
  };
}
