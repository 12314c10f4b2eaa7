/** Manifests stand in the database; one whose bytes are wrong is brought again, or not served any more: its tags stay. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import { removeManifest } from '../files/manifests.ts';
import { layoutBlobPath } from '../files/paths.ts';
import { algorithmOf } from '../names.ts';
import { manifestsOver } from './finding.ts';
import type { Work } from './work.ts';

interface Row {
  id: number;
  repository: number;
  name: string;
  digest: Digest;
  content: Uint8Array;
}

/** Rows at once: each may have 4 MiB. */
const manifestWindow = 16;

export async function checkManifests(work: Work): Promise<void> {
  const { core: { db }, counts } = work;
  const next = (last: number): Row[] => db.all(
    `SELECT m.rowid AS id, m.repository, r.name, m.digest, m.content FROM manifests m JOIN repositories r ON r.id = m.repository
     WHERE m.rowid > ? ORDER BY m.rowid LIMIT ?`, last, manifestWindow);
  for (let rows = next(0); rows.length > 0; rows = next(rows.at(-1)!.id)) {
    for (const row of rows) {
      work.signal?.throwIfAborted();
      counts.manifests++;
      if (!isIt(row.content, row.digest)) await mend(work, row);
      await work.pace(row.content.length);
    }
  }
}

function isIt(bytes: Uint8Array, digest: Digest): boolean {
  return `${algorithmOf(digest)}:${createHash(algorithmOf(digest)).update(bytes).digest('hex')}` === digest;
}

async function mend({ core, sources, found }: Work, { repository, name, digest, content }: Row): Promise<void> {
  const { db, root } = core;
  const hit = [manifestsOver(db, repository, name, digest)];
  const places: [string, () => Promise<Uint8Array>][] = [
    [`from the layout of ${name}`, () => readFile(layoutBlobPath(root, name, digest))],
    ...sources.filter((source) => source.at(name) !== undefined).map((source): [string, () => Promise<Uint8Array>] => [`from ${source.at(name)}`, () => source.manifest(name, digest)]),
  ];
  let mended: string | undefined;
  for (const [place, read] of places) {
    const bytes = await read().catch(() => undefined);
    if (bytes === undefined || !isIt(bytes, digest)) continue;
    db.run('UPDATE manifests SET content = ?, size = ?, linked = 0 WHERE repository = ? AND digest = ?', bytes, bytes.length, repository, digest);
    mended = place;
    break;
  }
  if (mended === undefined) {
    db.transaction(() => {
      // Whoever pushes the manifest again shall find its blobs: they have the grace time from now on.
      db.run(
        `UPDATE repository_blobs SET touched = max(touched, ?1) WHERE repository = ?2
         AND digest IN (SELECT target FROM named WHERE repository = ?2 AND manifest = ?3 AND kind = 'blob')`, core.now(), repository, digest);
      removeManifest(core, repository, digest);
    });
  }
  await core.sync.database();
  found({ what: 'corrupt manifest', damage: true, digest, bytes: content.length, hit, mended });
}
