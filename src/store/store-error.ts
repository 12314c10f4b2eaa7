/** Turns what the file system or SQLite threw into an error of the store that says what to do next. */
import { SiruError, errnoOf, isSiruError, messageOf } from '../base/errors.ts';

const hints: Record<string, string> = {
  ENOSPC: 'The disk is full: free some space (`siru prune` removes what nothing needs) and try again.',
  EDQUOT: 'The disk quota is used up: free some space (`siru prune` removes what nothing needs) and try again.',
  EROFS: 'The file system is read-only: choose another folder with --root or SIRU_ROOT.',
  EACCES: 'You may not write there: choose a folder of your own with --root or SIRU_ROOT, or run as the owner of the store.',
  EPERM: 'You may not write there: choose a folder of your own with --root or SIRU_ROOT, or run as the owner of the store.',
  ENOTDIR: 'Something on the way is not a folder: choose another place with --root or SIRU_ROOT.',
  EXDEV: 'The store must lie on one file system.',
  EMFILE: 'This process has too many open files: raise the limit (`ulimit -n`).',
};

/** Primary result codes of SQLite (sqlite.org/rescode.html), in the words of the errno that means the same. */
const sqliteErrno: Record<number, string> = { 8: 'EROFS', 13: 'ENOSPC', 14: 'EACCES', 23: 'EACCES' };
const busy = 5;
const locked = 6;
const corrupt = 11;
const notDatabase = 26;

/**
 * A STORE error with `doing` ("cannot write <path>") and the reason. A SiruError is passed through.
 * `database` is the path of the database, when SQLite may have been the one that failed.
 */
export function storeError(error: unknown, doing: string, database?: string): SiruError {
  if (isSiruError(error)) return error;
  const sqlite = sqliteCodeOf(error);
  if (sqlite === corrupt || sqlite === notDatabase) return damagedDatabase(database ?? 'siru.db', error);
  if (sqlite === busy || sqlite === locked) {
    return new SiruError('STORE', `${doing}: the database is busy`, {
      hint: 'Another process has been writing to the store for a long time: try again when it is done.',
      cause: error,
    });
  }
  const errno = isDiskFull(error) ? 'ENOSPC' : sqlite === undefined ? errnoOf(error) : sqliteErrno[sqlite];
  const hint = errno === undefined ? undefined : hints[errno];
  return new SiruError('STORE', `${doing}: ${describe(errno, error)}`, { hint: hint ?? defaultHint, cause: error });
}

const defaultHint = 'Check the disk below the store: that it is there, writable and not full.';

function describe(errno: string | undefined, error: unknown): string {
  if (errno === 'ENOSPC') return 'no space left on the disk';
  if (errno === 'EDQUOT') return 'the disk quota is used up';
  if (errno === 'EROFS') return 'read-only';
  if (errno === 'EACCES' || errno === 'EPERM') return 'permission denied';
  return messageOf(error);
}

function damagedDatabase(path: string, cause: unknown): SiruError {
  return new SiruError('STORE', `the store's database ${path} is damaged`, {
    hint:
      `Move it and the files ${path}-wal and ${path}-shm away. The next command makes a new one and takes images and ` +
      'names from index.json; the build cache and the history start anew.',
    cause,
  });
}

/** True when SQLite found no room: for a page, or (SQLITE_IOERR_SHMSIZE) for the index of its log. */
export function isDiskFull(error: unknown): boolean {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return sqliteCodeOf(error) === 13 || errcode === 4874;
}

/** SQLite's primary result code, when SQLite threw this. */
export function sqliteCodeOf(error: unknown): number | undefined {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}

/** The error for writing to a store that was opened for reading. */
export function readOnlyStore(root: string): SiruError {
  return new SiruError('STORE', `the store at ${root} can only be read`, { hint: hints['EACCES'] });
}
