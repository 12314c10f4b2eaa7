/** Reads a file of a mounted tree as a process in it would find it. */
import { closeSync, constants, fstatSync, readFileSync } from 'node:fs';
import { SiruError, errnoOf } from '../base/errors.ts';
import { openInside } from '../sys/inside-root.ts';

const largest = 10 * 1024 * 1024;

/** Undefined when there is no such regular file. Throws LAYER when it is larger than 10 MiB. */
export function readInside(root: string, path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openInside(root, path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    if (stat.size > largest) throw new SiruError('LAYER', `${path} of the image has ${stat.size} bytes; at most ${largest} are read of it`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
