/** Extended attributes with byte values; symbolic links are never followed. */
import { constants } from 'node:os';
import { cString, failure, lastErrno, native, type Path } from './native.ts';

const listCall = native('long llistxattr(const char *path, void *list, size_t size)');
const getCall = native('long lgetxattr(const char *path, const char *name, void *value, size_t size)');
const setCall = native('int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)');
const removeCall = native('int lremovexattr(const char *path, const char *name)');

/** The kernel's own bound for a value and for a list of names (linux/limits.h). */
const limit = 65536;
/** Tried first: the kernel allocates what it is offered, at each call. */
const usual = 512;
let scratch: Buffer | undefined;

/** Calls with the small size, then with the largest. Returns the size of the answer, or -errno. */
function ask(call: (size: number) => number): number {
  let size = call(usual);
  if (size >= 0) return size;
  let errno = lastErrno();
  if (errno === constants.errno.ERANGE) {
    size = call(limit);
    if (size >= 0) return size;
    errno = lastErrno();
  }
  return -errno;
}

/** True for the answer of a file system that has no attributes. */
function unsupported(errno: number): boolean {
  return errno === constants.errno.ENOTSUP || errno === constants.errno.EOPNOTSUPP;
}

/** Names of the attributes. Empty where the file system or the system has none. */
export function listXattrs(path: Path): string[] {
  if (process.platform !== 'linux') return [];
  const buffer = (scratch ??= Buffer.allocUnsafeSlow(limit));
  const name = cString(path);
  const size = ask((room) => listCall(name, buffer, room));
  if (size < 0) {
    if (unsupported(-size)) return [];
    throw failure('llistxattr', path, undefined, -size);
  }
  return size === 0 ? [] : buffer.toString('utf8', 0, size - 1).split('\0');
}

/** The value of an attribute, or undefined when there is none. */
export function getXattr(path: Path, name: string): Buffer | undefined {
  if (process.platform !== 'linux') return undefined;
  const buffer = (scratch ??= Buffer.allocUnsafeSlow(limit));
  const [file, key] = [cString(path), cString(name)];
  const size = ask((room) => getCall(file, key, buffer, room));
  if (size >= 0) return Buffer.from(buffer.subarray(0, size));
  if (-size === constants.errno.ENODATA || unsupported(-size)) return undefined;
  throw failure('lgetxattr', path, undefined, -size);
}

/**
 * All attributes whose name `wanted` accepts; undefined when there are none. Costs one call for a file without any.
 */
export function readXattrs(path: Path, wanted: (name: string) => boolean = () => true): Record<string, Buffer> | undefined {
  const names = listXattrs(path);
  let found: Record<string, Buffer> | undefined;
  for (const name of names) {
    if (!wanted(name)) continue;
    const value = getXattr(path, name);
    if (value !== undefined) (found ??= {})[name] = value;
  }
  return found;
}

/** Sets an attribute. */
export function setXattr(path: Path, name: string, value: Uint8Array): void {
  if (setCall(cString(path), cString(name), value, value.length, 0) !== 0) throw failure('lsetxattr', path);
}

/** Removes an attribute; one that is not there is no error. */
export function removeXattr(path: Path, name: string): void {
  if (removeCall(cString(path), cString(name)) === 0) return;
  const errno = lastErrno();
  if (errno !== constants.errno.ENODATA) throw failure('lremovexattr', path, undefined, errno);
}
