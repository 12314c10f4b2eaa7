/** A megabyte that a collection gives up at its start, so that it can write its decisions on a full disk. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const bytes = 1024 * 1024;

export function ballastPath(root: string): string {
  return join(root, 'siru.ballast');
}

/** Best effort: a disk that is still full gets its ballast with the next collection. */
export function addBallast(root: string): void {
  const path = ballastPath(root);
  try {
    writeFileSync(path, Buffer.alloc(bytes), { flag: 'wx' });
  } catch (error) {
    // Half a ballast would never be completed.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(path, { force: true });
  }
}

export function dropBallast(root: string): void {
  rmSync(ballastPath(root), { force: true });
}
