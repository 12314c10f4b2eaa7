/** Advisory locks on open files (flock). The kernel releases them when the last descriptor is closed or its process dies. */
import { errnoName, failure, lastErrno, native } from './native.ts';

const flockCall = native('int flock(int fd, int operation)', ['linux', 'darwin']);

/**
 * Takes the lock if nobody holds it, without waiting. Two descriptors of one process exclude each other too. Throws
 * UNSUPPORTED where there is no flock (Windows).
 */
export function tryLock(fd: number, mode: 'exclusive' | 'shared' = 'exclusive'): boolean {
  for (;;) {
    if (flockCall(fd, (mode === 'shared' ? 1 : 2) | 4) === 0) return true; // LOCK_SH 1, LOCK_EX 2, LOCK_NB 4
    const errno = lastErrno();
    const code = errnoName(errno);
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return false;
    if (code !== 'EINTR') throw failure('flock', undefined, undefined, errno);
  }
}

/** Gives the lock back. */
export function unlock(fd: number): void {
  if (flockCall(fd, 8) !== 0) throw failure('flock');
}
