/** Lock files as they are read for a build: from the disk, or from a context that came from elsewhere. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { messageOf, SiruError } from '../../base/errors.ts';
import type { LayerStack } from '../layer-stack.ts';
import type { SharedSession } from '../shared-session.ts';
import { largestLock, parseLock } from './lock-file.ts';
import { createPins, type Pins } from './pins.ts';

/** Throws LOCK. */
export function readPins({ guard }: SharedSession, path: string): Pins {
  const name = basename(path);
  return createPins(parseLock(readLockFile(path), name), name, (text) => guard.mask(text));
}

export async function readPinsInside({ guard }: SharedSession, stack: LayerStack, path: string): Promise<Pins> {
  const name = basename(path);
  const bytes = await stack.readFile(path, largestLock);
  if (!bytes) throw new SiruError('LOCK', `${name} in the context is no file`, { hint: 'Remove it, or build with --no-lock.' });
  return createPins(parseLock(bytes, name), name, (text) => guard.mask(text));
}

/** Its bytes; one more than may be when it is longer. What lies beside a Dockerfile may be a stranger's. Throws LOCK. */
export function readLockFile(path: string): Buffer {
  try {
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      if (!fstatSync(fd).isFile()) throw new SiruError('LOCK', `${path} is no file`, { hint: 'Remove it, or build with --no-lock.' });
      const bytes = Buffer.allocUnsafe(Math.min(fstatSync(fd).size, largestLock) + 1);
      let size = 0;
      for (;;) {
        const got = readSync(fd, bytes, size, bytes.length - size, null);
        size += got;
        if (got === 0 || size === bytes.length) return bytes.subarray(0, size);
      }
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof SiruError) throw error;
    throw new SiruError('LOCK', `cannot read ${path}: ${messageOf(error)}`, { hint: 'Make it readable, or build with --no-lock.', cause: error });
  }
}
