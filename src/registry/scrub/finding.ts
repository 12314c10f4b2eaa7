/** What a scrub found, and what it did about it. */
import type { Digest } from '../../oci/digest.ts';
import type { Core } from '../files/core.ts';
import { leadingTo } from '../files/leading-to.ts';

/** Damage: content that the registry told to have and does not. */
export type Damage = 'corrupt blob' | 'missing blob' | 'corrupt manifest';
/** What is derived from content, or left over. */
export type Disorder = 'file without a row' | 'missing link' | 'layout file' | 'layout without a repository';

export interface Finding {
  what: Damage | Disorder;
  damage: boolean;
  digest?: Digest;
  /** Of a layout, or of a file below the root. */
  name?: string;
  bytes: number;
  /** Who has it. */
  hit: Hit[];
  /** How it was mended: `from registry.example/team/app`; undefined when it was not. */
  mended: string | undefined;
}

export interface Hit {
  repository: string;
  manifests: Digest[];
  tags: string[];
}

/** The manifests that name it in each repository, and the tags that lead to them, over indexes too. */
export function hitBy({ db }: Core, digest: Digest): Hit[] {
  const holders = db.all<{ id: number; name: string }>(
    `SELECT id, name FROM repositories WHERE id IN (SELECT repository FROM repository_blobs WHERE digest = ?1) ORDER BY name`, digest);
  return holders.map(({ id, name }) => manifestsOver(db, id, name, digest));
}

export function manifestsOver(db: Core['db'], id: number, repository: string, digest: Digest): Hit {
  return { repository, ...leadingTo(db, id, digest) };
}
