/**
 * Opening and resolving paths as a process chrooted to a directory would: absolute symbolic links and `..` never lead out.
 */
import { closeSync, constants, lstatSync, openSync, readlinkSync } from 'node:fs';
import { constants as system } from 'node:os';
import { join } from 'node:path';
import { cString, errnoName, failure, lastErrno, native } from './native.ts';

const syscall = native('long syscall(long number, int root, const char *path, const void *how, size_t size)');
const openat2 = 437; // the same on all architectures
const maxLinks = 40; // the kernel's own bound

/**
 * Opens a path inside `root`. The kernel resolves it (openat2 with RESOLVE_IN_ROOT), so that nobody can swap a directory
 * for a link meanwhile; where it cannot (not Linux, or older than 5.6) the path is resolved step by step, which is safe
 * only while nobody else changes the tree.
 */
export function openInside(root: string, path: string, flags: number = constants.O_RDONLY, mode = 0): number {
  if (process.platform === 'linux') {
    const rootFd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const how = new BigUint64Array([
        BigInt(flags | 0o2000000), // O_CLOEXEC
        flags & (constants.O_CREAT ?? 0) ? BigInt(mode) : 0n, // must be 0 when nothing is created
        0x10n | 0x02n, // RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
      ]);
      for (let attempt = 0; ; attempt++) {
        const fd = syscall(openat2, rootFd, cString(path === '' ? '.' : path), new Uint8Array(how.buffer), 24);
        if (fd >= 0) return fd;
        const errno = lastErrno();
        const code = errnoName(errno);
        // EAGAIN: something was renamed while `..` was resolved.
        if ((code === 'EAGAIN' || code === 'EINTR') && attempt < 100) continue;
        if (code !== 'ENOSYS' && code !== 'EPERM') throw failure('openat2', path, undefined, errno);
        break;
      }
    } finally {
      closeSync(rootFd);
    }
  }
  const last = !(flags & (constants.O_NOFOLLOW ?? 0));
  return openSync(join(root, resolveInside(root, path, { last })), flags | (constants.O_NOFOLLOW ?? 0), mode);
}

/**
 * The path, relative to `root`, to which a path leads when all symbolic links are followed inside `root`. Parts that do
 * not exist are taken as written. With `last: false` a link in the last part is not followed. Throws ELOOP.
 */
export function resolveInside(root: string, path: string, options: { last?: boolean } = {}): string {
  const { last = true } = options;
  const todo = path.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  let missing = false;
  while (todo.length > 0) {
    const name = todo.pop()!;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done.pop();
      missing = false;
      continue;
    }
    done.push(name);
    if (missing || (!last && todo.every((part) => part === ''))) continue;
    const full = join(root, ...done);
    const stat = lstatSync(full, { throwIfNoEntry: false });
    if (!stat) missing = true;
    else if (stat.isSymbolicLink()) {
      if (++links > maxLinks) throw failure('resolve', path, undefined, system.errno.ELOOP);
      done.pop();
      const target = readlinkSync(full);
      if (target.startsWith('/')) done.length = 0;
      todo.push(...target.split('/').reverse());
    }
  }
  return done.join('/');
}
