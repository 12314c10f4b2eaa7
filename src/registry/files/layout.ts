/**
 * The OCI image layout of each repository, for other tools: hard links of its blobs, its manifests, and index.json. It is
 * derived from the database and written a moment after a change, so that a push into a repository with 100,000 tags does not
 * pay for it. A repository whose layout was not written before a kill is written at the next start: its counts differ.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { errnoOf } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Database } from '../../store/database.ts';
import { blobPath, layoutBlobPath, layoutPath, ownFolder } from './paths.ts';

export interface Layouts extends AsyncDisposable {
  /** The repository's layout is to be written; cheap. */
  changed(repository: string): void;
  /** Writes all that is to be written, those of other processes and of a time before too. */
  flush(): Promise<void>;
}

const refName = 'org.opencontainers.image.ref.name';

/** Milliseconds after a change; and at least this many times as long as the writing took the last time. */
const shortestDelay = 2000;
const restFactor = 20;

/** Rows that are read before others have their turn. */
const batch = 500;

/** `onError` is told when a layout cannot be written: it stays to be written. */
export function createLayouts(root: string, db: Database, onError: (error: unknown) => void): Layouts {
  const stale = new Set<string>();
  // Two storages on one root, in one process too, must not write to one file.
  const temporary = join(root, ownFolder, 'tmp', `layout-${randomUUID()}`);
  let timer: NodeJS.Timeout | undefined;
  let delay = shortestDelay;
  let working: Promise<void> = Promise.resolve();
  let closed = false;

  const writeStale = async (): Promise<void> => {
    timer = undefined;
    const begun = performance.now();
    const names = [...stale];
    stale.clear();
    for (const name of names) {
      await writeLayout(root, db, name, temporary).catch((error: unknown) => {
        // A collection took the repository, and its folder, meanwhile.
        if (db.get('SELECT 1 FROM repositories WHERE name = ?', name) === undefined) return;
        stale.add(name);
        onError(error);
      });
    }
    delay = Math.max(shortestDelay, (performance.now() - begun) * restFactor);
  };
  const schedule = (): void => {
    if (timer !== undefined || closed) return;
    timer = setTimeout(() => {
      working = working.then(writeStale).then(() => {
        if (stale.size > 0) schedule();
      });
    }, delay);
    timer.unref();
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    for (const { name } of db.all<{ name: string }>('SELECT name FROM repositories WHERE changes <> written')) stale.add(name);
    return (working = working.then(writeStale));
  };
  return {
    changed(repository) {
      stale.add(repository);
      schedule();
    },
    flush,
    async [Symbol.asyncDispose]() {
      closed = true;
      await flush();
    },
  };
}

/** Until what is on disk is what the database has: another process may write the same layout meanwhile. */
async function writeLayout(root: string, db: Database, repository: string, temporary: string): Promise<void> {
  const find = (): { id: number; changes: number } | undefined => db.get('SELECT id, changes FROM repositories WHERE name = ?', repository);
  for (let before = find(); before !== undefined; ) {
    const folder = layoutPath(root, repository);
    await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
    await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}', { flag: 'wx' }).catch(ignore('EEXIST'));
    await linkBlobs(root, db, repository, before.id);
    await writeManifests(root, db, repository, before.id, temporary);
    await writeIndex(root, db, repository, before.id, temporary);
    db.run('UPDATE repositories SET written = max(written, ?) WHERE id = ?', before.changes, before.id);
    const after = find();
    if (after?.id === before.id && after.changes === before.changes) return;
    before = after;
  }
}

async function linkBlobs(root: string, db: Database, repository: string, id: number): Promise<void> {
  const has = (digest: Digest): boolean => db.get('SELECT 1 FROM repository_blobs WHERE repository = ? AND digest = ?', id, digest) !== undefined;
  const unlinked = (): { digest: Digest }[] => db.all('SELECT digest FROM repository_blobs WHERE repository = ? AND linked = 0 LIMIT ?', id, batch);
  for (let rows = unlinked(); rows.length > 0; rows = unlinked()) {
    for (const { digest } of rows) {
      const path = layoutBlobPath(root, repository, digest);
      await mkdir(dirname(path), { recursive: true });
      await link(blobPath(root, digest), path).catch(ignore('EEXIST', 'ENOENT'));
      // It may have been taken from the repository while the link was made.
      if (!has(digest)) await rm(path, { force: true });
    }
    db.transaction(() => {
      for (const { digest } of rows) db.run('UPDATE repository_blobs SET linked = 1 WHERE repository = ? AND digest = ?', id, digest);
    });
  }
}

async function writeManifests(root: string, db: Database, repository: string, id: number, temporary: string): Promise<void> {
  const has = (digest: Digest): boolean => db.get('SELECT 1 FROM manifests WHERE repository = ? AND digest = ?', id, digest) !== undefined;
  const unlinked = (): { digest: Digest; content: Uint8Array }[] => db.all('SELECT digest, content FROM manifests WHERE repository = ? AND linked = 0 LIMIT ?', id, batch);
  for (let rows = unlinked(); rows.length > 0; rows = unlinked()) {
    for (const { digest, content } of rows) {
      const path = layoutBlobPath(root, repository, digest);
      await mkdir(dirname(path), { recursive: true });
      await writeWhole(path, content, temporary);
      if (!has(digest)) await rm(path, { force: true });
    }
    db.transaction(() => {
      for (const { digest } of rows) db.run('UPDATE manifests SET linked = 1 WHERE repository = ? AND digest = ?', id, digest);
    });
  }
}

/** A descriptor for each tag, and one without a name for each manifest that neither a tag nor an index leads to. */
async function writeIndex(root: string, db: Database, repository: string, id: number, temporary: string): Promise<void> {
  type Row = { digest: Digest; mediaType: string; artifactType: string | null; size: number; name: string };
  const columns = 'm.digest, m.media_type AS mediaType, m.artifact_type AS artifactType, m.size';
  const queries = [
    `SELECT ${columns}, t.name FROM tags t JOIN manifests m ON m.repository = t.repository AND m.digest = t.digest
     WHERE t.repository = ? AND t.name > ? ORDER BY t.name LIMIT ?`,
    `SELECT ${columns}, m.digest AS name FROM manifests m WHERE m.repository = ? AND m.digest > ?
     AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.repository = m.repository AND t.digest = m.digest)
     AND NOT EXISTS (SELECT 1 FROM named n WHERE n.repository = m.repository AND n.target = m.digest) ORDER BY m.digest LIMIT ?`,
  ];
  const out = await open(temporary, 'w');
  try {
    let lead = `{"schemaVersion":2,"mediaType":"${mediaTypes.index}","manifests":[`;
    for (const [position, query] of queries.entries()) {
      let last = '';
      for (let rows: Row[]; (rows = db.all<Row>(query, id, last, batch)).length > 0; last = rows.at(-1)!.name) {
        const text = rows.map((row) => {
          const descriptor: Descriptor = { mediaType: row.mediaType, digest: row.digest, size: row.size };
          if (row.artifactType !== null) descriptor.artifactType = row.artifactType;
          if (position === 0) descriptor.annotations = { [refName]: row.name };
          return JSON.stringify(descriptor);
        }).join(',\n');
        await out.writeFile(lead + text);
        lead = ',\n';
        await breathe();
      }
    }
    await out.writeFile(lead.startsWith('{') ? `${lead}]}\n` : ']}\n');
  } finally {
    await out.close();
  }
  await rename(temporary, join(layoutPath(root, repository), 'index.json'));
}

/** A file that nobody sees half of, if it is not there with these bytes already. */
async function writeWhole(path: string, bytes: Uint8Array, temporary: string): Promise<void> {
  const there = await readFile(path).catch(() => undefined);
  if (there?.equals(bytes)) return;
  await writeFile(temporary, bytes);
  await rename(temporary, path);
}

function ignore(...codes: string[]): (error: unknown) => void {
  return (error) => {
    if (!codes.includes(errnoOf(error) ?? '')) throw error;
  };
}
