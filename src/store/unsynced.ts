/** What was written in this boot of the machine and not synced is remembered; boot.ts checks and syncs it. */
import type { Core } from './core.ts';

export type UnsyncedKind = 'blob' | 'toc' | 'tree';

/** In the transaction that names what was written. */
export function noteUnsynced(core: Core, kind: UnsyncedKind, name: string): void {
  core.wrote = true;
  core.db.run('INSERT OR REPLACE INTO unsynced (kind, name, boot, at) VALUES (?, ?, ?, ?)', kind, name, core.boot, Date.now());
}
