/**
 * Every blob is read again. Bytes that are not the blob's are put aside in one transaction, so that nobody is served them, and
 * an upload of the same blob takes their place; then the layouts and the sources are asked for good ones.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { link, mkdir, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { blobState } from '../files/blobs.ts';
import { relinkBlob } from '../files/keep-blob.ts';
import { blobFolder, blobPath, layoutBlobPath, ownFolder, quarantinePath } from '../files/paths.ts';
import { algorithmOf } from '../names.ts';
import { hitBy } from './finding.ts';
import type { Finding } from './finding.ts';
import { chunk, windowSize } from './work.ts';
import type { Work } from './work.ts';

interface Row {
  digest: Digest;
  size: number;
  state: number;
}

type Health = 'good' | 'missing' | { inode: bigint };

export async function checkBlobs(work: Work): Promise<void> {
  const { db } = work.core;
  const next = (last: string): Row[] => db.all('SELECT digest, size, state FROM blobs WHERE digest > ? AND state IN (1, 3) ORDER BY digest LIMIT ?', last, windowSize);
  for (let rows = next(''); rows.length > 0; rows = next(rows.at(-1)!.digest)) {
    for (const row of rows) {
      work.signal?.throwIfAborted();
      await checkBlob(work, row);
    }
  }
}

async function checkBlob(work: Work, { digest, size, state }: Row): Promise<void> {
  const { core, counts, found } = work;
  const health = state === blobState.broken ? 'missing' : await healthOf(work, blobPath(core.root, digest), digest, size);
  counts.blobs++;
  if (health === 'good') return;
  const what = state === blobState.broken ? 'corrupt blob' : putAside(work, digest, health);
  if (what === undefined) return;
  const finding: Finding = { what, damage: true, digest, bytes: size, hit: hitBy(core, digest), mended: undefined };
  finding.mended = await repair(work, finding);
  found(finding);
}

async function healthOf(work: Work, path: string, digest: Digest, size: number): Promise<Health> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'missing';
    throw error;
  }
  try {
    const facts = await file.stat({ bigint: true });
    const hash = createHash(algorithmOf(digest));
    let read = 0;
    if (Number(facts.size) !== size) return { inode: facts.ino };
    for await (const bytes of chunksOf(file)) {
      await work.pace(bytes.length);
      work.signal?.throwIfAborted();
      hash.update(bytes);
      read += bytes.length;
    }
    work.counts.bytes += read;
    return `${algorithmOf(digest)}:${hash.digest('hex')}` === digest ? 'good' : { inode: facts.ino };
  } catch (error) {
    // A sector that cannot be read is as bad as one that is wrong.
    if (errnoOf(error) === 'EIO') return { inode: (await file.stat({ bigint: true })).ino };
    throw error;
  } finally {
    await file.close();
  }
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(chunk);
  for (let bytes: number; (bytes = (await file.read(buffer, 0, chunk, null)).bytesRead) > 0;) yield buffer.subarray(0, bytes);
}

/** Undefined when a collection or an upload was here meanwhile. */
function putAside({ core }: Work, digest: Digest, health: Exclude<Health, 'good'>): Finding['what'] | undefined {
  const { db, root } = core;
  const path = blobPath(root, digest);
  const aside = quarantinePath(root, digest);
  mkdirSync(dirname(aside), { recursive: true });
  return db.transaction(() => {
    if (db.get('SELECT 1 FROM blobs WHERE digest = ? AND state = 1', digest) === undefined) return undefined;
    const there = statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
    if (there !== (health === 'missing' ? undefined : health.inode)) return undefined;
    if (health !== 'missing') renameSync(path, aside);
    db.run('UPDATE blobs SET state = ? WHERE digest = ?', blobState.broken, digest);
    if (health === 'missing') return 'missing blob';
    for (const { name } of holders(core, digest)) {
      const linked = layoutBlobPath(root, name, digest);
      if (statSync(linked, { bigint: true, throwIfNoEntry: false })?.ino === there) rmSync(linked);
    }
    return 'corrupt blob';
  });
}

/** Gives the name of where good bytes were. */
async function repair(work: Work, { digest, bytes: size }: { digest?: Digest; bytes: number }): Promise<string | undefined> {
  const { core, sources } = work;
  const repositories = holders(core, digest!);
  for (const { name } of repositories) {
    const path = layoutBlobPath(core.root, name, digest!);
    if ((await healthOf(work, path, digest!, size)) === 'good' && (await restore(work, path, digest!))) return `from the layout of ${name}`;
  }
  for (const source of sources) {
    for (const { name } of repositories) {
      const place = source.at(name);
      if (place === undefined) continue;
      const path = join(core.root, ownFolder, 'tmp', `repair-${randomUUID()}`);
      try {
        if ((await fetchInto(work, path, await source.blob(name, digest!, size), digest!)) && (await restore(work, path, digest!))) return `from ${place}`;
      } catch {
        // It does not have it, or lies: the next one.
        work.signal?.throwIfAborted();
      } finally {
        await rm(path, { force: true });
      }
    }
  }
  return undefined;
}

async function fetchInto(work: Work, path: string, chunks: AsyncIterable<Uint8Array>, digest: Digest): Promise<boolean> {
  const hash = createHash(algorithmOf(digest));
  const file = await open(path, 'wx');
  try {
    for await (const bytes of chunks) {
      work.signal?.throwIfAborted();
      hash.update(bytes);
      for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
    }
    await work.core.sync.file(file.fd);
  } finally {
    await file.close();
  }
  return `${algorithmOf(digest)}:${hash.digest('hex')}` === digest;
}

async function restore({ core }: Work, file: string, digest: Digest): Promise<boolean> {
  const { db, root } = core;
  const folder = blobFolder(root, algorithmOf(digest));
  await mkdir(folder, { recursive: true });
  await link(file, blobPath(root, digest)).catch((error: unknown) => {
    // An upload was quicker.
    if (errnoOf(error) !== 'EEXIST') throw error;
  });
  await core.sync.folder(folder);
  const done = db.transaction(() => {
    if (db.run('UPDATE blobs SET state = 1 WHERE digest = ? AND state IN (1, 3)', digest) === 0) return false;
    relinkBlob(core, digest);
    return true;
  });
  await core.sync.database();
  await rm(done ? quarantinePath(root, digest) : blobPath(root, digest), { force: true });
  return done;
}

function holders({ db }: Work['core'], digest: Digest): { name: string }[] {
  return db.all('SELECT r.name FROM repository_blobs rb JOIN repositories r ON r.id = rb.repository WHERE rb.digest = ?', digest);
}
