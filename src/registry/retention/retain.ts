/**
 * Retention over a whole registry: tags that their policy does not keep go. Their manifests go with the next collection after the
 * grace time, whatever its rule for untagged manifests is, unless somebody tags them again.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { Digest } from '../../oci/digest.ts';
import type { Core } from '../files/core.ts';
import { touchManifest } from '../files/manifests.ts';
import { changeRepository } from '../files/repositories.ts';
import { chooseTags, policyFor } from './choose-tags.ts';
import type { TagFacts } from './choose-tags.ts';
import type { RetentionPolicy } from './policy.ts';

export interface RetainOptions {
  policies: readonly RetentionPolicy[];
  /** False: only tells what would go. */
  apply: boolean;
  /** Tags that never go. */
  isImmutable?: (repository: string, tag: string) => boolean;
  signal?: AbortSignal;
  onGone?: (tag: GoneTag) => void;
}

export interface GoneTag {
  repository: string;
  tag: string;
  digest: Digest;
  pushed: number;
  pulled: number | undefined;
  why: string;
}

interface Row extends TagFacts {
  digest: Digest;
}

/** Tags in a transaction. */
const batch = 100;

/** Gives how many tags were looked at, in repositories that have a policy. */
export async function retain(core: Core, { policies, apply, isImmutable = () => false, signal, onGone = () => {} }: RetainOptions): Promise<number> {
  const { db } = core;
  let looked = 0;
  for (const { id, name } of db.all<{ id: number; name: string }>('SELECT id, name FROM repositories ORDER BY name')) {
    const policy = policyFor(policies, name);
    if (policy === undefined) continue;
    const rows = tagsOf(core, id);
    looked += rows.length;
    const choices = chooseTags(rows, policy.rules, core.now());
    const going = rows.flatMap((row): GoneTag[] => {
      const choice = choices.get(row.name);
      if (choice === undefined || choice.keep || isImmutable(name, row.name) || belongsToImage(core, id, row.name)) return [];
      return [{ repository: name, tag: row.name, digest: row.digest, pushed: row.pushed, pulled: row.pulled, why: choice.why }];
    });
    for (let at = 0; at < going.length; at += batch) {
      signal?.throwIfAborted();
      const some = going.slice(at, at + batch);
      const gone = apply ? db.transaction(() => some.filter((tag) => take(core, id, tag))) : some;
      for (const tag of gone) onGone(tag);
      await breathe();
    }
  }
  if (apply) await core.sync.database();
  return looked;
}

function tagsOf({ db }: Core, repository: number): Row[] {
  type Found = { name: string; digest: Digest; pushed: number; pulled: number | null };
  return db.all<Found>(
    `SELECT t.name, t.digest, t.pushed, nullif(max(coalesce(t.pulled, 0), coalesce(m.pulled, 0)), 0) AS pulled
     FROM tags t LEFT JOIN manifests m ON m.repository = t.repository AND m.digest = t.digest WHERE t.repository = ? ORDER BY t.name`, repository)
    .map(({ pulled, ...row }) => ({ ...row, pulled: pulled ?? undefined }));
}

/** Signatures and lists of referrers under `sha256-<hex>`: they stay as long as the image is here. */
function belongsToImage({ db }: Core, repository: number, tag: string): boolean {
  const [, algorithm, hex] = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\.|$)/.exec(tag) ?? [];
  return hex !== undefined && db.get('SELECT 1 FROM manifests WHERE repository = ? AND digest = ?', repository, `${algorithm}:${hex}`) !== undefined;
}

/** In a transaction. False when the tag has moved meanwhile. */
function take(core: Core, id: number, { repository, tag, digest, pushed }: GoneTag): boolean {
  const { db } = core;
  if (db.run('DELETE FROM tags WHERE repository = ? AND name = ? AND digest = ? AND pushed = ?', id, tag, digest, pushed) === 0) return false;
  touchManifest(core, id, digest);
  db.run(
    `UPDATE manifests SET retired = ?1 WHERE repository = ?2 AND digest = ?3
     AND NOT EXISTS (SELECT 1 FROM tags WHERE repository = ?2 AND digest = ?3)`, core.now(), id, digest);
  changeRepository(core, repository);
  return true;
}
