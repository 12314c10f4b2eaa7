/** An OCI layout folder as a place to copy to. Other images that it holds stay. */
import { randomBytes } from 'node:crypto';
import { constants, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { readChunks } from '../../layer/compress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { hexOf } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import { addToLayout, isBlobThere } from '../layout-folder.ts';
import { indexEntry } from './index-entry.ts';
import { blobPathOf, openLayoutSource } from './layout-source.ts';
import type { LayoutName } from './layout-source.ts';
import { openTree } from './file-tree.ts';
import { damaged, hashOf } from './place.ts';
import type { Blob, Document, Target } from './place.ts';

/** Throws USAGE when the path is a file. */
export function layoutTarget({ path: folder, tag, digest: pinned }: LayoutName): Target {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new SiruError('USAGE', `${folder} is a file, not a folder`, { hint: `for an archive, write oci-archive:${folder}` });
  }
  const name = `${folder}${tag === undefined ? '' : `:${tag}`}`;
  const referring: Descriptor[] = [];
  const putManifest = async ({ bytes, digest }: Document, context: Context): Promise<void> => {
    const path = join(folder, blobPathOf(digest));
    if (await isBlobThere(path, bytes.length, context, algorithmOf(digest))) return;
    await writing(path, () => writeBlob(path, { mediaType: '', digest, size: bytes.length }, () => once(bytes), context));
  };
  return {
    name,
    takesReferrers: true,
    current: async () => undefined,
    has: async () => false,
    manifest: async () => undefined,
    putManifest,
    async putBlob({ descriptor, open: source, transfer }: Blob, context) {
      const path = join(folder, blobPathOf(descriptor.digest));
      if (await isBlobThere(path, descriptor.size, context, algorithmOf(descriptor.digest))) return transfer.state('exists');
      transfer.state('moving');
      await writing(path, () => writeBlob(path, descriptor, (offset) => transfer.count(source(offset)), context));
      transfer.state('done');
    },
    async referrers(digest, context) {
      if (!statSync(join(folder, 'index.json'), { throwIfNoEntry: false })) return [];
      await using source = await openLayoutSource(await openTree(folder, () => Promise.reject(new Error('a folder needs no store')), context), { path: folder });
      return await source.referrers(digest, context);
    },
    async addReferrer(_subject, referrer) {
      referring.push(referrer);
    },
    async finish(document, _from, context) {
      const { digest } = document;
      if (pinned !== undefined && pinned !== digest) throw new SiruError('DIGEST', `${folder}@${pinned} was to be written, but what is copied has ${digest}`);
      await putManifest(document, context);
      await writing(folder, () => addToLayout(folder, [...referring.filter((one) => one.digest !== digest), indexEntry(document, tag)], context));
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Writes beside and renames. What a killed copy left of the same blob is gone on with. */
async function writeBlob(path: string, descriptor: Descriptor, source: (offset: number) => AsyncIterable<Uint8Array>, context: Context): Promise<void> {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const partial = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.partial`;
  takeLeftover(folder, hexOf(descriptor.digest), partial);
  const hash = hashOf(descriptor.digest);
  let offset = 0;
  const left = statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
  if (left > 0 && left < descriptor.size) {
    for await (const chunk of readChunks(partial)) {
      hash.update(chunk);
      offset += chunk.length;
    }
  }
  const began = offset;
  const file = await open(partial, constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (began > 0 ? constants.O_APPEND : constants.O_TRUNC), 0o644);
  try {
    for await (const chunk of source(began)) {
      checkCancelled(context);
      hash.update(chunk);
      offset += chunk.length;
      await file.writev([chunk]);
    }
  } catch (error) {
    // For the next copy to go on with.
    renameSync(partial, `${path}.left.partial`);
    throw error;
  } finally {
    await file.close();
  }
  if (offset !== descriptor.size || hash.digest('hex') !== hexOf(descriptor.digest)) {
    rmSync(partial, { force: true });
    // The part that was there may have been of something else.
    if (began > 0) return await writeBlob(path, descriptor, source, context);
    throw damaged(descriptor.digest, 'the source');
  }
  renameSync(partial, path);
}

/** What copies left that failed, or whose process is gone: the first is taken over, others are removed. */
function takeLeftover(folder: string, hex: string, partial: string): void {
  for (const file of readdirSync(folder)) {
    const found = new RegExp(`^${hex}\\.(?:left|(\\d+)-[0-9a-f]+)\\.partial$`).exec(file);
    if (!found || (found[1] !== undefined && isRunning(Number(found[1])))) continue;
    try {
      // A link could lead anywhere.
      if (!lstatSync(join(folder, file)).isFile() || statSync(partial, { throwIfNoEntry: false })) rmSync(join(folder, file), { force: true });
      else renameSync(join(folder, file), partial);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error; // somebody else was quicker
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new SiruError('USAGE', `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function algorithmOf(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':'));
}
