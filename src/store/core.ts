/** What the parts of the store share: where it is, its database, whose handle it is and what that handle holds. */
import type { Database } from './database.ts';
import type { Leases } from './leases.ts';
import type { Owner } from './owner.ts';

export interface Core {
  /** Absolute. */
  readonly root: string;
  readonly db: Database;
  readonly owner: Owner;
  /** See bootId(). */
  readonly boot: string;
  readonly leases: Leases;
  temporary(suffix?: string): string;
  /** True once this handle has written a blob, a table of contents or a tree. */
  wrote: boolean;
}
