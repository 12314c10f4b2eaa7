/**
 * Blobs of which only a part has come: `tmp/partial-<hex of the digest>`. Whoever writes one holds a lock on the file, which
 * the kernel takes back when he dies; then the next one goes on.
 */
import { closeSync, fstatSync, lstatSync, openSync, readSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { SiruError } from '../base/errors.ts';
import { createSha256, hexOf, isSha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import type { Core } from './core.ts';
import { createIngest, ingestInto } from './ingest.ts';
import { readOnlyStore, storeError } from './store-error.ts';
import type { Ingest } from './store.ts';

const mostPartials = 32;
const mostPartialBytes = 16 * 1024 * 1024 * 1024;

const readSize = 1 << 20;
/** Bytes that are hashed without a pause. */
const stretch = 32 << 20;
const prefix = 'partial-';

/** See Blobs.continue. */
export async function continueIngest(core: Core, digest: Digest, adopt: (file: string, digest: Digest) => void): Promise<Ingest> {
  if (core.db.readonly) throw readOnlyStore(core.root);
  if (!isSha256(digest)) return createIngest(core, adopt);
  const { tryLock } = await import('../sys/lock.ts');
  const name = `${prefix}${hexOf(digest)}`;
  const file = join(core.root, 'tmp', name);
  await dropPartials(core, { except: name, most: mostPartials - 1, mostBytes: mostPartialBytes });
  const fd = openAlone(file, tryLock);
  // Somebody writes it at this moment.
  if (fd === undefined) return createIngest(core, adopt);
  core.leases.flush();
  try {
    const hasher = createSha256();
    const buffer = Buffer.allocUnsafe(readSize);
    let size = 0;
    for (let count; (count = readSync(fd, buffer, 0, readSize, size)) > 0; ) {
      hasher.update(buffer.subarray(0, count));
      size += count;
      if (size % stretch < readSize) await setImmediate();
    }
    return ingestInto(adopt, { file, fd, hasher, size, keep: true });
  } catch (error) {
    closeSync(fd);
    throw storeError(error, `cannot read ${file}`);
  }
}

/** Removes partial blobs that nobody writes, the oldest first, until no more than these are left; gives the bytes that went. */
export async function dropPartials(core: Core, limits: { except?: string; most: number; mostBytes: number; until?: number }, dryRun = false): Promise<number> {
  const folder = join(core.root, 'tmp');
  const found = readdirSync(folder).filter((name) => name.startsWith(prefix) && name !== limits.except).flatMap((name) => {
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
    return stat?.isFile() ? [{ file: join(folder, name), bytes: stat.size, at: stat.mtimeMs }] : [];
  }).sort((a, b) => b.at - a.at);
  if (found.length === 0) return 0;
  const since = limits.until === undefined ? Infinity : Date.now() - limits.until;
  let [left, leftBytes, gone] = [0, 0, 0];
  const { tryLock } = await import('../sys/lock.ts');
  for (const { file, bytes, at } of found) {
    if (at >= since || (left < limits.most && leftBytes + bytes <= limits.mostBytes)) {
      left++;
      leftBytes += bytes;
      continue;
    }
    const fd = openAlone(file, tryLock, 'r');
    if (fd === undefined) continue;
    if (!dryRun) rmSync(file, { force: true });
    closeSync(fd);
    gone += bytes;
  }
  return gone;
}

/** The file, when nobody else has it. */
function openAlone(file: string, tryLock: (fd: number) => boolean, flags = 'a+'): number | undefined {
  let fd: number;
  try {
    fd = openSync(file, flags);
  } catch (error) {
    if (flags === 'r') return undefined;
    throw storeError(error, `cannot write ${file}`);
  }
  try {
    // Whoever had it before may have given it its name, or removed it, between the opening and the locking.
    if (tryLock(fd) && lstatSync(file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino) return fd;
  } catch (error) {
    if (!(error instanceof SiruError) || error.code !== 'UNSUPPORTED') {
      closeSync(fd);
      throw storeError(error, `cannot lock ${file}`);
    }
  }
  closeSync(fd);
  return undefined;
}
