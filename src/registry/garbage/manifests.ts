/**
 * Manifests that nothing leads to, by policy. One that an index here names, or whose subject is here, is kept as long as that
 * is: what it leads to goes after it.
 */
import { rmSync } from 'node:fs';
import type { Digest } from '../../oci/digest.ts';
import { removeManifest } from '../files/manifests.ts';
import { layoutBlobPath } from '../files/paths.ts';
import { isFromFuture, isOlder, pairPlace, readPair, repositoryName, windowSize } from './ground.ts';
import type { Ground, Phase } from './ground.ts';

interface Candidate {
  size: number;
  subject: Digest | null;
  touched: number;
  retired: number | null;
}

export const manifestPhase: Phase = {
  name: 'manifests',
  look(ground, place) {
    const { db } = ground.core;
    const [repository, last] = readPair(place);
    const rows = db.all<{ repository: number; digest: Digest }>(
      'SELECT repository, digest FROM manifests WHERE (repository, digest) > (?, ?) ORDER BY repository, digest LIMIT ?', repository, last, windowSize);
    const end = rows.at(-1);
    if (end === undefined) return { next: undefined };
    const found = rows.filter((row) => reasonFor(ground, row.repository, row.digest) !== undefined);
    return {
      next: pairPlace(end.repository, end.digest),
      takes: found.map((row) => () => take(ground, row.repository, row.digest)),
    };
  },
};

function candidate({ core: { db } }: Ground, repository: number, digest: Digest): Candidate | undefined {
  // What leads to it is looked for first, in indexes: the rows themselves are large.
  if (db.get('SELECT 1 FROM tags WHERE repository = ? AND digest = ?', repository, digest) !== undefined) return undefined;
  if (db.get('SELECT 1 FROM named WHERE repository = ? AND target = ?', repository, digest) !== undefined) return undefined;
  return db.get<Candidate>('SELECT size, subject, touched, retired FROM manifests WHERE repository = ? AND digest = ?', repository, digest);
}

/** Why it goes; undefined when it stays. */
function reasonFor(ground: Ground, repository: number, digest: Digest): string | undefined {
  const { core: { db }, policy } = ground;
  const found = candidate(ground, repository, digest);
  if (found === undefined) return undefined;
  const { subject, touched, retired } = found;
  if (isFromFuture(ground, touched)) {
    db.run('UPDATE manifests SET touched = ? WHERE repository = ? AND digest = ?', ground.now(), repository, digest);
    return undefined;
  }
  if (subject !== null && db.get('SELECT 1 FROM manifests WHERE repository = ? AND digest = ?', repository, subject) !== undefined) return undefined;
  if (retired !== null) return isOlder(ground, touched, policy.grace) ? 'what led to it was collected' : undefined;
  const age = subject === null ? policy.untagged : policy.referrers;
  if (age === undefined || !isOlder(ground, touched, age)) return undefined;
  return subject === null ? 'nothing leads to it' : 'its subject is gone';
}

function take(ground: Ground, repository: number, digest: Digest): void {
  const { core, real, removed } = ground;
  const { db } = core;
  const why = reasonFor(ground, repository, digest);
  if (why === undefined) return;
  const { size } = candidate(ground, repository, digest)!;
  const name = repositoryName(ground, repository);
  // What it led to is not kept by the rule for untagged ones: it has the grace time.
  for (const led of ['subject = ?3', `digest IN (SELECT target FROM named WHERE repository = ?2 AND manifest = ?3 AND kind = 'manifest')`]) {
    db.run(
      `UPDATE manifests SET retired = ?1 WHERE repository = ?2 AND ${led} AND retired IS NULL
       AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.repository = ?2 AND t.digest = manifests.digest)`, ground.now(), repository, digest);
  }
  removeManifest(core, repository, digest);
  db.run('UPDATE repositories SET changes = changes + 1 WHERE id = ?', repository);
  if (real) {
    rmSync(layoutBlobPath(core.root, name, digest), { force: true });
    core.layouts.changed(name);
  }
  removed({ what: 'manifest', repository: name, digest, bytes: size, why });
}
