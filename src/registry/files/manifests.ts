/** Manifests: whole in the database, so that one look answers a pull and one sync makes a push durable. */
import { rm } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { StorageError } from '../storage-error.ts';
import type { Manifests, PutManifest, StoredManifest } from '../storage.ts';
import type { Core } from './core.ts';
import { leadingTo } from './leading-to.ts';
import { layoutBlobPath } from './paths.ts';
import { changeRepository, repositoryId } from './repositories.ts';

/** Characters of all annotations of one list of referrers: clients read 4 MiB. */
const mostAnnotations = 1024 * 1024;

interface Row {
  digest: Digest;
  mediaType: string;
  content: Uint8Array;
}

interface NamedRow extends Row {
  repository: number;
  touched: number;
}

export function createManifests(core: Core): Manifests {
  const { db, root } = core;
  const byTag = (repository: string, tag: string): Row | undefined => db.get<Row>(
    `SELECT m.digest, m.media_type AS mediaType, m.content FROM repositories r JOIN tags t ON t.repository = r.id AND t.name = ?
     JOIN manifests m ON m.repository = r.id AND m.digest = t.digest WHERE r.name = ?`, tag, repository);
  const byDigest = (repository: string, digest: Digest): NamedRow | undefined => db.get<NamedRow>(
    `SELECT m.digest, m.media_type AS mediaType, m.content, m.repository, m.touched FROM repositories r
     JOIN manifests m ON m.repository = r.id AND m.digest = ? WHERE r.name = ?`, digest, repository);
  return {
    async get(repository, name) {
      if ('tag' in name) {
        const row = byTag(repository, name.tag);
        return row && storedManifest(row);
      }
      const row = byDigest(repository, name.digest);
      if (row === undefined || row.touched > core.now() - core.touchInterval) return row && storedManifest(row);
      // As with blobs: a collection may have decided since.
      return db.transaction(() => {
        const still = byDigest(repository, name.digest);
        if (still === undefined) return undefined;
        touchManifest(core, still.repository, name.digest);
        return storedManifest(still);
      });
    },
    async put(repository, manifest) {
      db.transaction(() => {
        const id = changeRepository(core, repository);
        refuseMissing(core, id, manifest);
        for (const tag of manifest.tags) {
          const before = db.get<{ digest: Digest }>('SELECT digest FROM tags WHERE repository = ? AND name = ?', id, tag)?.digest;
          if (before === undefined || before === manifest.digest) continue;
          manifest.onMove?.(tag, before);
          touchManifest(core, id, before);
        }
        insertManifest(core, id, manifest);
        for (const tag of manifest.tags) {
          db.run('INSERT INTO tags (repository, name, digest, pushed) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET digest = excluded.digest, pushed = excluded.pushed',
            id, tag, manifest.digest, core.now());
        }
      });
      await core.sync.database();
    },
    async delete(repository, digest, onTag) {
      const gone = db.transaction(() => {
        const id = repositoryId(core, repository);
        if (id === undefined || db.get('SELECT 1 FROM manifests WHERE repository = ? AND digest = ?', id, digest) === undefined) return false;
        if (onTag) for (const name of leadingTo(db, id, digest).tags) onTag(name);
        db.run('DELETE FROM tags WHERE repository = ? AND digest = ?', id, digest);
        removeManifest(core, id, digest);
        changeRepository(core, repository);
        return true;
      });
      if (!gone) return false;
      await rm(layoutBlobPath(root, repository, digest), { force: true });
      await core.sync.database();
      return true;
    },
    async naming(repository, blob) {
      const row = db.get<Row>(
        `SELECT m.digest, m.media_type AS mediaType, m.content FROM repositories r JOIN named n ON n.repository = r.id AND n.target = ? AND n.kind = 'blob'
         JOIN manifests m ON m.repository = r.id AND m.digest = n.manifest WHERE r.name = ? LIMIT 1`, blob, repository);
      return row && storedManifest(row);
    },
    async referrers(repository, subject, { artifactType, limit, last = '' }) {
      type Found = { digest: Digest; mediaType: string; artifactType: string | null; length: number | null; size: number };
      const rows = db.all<Found>(
        `SELECT m.digest, m.media_type AS mediaType, m.artifact_type AS artifactType, length(m.annotations) AS length, m.size
         FROM repositories r JOIN manifests m ON m.repository = r.id AND m.subject = ?1 AND m.digest > ?2
         WHERE r.name = ?3 AND (?4 IS NULL OR m.artifact_type = ?4) ORDER BY m.digest LIMIT ?5`,
        subject, last, repository, artifactType ?? null, limit + 1);
      const annotations = (digest: Digest): string | null | undefined => db.get<{ annotations: string | null }>(
        'SELECT m.annotations FROM repositories r JOIN manifests m ON m.repository = r.id AND m.digest = ? WHERE r.name = ?', digest, repository)?.annotations;
      const items: Descriptor[] = [];
      let length = 0;
      for (const row of rows.slice(0, limit)) {
        length += row.length ?? 0;
        if (items.length > 0 && length > mostAnnotations) break;
        const text = row.length === null ? undefined : annotations(row.digest);
        items.push({
          mediaType: row.mediaType, digest: row.digest, size: row.size,
          ...(row.artifactType !== null && { artifactType: row.artifactType }),
          ...(text && { annotations: JSON.parse(text) as Record<string, string> }),
        });
      }
      return { items, more: rows.length > items.length };
    },
  };
}

/** Gives the manifest its grace time: somebody was told of it, or what led to it went; in a transaction. */
export function touchManifest({ db, now }: Core, repository: number, digest: Digest): void {
  db.run('UPDATE manifests SET touched = max(touched, ?) WHERE repository = ? AND digest = ?', now(), repository, digest);
}

/**
 * Removes a manifest and what it names, not the tags; in a transaction. Its file in the layout goes after that. What refers
 * to it, and what it named, has its grace time from now on.
 */
export function removeManifest({ db, now }: Core, repository: number, digest: Digest): void {
  db.run(
    `UPDATE manifests SET touched = max(touched, ?1) WHERE repository = ?2 AND digest IN
     (SELECT target FROM named WHERE repository = ?2 AND manifest = ?3 AND kind = 'manifest')`, now(), repository, digest);
  db.run('UPDATE manifests SET touched = max(touched, ?) WHERE repository = ? AND subject = ?', now(), repository, digest);
  db.run('DELETE FROM manifests WHERE repository = ? AND digest = ?', repository, digest);
  db.run('DELETE FROM named WHERE repository = ? AND manifest = ?', repository, digest);
}

function storedManifest({ digest, mediaType, content }: Row): StoredManifest {
  return { digest, mediaType, bytes: Buffer.from(content.buffer, content.byteOffset, content.byteLength) };
}

function insertManifest({ db, now }: Core, repository: number, { digest, mediaType, bytes, facts }: PutManifest): void {
  db.run(
    `INSERT INTO manifests (repository, digest, media_type, artifact_type, subject, annotations, size, pushed, touched, linked, content)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 0, ?9)
     ON CONFLICT DO UPDATE SET media_type = excluded.media_type, pushed = excluded.pushed, touched = excluded.touched, retired = NULL`,
    repository, digest, mediaType, facts.artifactType ?? null, facts.subject ?? null, facts.annotations ? JSON.stringify(facts.annotations) : null,
    bytes.length, now(), bytes);
  const name = (kind: string, targets: readonly Digest[]): void => {
    for (const target of targets) db.run('INSERT OR IGNORE INTO named (repository, manifest, kind, target) VALUES (?, ?, ?, ?)', repository, digest, kind, target);
  };
  name('blob', facts.blobs);
  name('manifest', facts.manifests);
}

function refuseMissing({ db }: Core, repository: number, { facts, require }: PutManifest): void {
  const lacks = (sql: string, digests: readonly Digest[]): Digest[] => digests.filter((digest) => db.get(sql, repository, digest) === undefined);
  const blobs = require.blobs
    ? lacks('SELECT 1 FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest AND b.state = 1 WHERE rb.repository = ? AND rb.digest = ?', facts.blobs)
    : [];
  const manifests = require.manifests ? lacks('SELECT 1 FROM manifests WHERE repository = ? AND digest = ?', facts.manifests) : [];
  if (blobs.length + manifests.length > 0) throw new StorageError({ fault: 'MISSING', blobs, manifests });
}
