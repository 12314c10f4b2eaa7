/** What the parts of a file storage share. */
import type { Database } from '../../store/database.ts';
import type { Layouts } from './layout.ts';
import type { Sync } from './sync.ts';

export interface Core {
  /** Absolute. */
  root: string;
  db: Database;
  sync: Sync;
  layouts: Layouts;
  /** Told of memory from the network that became garbage. */
  onGarbage?: ((bytes: number) => void) | undefined;
  /** Milliseconds of the clock that all servers of the root share. */
  now: () => number;
  /**
   * Milliseconds for which what was told to be here is not told of anew in the database. A collection adds it to its grace
   * time.
   */
  touchInterval: number;
}
