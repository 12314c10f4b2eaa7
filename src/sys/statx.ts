/** What lstat(2) says of the names in a directory, without an object for each: for lists of ten thousands. */
import { endianness } from 'node:os';
import { native } from './native.ts';

export interface Statx {
  /** Of the last file: device, inode, size, mtime and ctime in milliseconds, mode, as node:fs has them. */
  readonly values: Float64Array;
  /** `folder` is the descriptor of an open directory. False when the kernel did not tell. */
  of(folder: number, name: string): boolean;
}

const statxCall = native('int statx(int folder, const char *name, int flags, unsigned int mask, void *out)');

/** AT_SYMLINK_NOFOLLOW and AT_NO_AUTOMOUNT: as lstat(2). */
const flags = 0x100 | 0x800;
const basicStats = 0x7ff;
const high = 2 ** 32;

/** Undefined where there is no such call. Not for names that are not well-formed. */
export function createStatx(): Statx | undefined {
  if (process.platform !== 'linux' || endianness() !== 'LE') return undefined;
  const words = new Uint32Array(64);
  const bytes = new Uint8Array(words.buffer);
  const values = new Float64Array(6);
  const call = (folder: number, name: string): boolean => {
    if (statxCall(folder, name, flags, basicStats, bytes) !== 0) return false;
    const major = words[34]!;
    const minor = words[35]!;
    // As makedev(3).
    values[0] = Math.floor(major / 0x1000) * 0x1000 * high + (major % 0x1000) * 0x100 + (minor % 0x100) + (minor - (minor % 0x100)) * 0x1000;
    values[1] = words[8]! + words[9]! * high;
    values[2] = words[10]! + words[11]! * high;
    values[3] = milliseconds(28);
    values[4] = milliseconds(24);
    values[5] = words[7]! & 0xffff;
    return true;
  };
  const milliseconds = (at: number): number => ((words[at + 1]! | 0) * high + words[at]!) * 1000 + words[at + 2]! / 1e6;
  try {
    call(-1, '/');
  } catch {
    return undefined;
  }
  return { values, of: call };
}
