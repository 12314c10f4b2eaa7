/** The tables of the store. */
import type { Database } from './database.ts';
import { applyMigrations, versionOf } from './migrate.ts';

/**
 * One step per version; a store of version n runs those from n on. Never edit one that was released.
 * Times are milliseconds since 1970, digests are text, lists and documents are JSON.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, made INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  -- Files that a collection took out of blobs and that wait for their deletion.
  CREATE TABLE trash (digest TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  -- What was written in a boot of the machine and not synced: a blob, a toc or an unpacked tree.
  CREATE TABLE unsynced (
    kind TEXT NOT NULL, name TEXT NOT NULL, boot TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX unsynced_boot ON unsynced (boot, at);

  CREATE TABLE layers (
    diff_id TEXT PRIMARY KEY, size INTEGER NOT NULL, tree_digest TEXT NOT NULL, entries INTEGER NOT NULL, newest INTEGER,
    toc_size INTEGER NOT NULL, toc_digest TEXT NOT NULL, unpacked INTEGER NOT NULL, used INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE variants (
    diff_id TEXT NOT NULL, digest TEXT NOT NULL, descriptor TEXT NOT NULL, maker TEXT, PRIMARY KEY (diff_id, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX variants_digest ON variants (digest);

  CREATE TABLE images (
    digest TEXT PRIMARY KEY, descriptor TEXT NOT NULL, image_id TEXT NOT NULL, manifest TEXT NOT NULL, updated INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE names (name TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX names_digest ON names (digest);
  CREATE TABLE repo_digests (digest TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (digest, name)) STRICT, WITHOUT ROWID;
  -- Which blobs and layers an image needs; derived from its documents when it is put.
  CREATE TABLE image_blobs (image TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (image, digest)) STRICT, WITHOUT ROWID;
  CREATE TABLE image_layers (image TEXT NOT NULL, diff_id TEXT NOT NULL, PRIMARY KEY (image, diff_id)) STRICT, WITHOUT ROWID;

  CREATE TABLE records (
    key TEXT PRIMARY KEY, parts TEXT NOT NULL, scope TEXT NOT NULL, tree_digest TEXT NOT NULL, diff_id TEXT NOT NULL,
    created TEXT, took REAL NOT NULL, executed INTEGER NOT NULL, text TEXT NOT NULL, used INTEGER NOT NULL,
    evicted INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX records_tree ON records (tree_digest, scope);
  CREATE TABLE listings (key TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (key, digest)) STRICT, WITHOUT ROWID;
  CREATE TABLE slots (slot TEXT PRIMARY KEY, key TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE builds (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entry TEXT NOT NULL) STRICT;

  -- dirty: the handle was told of things that are not in leased yet.
  CREATE TABLE leases (
    id INTEGER PRIMARY KEY AUTOINCREMENT, home TEXT NOT NULL, pid INTEGER NOT NULL, start TEXT NOT NULL,
    expires INTEGER NOT NULL, dirty INTEGER NOT NULL
  ) STRICT;
  -- At most one row: a collection has waited for dirty leases since then.
  CREATE TABLE collecting (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL) STRICT;
  CREATE TABLE leased (
    lease INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (lease, kind, name)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE builds ADD COLUMN started INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE builds ADD COLUMN place TEXT;
  ALTER TABLE builds ADD COLUMN directory TEXT;
  ALTER TABLE builds ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE builds SET started = coalesce(json_extract(entry, '$.started'), 0);
  CREATE INDEX builds_started ON builds (started);
  CREATE INDEX builds_place ON builds (place, number) WHERE place IS NOT NULL;
  CREATE INDEX builds_directory ON builds (directory, number) WHERE directory IS NOT NULL;
  CREATE INDEX builds_logs ON builds (number, log_bytes) WHERE log_bytes > 0;
  CREATE TABLE build_names (name TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (name, number)) STRICT, WITHOUT ROWID;
  CREATE INDEX build_names_number ON build_names (number);
  INSERT OR IGNORE INTO build_names SELECT j.value, b.number FROM builds b, json_each(b.entry, '$.references') j;
  -- What base images of the history consisted of, so that the layer that changed can be told when the image is gone.
  CREATE TABLE base_layers (digest TEXT PRIMARY KEY, layers TEXT NOT NULL, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX base_layers_used ON base_layers (used);
  `,
  `
  -- Uploads that registries wait for. form: what becomes of the layer with this digest on its way; '' for a blob as it is.
  CREATE TABLE uploads (
    registry TEXT NOT NULL, repository TEXT NOT NULL, digest TEXT NOT NULL, form TEXT NOT NULL, location TEXT NOT NULL,
    bytes INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (registry, repository, digest, form)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX uploads_at ON uploads (at);
  CREATE TABLE seen_blobs (
    registry TEXT NOT NULL, digest TEXT NOT NULL, repository TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (registry, digest, repository)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX seen_blobs_at ON seen_blobs (at);
  CREATE INDEX seen_blobs_repository ON seen_blobs (registry, repository);
  `,
];

/** Brings the tables to the newest version; `onCreate` runs in the transaction that makes a new database. Throws STORE. */
export function migrate(db: Database, onCreate: () => void): void {
  applyMigrations(db, migrations, 'store', onCreate);
}

/** True when the tables are those of this version. */
export function isMigrated(db: Database): boolean {
  return versionOf(db) === migrations.length;
}
