/** Deleting and moving trees that may belong to other users. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { renameNoReplace } from '../sys/rename.ts';

/** Deletes a tree; a missing one is ignored. Throws STORE. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw new SiruError('STORE', `cannot remove ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Renames a directory; the folder above its new place is made. When the new place is taken already, the old one is removed. See Executor.move. */
export function moveTree(from: string, to: string, fresh = false): void {
  try {
    mkdirSync(dirname(to), { recursive: true });
    if (fresh) renameNoReplace(from, to);
    else renameSync(from, to);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw new SiruError('STORE', `cannot move ${from} to ${to}: ${messageOf(error)}`, { cause: error });
    removeTree(from);
  }
}
