/** tmp/: names that tell whose they are, and the removal of what dead processes left. */
import { lstatSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './owner.ts';
import type { Owner } from './owner.ts';

/** What a process of another machine or namespace left is removed after a day without a change, in milliseconds. */
const foreignAge = 24 * 3600 * 1000;
/** Of a blob that somebody may still go on with; see partials.ts. */
const mostPartialDays = 7;

/** Makes fresh paths in the folder. `nonce` tells the handles of one process apart. */
export function createTemporary(folder: string, owner: Owner, nonce: string): (suffix?: string) => string {
  const prefix = join(folder, `${owner.home}-${owner.pid}-${owner.start}-${nonce}`);
  let count = 0;
  return (suffix = '') => `${prefix}-${count++}${suffix}`;
}

/** Paths in tmp/ whose owners are gone. One readdir, and one look at each owner. */
export function abandoned(folder: string, self: Owner): string[] {
  const verdicts = new Map<string, boolean | undefined>();
  const gone: string[] = [];
  for (const name of readdirSync(folder)) {
    const match = /^([0-9a-f]{12})-(\d+)-(\d+)-/.exec(name);
    const path = join(folder, name);
    if (match === null) {
      if (isOld(path, name.startsWith('partial-') ? mostPartialDays * 24 * 3600 * 1000 : foreignAge)) gone.push(path);
      continue;
    }
    const [who, home, pid, start] = match as unknown as [string, string, string, string];
    if (!verdicts.has(who)) verdicts.set(who, isAlive({ home, pid: Number(pid), start }, self));
    const alive = verdicts.get(who);
    if (alive === false || (alive === undefined && isOld(path))) gone.push(path);
  }
  return gone;
}

function isOld(path: string, age = foreignAge): boolean {
  try {
    return lstatSync(path).mtimeMs < Date.now() - age;
  } catch {
    return false;
  }
}

/**
 * Removes files and trees; missing ones are fine. Gives those that could not be removed, as trees with files of
 * subordinate user ids.
 */
export async function removeAll(paths: string[]): Promise<string[]> {
  const left: string[] = [];
  for (const path of paths) {
    try {
      await rm(path, { recursive: true, force: true });
    } catch {
      left.push(path);
    }
  }
  return left;
}
