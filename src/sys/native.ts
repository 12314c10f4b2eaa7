/**
 * Calls into the C library for what Node lacks. This is the only file that touches koffi, and it loads it at the first
 * call, not before.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { SiruError, messageOf } from '../base/errors.ts';

/** A path as node:fs takes it: text, or bytes when the name is not UTF-8. */
export type Path = string | Uint8Array;

type Argument = string | Uint8Array | number | bigint | null;
export type NativeCall = (...args: Argument[]) => number;

interface Koffi {
  load(file: null): { func(definition: string): NativeCall };
  errno(): number;
  os: { errno: Record<string, number> };
}

let loaded: { koffi: Koffi; func: (definition: string) => NativeCall } | undefined;

function load(): NonNullable<typeof loaded> {
  if (loaded) return loaded;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const library = koffi.load(null); // the symbols of the running program, its C library (glibc or musl) among them
    loaded = { koffi, func: (definition) => library.func(definition) };
    return loaded;
  } catch (error) {
    throw new SiruError('UNSUPPORTED', `the C library cannot be called: ${messageOf(error)}`, {
      hint: 'Install Siru with its dependencies (npm install), on a platform for which koffi has a binary.',
      cause: error,
    });
  }
}

/** A function of the C library, bound when it is first called. Throws UNSUPPORTED where there is none on this system. */
export function native(definition: string, systems: readonly NodeJS.Platform[] = ['linux']): NativeCall {
  let bound: NativeCall | undefined;
  return (...args) => {
    if (bound === undefined) {
      const name = /(\w+)\(/.exec(definition)?.[1] ?? definition;
      if (!systems.includes(process.platform)) {
        throw new SiruError('UNSUPPORTED', `${name} does not exist on ${process.platform}`, { hint: 'Do this on Linux.' });
      }
      const { func } = load();
      try {
        bound = func(definition);
      } catch (error) {
        throw new SiruError('UNSUPPORTED', `this C library has no ${name}`, { cause: error });
      }
    }
    return bound(...args);
  };
}

/** The error number of the call that just failed. To be read before any other call. */
export function lastErrno(): number {
  return load().koffi.errno();
}

/** The name of an error number: `ENOENT`. */
export function errnoName(errno: number): string {
  const name = getSystemErrorName(-errno);
  if (/^E[A-Z0-9]+$/.test(name)) return name;
  // libuv does not know all of Linux's (ENOTBLK).
  const names = load().koffi.os.errno;
  return Object.keys(names).find((key) => names[key] === errno) ?? name;
}

export interface SystemCallError extends Error {
  code: string;
  errno: number;
  syscall: string;
  path?: string;
  dest?: string;
}

/** An error as node:fs makes them, for the call that just failed. */
export function failure(syscall: string, path?: Path, dest?: Path, errno: number = lastErrno()): SystemCallError {
  const code = errnoName(errno);
  let text: string;
  try {
    text = getSystemErrorMessage(-errno);
  } catch {
    text = `error ${errno}`;
  }
  const show = (name: Path): string => (typeof name === 'string' ? name : Buffer.from(name).toString());
  let message = `${code}: ${text}, ${syscall}`;
  if (path !== undefined) message += ` '${show(path)}'`;
  if (dest !== undefined) message += ` -> '${show(dest)}'`;
  const error = new Error(message) as SystemCallError;
  Object.assign(error, { errno: -errno, code, syscall });
  if (path !== undefined) error.path = show(path);
  if (dest !== undefined) error.dest = show(dest);
  return error;
}

/** A path or name as a C string. Throws EINVAL when it holds a NUL, which C would take for its end. */
export function cString(text: Path): string | Uint8Array {
  if (typeof text === 'string') {
    if (text.includes('\0')) throw failure('cstring', JSON.stringify(text), undefined, constants.errno.EINVAL);
    return text;
  }
  if (text.includes(0)) throw failure('cstring', JSON.stringify(Buffer.from(text).toString()), undefined, constants.errno.EINVAL);
  const bytes = new Uint8Array(text.length + 1);
  bytes.set(text);
  return bytes;
}
