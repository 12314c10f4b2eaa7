/** Making special files. */
import { cString, failure, native, type Path } from './native.ts';

const mknodCall = native('int mknod(const char *path, unsigned int mode, unsigned long device)');

/** A device number as Linux packs it (glibc's makedev). */
export function deviceNumber(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return (b & 0xffn) | ((a & 0xfffn) << 8n) | ((b & ~0xffn) << 12n) | ((a & ~0xfffn) << 32n);
}

/** The major and minor of a device number as `lstat` gives it (`rdev`). */
export function deviceParts(device: number): { major: number; minor: number } {
  const low = device % 2 ** 32;
  const high = Math.floor(device / 2 ** 32);
  return { major: ((low >>> 8) & 0xfff) + Math.floor(high / 4096) * 4096, minor: (low & 0xff) + ((low >>> 20) << 8) + (high & 0xfff) * 2 ** 20 };
}

/** mknod(2). `mode` holds permission bits, which the umask reduces. Throws EPERM for devices in a user namespace. */
export function makeNode(path: Path, type: 'char' | 'block' | 'fifo', mode: number, major = 0, minor = 0): void {
  const bits = type === 'char' ? 0o020000 : type === 'block' ? 0o060000 : 0o010000;
  if (mknodCall(cString(path), bits | (mode & 0o7777), type === 'fifo' ? 0 : deviceNumber(major, minor)) !== 0) {
    throw failure('mknod', path);
  }
}
