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
}
