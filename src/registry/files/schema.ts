/** The tables of a registry's file storage. One step per version; never edit one that was released. Times are milliseconds. */

export const registryMigrations: readonly string[] = [
  `
  -- changes counts what happened to the repository, written is the count that its layout on disk shows (layout.ts).
  CREATE TABLE repositories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, made INTEGER NOT NULL, changes INTEGER NOT NULL, written INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX repositories_stale ON repositories (id) WHERE changes <> written;

  -- state: 0 arriving, 1 here, 2 leaving (storage.ts tells the life of a blob).
  -- touched: when somebody was last told that it is here, to the minute; a collection leaves it alone for the grace time.
  CREATE TABLE blobs (
    digest TEXT PRIMARY KEY, size INTEGER NOT NULL, state INTEGER NOT NULL, made INTEGER NOT NULL, touched INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- linked: 1 when the layout of the repository has the file.
  CREATE TABLE repository_blobs (
    repository INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, touched INTEGER NOT NULL, linked INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX repository_blobs_digest ON repository_blobs (digest, repository);
  CREATE INDEX repository_blobs_unlinked ON repository_blobs (repository) WHERE linked = 0;

  -- pulled: the last pull, by tag or digest, some seconds late.
  CREATE TABLE manifests (
    repository INTEGER NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, artifact_type TEXT, subject TEXT, annotations TEXT,
    size INTEGER NOT NULL, pushed INTEGER NOT NULL, pulled INTEGER, linked INTEGER NOT NULL, content BLOB NOT NULL,
    UNIQUE (repository, digest)
  ) STRICT;
  CREATE INDEX manifests_subject ON manifests (repository, subject, digest) WHERE subject IS NOT NULL;
  CREATE INDEX manifests_unlinked ON manifests (repository) WHERE linked = 0;
  -- What manifests name: kind blob or manifest. A subject is in manifests, and needs not be here.
  CREATE TABLE named (
    repository INTEGER NOT NULL, manifest TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
    PRIMARY KEY (repository, manifest, kind, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX named_target ON named (repository, target);

  CREATE TABLE tags (
    repository INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, pushed INTEGER NOT NULL, pulled INTEGER,
    PRIMARY KEY (repository, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_digest ON tags (repository, digest);

  -- bytes: what the last request left; the file is the truth. touched: when the last request ended.
  CREATE TABLE uploads (
    id TEXT PRIMARY KEY, repository TEXT NOT NULL, algorithm TEXT NOT NULL, bytes INTEGER NOT NULL, started INTEGER NOT NULL, touched INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX uploads_touched ON uploads (touched);
  `,
  `
  -- touched: when it was pushed, lost a tag or its subject, or somebody was told by digest that it is here; to the minute.
  -- retired: when retention took its tags, or a collection what led to it: it goes after the grace time whatever the rule for untagged ones.
  ALTER TABLE manifests ADD COLUMN touched INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE manifests ADD COLUMN retired INTEGER;
  UPDATE manifests SET touched = pushed;

  -- The collection that runs, or that its collector left in the middle (garbage/lease.ts). beat: its last sign of life.
  -- stepped: when a server last saw the clock step.
  CREATE TABLE collection (
    id INTEGER PRIMARY KEY CHECK (id = 1), owner TEXT, beat INTEGER NOT NULL, phase INTEGER NOT NULL, place TEXT NOT NULL,
    begun INTEGER NOT NULL, ended INTEGER NOT NULL, stepped INTEGER NOT NULL
  ) STRICT;
  INSERT INTO collection (id, owner, beat, phase, place, begun, ended, stepped) VALUES (1, NULL, 0, 0, '', 0, 0, 0);
  `,
];
