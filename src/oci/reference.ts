/** Image references: `[domain/]path[:tag][@digest]` (grammar of distribution/reference). */
import type { Digest } from './digest.ts';

export interface Reference {
  /** `docker.io`, `localhost:5000`, ... */
  domain: string;
  /** `library/alpine`. */
  path: string;
  tag?: string;
  digest?: Digest;
}
