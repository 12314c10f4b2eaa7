/** Images: what is kept by its digest, and the names that point to it. */
import { SiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Core } from './core.ts';
import { imageNeeds } from './image-needs.ts';
import type { ImageNeeds } from './image-needs.ts';
import { writeIndexJson } from './index-json.ts';
import type { Blobs, Images, StoredImage } from './store.ts';

interface Row {
  digest: Digest;
  descriptor: string;
  image_id: Digest;
  manifest: Digest;
  updated: number;
}

const columns = 'i.digest, i.descriptor, i.image_id, i.manifest, i.updated';

export function createImages(core: Core, blobs: Blobs): Images {
  const { db, leases } = core;

  const imageOf = (row: Row): StoredImage => ({
    descriptor: JSON.parse(row.descriptor) as Descriptor,
    imageId: row.image_id,
    manifest: row.manifest,
    names: db.all<{ name: string }>('SELECT name FROM names WHERE digest = ? ORDER BY name', row.digest).map(({ name }) => name),
    repoDigests: db
      .all<{ name: string }>('SELECT name FROM repo_digests WHERE digest = ? ORDER BY name', row.digest)
      .map(({ name }) => name),
    updated: row.updated,
  });
  const mustExist = (digest: Digest): void => {
    if (db.get('SELECT 1 FROM images WHERE digest = ?', digest) === undefined) {
      throw new SiruError('NOT_FOUND', `the store keeps no image ${digest}`);
    }
  };

  return {
    put(image) {
      leases.open();
      const { descriptor, imageId, manifest } = image;
      // What a manifest needs follows from its digest; of an index other platforms may be here now.
      const same = manifest === descriptor.digest && db.run(
        'UPDATE images SET updated = ? WHERE digest = ? AND descriptor = ? AND image_id = ? AND manifest = ?',
        Date.now(), descriptor.digest, JSON.stringify(descriptor), imageId, manifest,
      );
      if (same === 1) return;
      const needs = imageNeeds(blobs, image);
      db.transaction(() => {
        insertImage(core, image, needs);
        writeIndexJson(core);
      });
    },
    tag(name, digest) {
      checkName(name);
      return db.transaction(() => {
        mustExist(digest);
        const before = db.get<{ digest: Digest }>('SELECT digest FROM names WHERE name = ?', name)?.digest;
        db.run('INSERT OR REPLACE INTO names (name, digest) VALUES (?, ?)', name, digest);
        db.run('UPDATE images SET updated = ? WHERE digest = ?', Date.now(), digest);
        if (before !== digest) writeIndexJson(core);
        return before;
      });
    },
    untag(name) {
      return db.transaction(() => {
        if (db.run('DELETE FROM names WHERE name = ?', name) === 0) return false;
        writeIndexJson(core);
        return true;
      });
    },
    addRepoDigest(digest, repoDigest) {
      checkName(repoDigest);
      db.transaction(() => {
        mustExist(digest);
        db.run('INSERT OR IGNORE INTO repo_digests (digest, name) VALUES (?, ?)', digest, repoDigest);
      });
    },
    byName(name) {
      const row = db.get<Row>(`SELECT ${columns} FROM names n JOIN images i ON i.digest = n.digest WHERE n.name = ?`, name);
      return row && imageOf(row);
    },
    byId(prefix) {
      const hex = prefix.startsWith('sha256:') ? prefix.slice(7) : prefix;
      if (!/^[0-9a-f]{1,64}$/.test(hex)) return [];
      const [from, to] = [`sha256:${hex}`, `sha256:${hex}g`];
      const within = (column: string): string => `(i.${column} >= ? AND i.${column} < ?)`;
      return db
        .all<Row>(
          `SELECT ${columns} FROM images i WHERE ${within('digest')} OR ${within('image_id')} OR ${within('manifest')}
           ORDER BY i.updated DESC, i.digest`,
          from, to, from, to, from, to,
        )
        .map(imageOf);
    },
    list: () => db.all<Row>(`SELECT ${columns} FROM images i ORDER BY i.updated DESC, i.digest`).map(imageOf),
    remove(digest) {
      db.transaction(() => {
        mustExist(digest);
        forgetImage(core, digest);
        writeIndexJson(core);
      });
    },
  };
}

/** Writes an image's rows; in a transaction. */
export function insertImage(core: Core, image: Parameters<Images['put']>[0], needs: ImageNeeds): void {
  const { db } = core;
  const { digest } = image.descriptor;
  db.run(
    `INSERT INTO images (digest, descriptor, image_id, manifest, updated) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (digest) DO UPDATE SET descriptor = excluded.descriptor, image_id = excluded.image_id,
       manifest = excluded.manifest, updated = excluded.updated`,
    digest, JSON.stringify(image.descriptor), image.imageId, image.manifest, Date.now(),
  );
  db.run('DELETE FROM image_blobs WHERE image = ?', digest);
  db.run('DELETE FROM image_layers WHERE image = ?', digest);
  for (const blob of needs.blobs) db.run('INSERT INTO image_blobs (image, digest) VALUES (?, ?)', digest, blob);
  for (const diffId of needs.diffIds) db.run('INSERT INTO image_layers (image, diff_id) VALUES (?, ?)', digest, diffId);
}

/** Deletes an image's rows; in a transaction. */
export function forgetImage(core: Core, digest: Digest): void {
  core.db.run('DELETE FROM images WHERE digest = ?', digest);
  core.db.run('DELETE FROM names WHERE digest = ?', digest);
  core.db.run('DELETE FROM repo_digests WHERE digest = ?', digest);
  core.db.run('DELETE FROM image_blobs WHERE image = ?', digest);
  core.db.run('DELETE FROM image_layers WHERE image = ?', digest);
}

function checkName(name: string): void {
  // The grammar is the caller's to check; here only what would break files and tables.
  if (name.length === 0 || name.length > 1024 || /[\s\p{Cc}]/u.test(name)) {
    throw new SiruError('REFERENCE', `not a name for an image: ${JSON.stringify(name.slice(0, 200))}`);
  }
}
