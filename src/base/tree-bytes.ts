/** How much lies below a folder. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of the files below a folder; what cannot be read counts nothing. */
export function treeBytes(folder: string): number {
  let total = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      total += entry.isDirectory() ? treeBytes(path) : (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0);
    }
  } catch {}
  return total;
}
