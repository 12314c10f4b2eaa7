/** That database and disk agree: files without rows, links and files that layouts lack, layouts of no repository. */
import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, statSync } from 'node:fs';
import { lstat, opendir, readFile, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import { blobFolder, blobPath, layoutBlobPath, layoutPath, ownFolder } from '../files/paths.ts';
import { removeLayout } from '../garbage/repositories.ts';
import { isRepositoryName, parseKnownDigest } from '../names.ts';
import { algorithms } from '../storage.ts';
import type { Disorder } from './finding.ts';
import { windowSize } from './work.ts';
import type { Work } from './work.ts';

export async function checkFiles(work: Work): Promise<void> {
  for (const algorithm of algorithms) {
    const folder = blobFolder(work.core.root, algorithm);
    for await (const name of namesIn(folder)) {
      work.signal?.throwIfAborted();
      checkBlobFile(work, join(folder, name), parseKnownDigest(`${algorithm}:${name}`));
    }
  }
  await removeAside(work);
}

/** The row comes before the file, so that a file without a row is nobody's. */
function checkBlobFile(work: Work, path: string, digest: Digest | undefined): void {
  const { core: { db, root } } = work;
  const hasRow = (): boolean => digest !== undefined && db.get('SELECT 1 FROM blobs WHERE digest = ?', digest) !== undefined;
  if (hasRow()) return;
  const bytes = db.transaction(() => {
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts === undefined || !facts.isFile() || hasRow()) return undefined;
    renameSync(path, join(root, ownFolder, 'tmp', `gone-${randomUUID()}`));
    return facts.size;
  });
  if (bytes !== undefined) tell(work, 'file without a row', relative(root, path), bytes, 'removed');
}

async function removeAside({ core: { root } }: Work): Promise<void> {
  const folder = join(root, ownFolder, 'tmp');
  for await (const name of namesIn(folder)) if (name.startsWith('gone-')) await rm(join(folder, name), { force: true });
}

interface Repository {
  id: number;
  name: string;
}

/** Layouts are written at once afterwards. */
export async function checkLayouts(work: Work): Promise<void> {
  const { core: { db, layouts }, counts } = work;
  await layouts.flush();
  const next = (last: number): Repository[] => db.all('SELECT id, name FROM repositories WHERE id > ? ORDER BY id LIMIT ?', last, windowSize);
  for (let rows = next(0); rows.length > 0; rows = next(rows.at(-1)!.id)) {
    for (const repository of rows) {
      counts.layouts++;
      await checkLinks(work, repository);
      await checkManifestFiles(work, repository);
      await checkLayoutFiles(work, repository);
    }
  }
  await checkStrangers(work, work.core.root);
  await layouts.flush();
}

async function checkLinks(work: Work, { id, name }: Repository): Promise<void> {
  const { core: { db, root } } = work;
  const next = (last: string): { digest: Digest; size: number }[] => db.all(
    `SELECT rb.digest, rb.size FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest AND b.state = 1
     WHERE rb.repository = ? AND rb.linked = 1 AND rb.digest > ? ORDER BY rb.digest LIMIT ?`, id, last, windowSize);
  for (let rows = next(''); rows.length > 0; rows = next(rows.at(-1)!.digest)) {
    work.signal?.throwIfAborted();
    for (const { digest, size } of rows) {
      const path = layoutBlobPath(root, name, digest);
      const [here, there] = await Promise.all([inodeOf(blobPath(root, digest)), inodeOf(path)]);
      if (here === there) continue;
      const done = db.transaction(() => {
        if (db.run('UPDATE repository_blobs SET linked = 0 WHERE repository = ? AND digest = ? AND linked = 1', id, digest) === 0) return false;
        rmSync(path, { force: true });
        change(work, { id, name });
        return true;
      });
      if (done) tell(work, 'missing link', name, size, 'linked again', digest);
    }
  }
}

async function checkManifestFiles(work: Work, { id, name }: Repository): Promise<void> {
  const { core: { db, root } } = work;
  type Row = { digest: Digest; content: Uint8Array };
  const next = (last: string): Row[] => db.all('SELECT digest, content FROM manifests WHERE repository = ? AND linked = 1 AND digest > ? ORDER BY digest LIMIT 16', id, last);
  for (let rows = next(''); rows.length > 0; rows = next(rows.at(-1)!.digest)) {
    for (const { digest, content } of rows) {
      const bytes = await readFile(layoutBlobPath(root, name, digest)).catch(() => undefined);
      if (bytes?.equals(content)) continue;
      if (db.run('UPDATE manifests SET linked = 0 WHERE repository = ? AND digest = ? AND linked = 1', id, digest) === 0) continue;
      change(work, { id, name });
      tell(work, 'layout file', name, content.length, 'written again', digest);
    }
  }
  for (const file of ['index.json', 'oci-layout']) {
    if ((await inodeOf(join(layoutPath(root, name), file))) !== undefined || db.run('UPDATE repositories SET written = -1 WHERE id = ?', id) === 0) continue;
    change(work, { id, name });
    tell(work, 'layout file', `${name}/${file}`, 0, 'written again');
  }
}

/** Files of a layout that the repository does not have: a kill came between. */
async function checkLayoutFiles(work: Work, { id, name }: Repository): Promise<void> {
  const { core: { db, root } } = work;
  for (const algorithm of algorithms) {
    const folder = join(layoutPath(root, name), 'blobs', algorithm);
    for await (const file of namesIn(folder)) {
      const digest = `${algorithm}:${file}`;
      const isKnown = (): boolean => ['repository_blobs', 'manifests'].some((table) => db.get(`SELECT 1 FROM ${table} WHERE repository = ? AND digest = ?`, id, digest) !== undefined);
      if (isKnown()) continue;
      const bytes = db.transaction(() => {
        const facts = statSync(join(folder, file), { throwIfNoEntry: false });
        if (facts === undefined || isKnown()) return undefined;
        rmSync(join(folder, file), { recursive: true, force: true });
        return facts.size;
      });
      if (bytes !== undefined) tell(work, 'layout file', `${name}/blobs/${algorithm}/${file}`, bytes, 'removed');
    }
  }
}

/** Below links lies what is not the registry's, and a layout with bytes that only it has may be somebody's: both stay. */
async function checkStrangers(work: Work, folder: string): Promise<void> {
  const { core: { db, root } } = work;
  for await (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (path === join(root, ownFolder) || name === 'blobs' || !(await lstat(path).catch(() => undefined))?.isDirectory()) continue;
    await checkStrangers(work, path);
    if ((await inodeOf(join(path, 'oci-layout'))) === undefined) continue;
    const repository = relative(root, path).split('/').map((part) => part.replace(/^_/, '')).join('/');
    if (layoutPath(root, repository) !== path || !isRepositoryName(repository) || (await hasOwnBytes(root, path))) continue;
    const done = db.transaction(() => {
      if (db.get('SELECT 1 FROM repositories WHERE name = ?', repository) !== undefined) return false;
      rmSync(join(path, 'blobs'), { recursive: true, force: true });
      removeLayout(root, repository);
      return true;
    });
    if (done) tell(work, 'layout without a repository', repository, 0, 'removed');
  }
}

async function hasOwnBytes(root: string, layout: string): Promise<boolean> {
  for await (const algorithm of namesIn(join(layout, 'blobs'))) {
    for await (const name of namesIn(join(layout, 'blobs', algorithm))) {
      const digest = parseKnownDigest(`${algorithm}:${name}`);
      if (digest === undefined || (await inodeOf(join(layout, 'blobs', algorithm, name))) !== (await inodeOf(blobPath(root, digest)))) return true;
    }
  }
  return false;
}

function change({ core: { db, layouts } }: Work, { id, name }: Repository): void {
  db.run('UPDATE repositories SET changes = changes + 1 WHERE id = ?', id);
  layouts.changed(name);
}

function tell({ found }: Work, what: Disorder, name: string, bytes: number, mended: string, digest?: Digest): void {
  found({ what, damage: false, name, bytes, hit: [], mended, ...(digest && { digest }) });
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  return stat(path, { bigint: true }).then(({ ino }) => ino, () => undefined);
}

async function* namesIn(folder: string): AsyncGenerator<string> {
  const entries = await opendir(folder).catch(() => undefined);
  if (entries === undefined) return;
  for await (const entry of entries) yield entry.name;
}
