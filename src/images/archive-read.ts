/** The files of an image archive or layout, each a blob of the store under the name it had. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { join as joinNative } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { checkCancelled } from '../base/context.ts';
import type { Context } from '../base/context.ts';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { readChunks } from '../layer/compress.ts';
import { decompress } from '../layer/decompress.ts';
import { sniffCompression } from '../layer/sniff.ts';
import { createTarReader } from '../layer/tar-read.ts';
import { isSha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import type { Ingest, Store } from '../store/store.ts';
import { startTransfer } from './transfer.ts';

export interface StoredFile {
  digest: Digest;
  size: number;
}

export interface ArchiveFiles {
  /** The file at a path, links inside the archive followed; it is then a blob of the store. Undefined when there is none. */
  get(path: string): Promise<StoredFile | undefined>;
}

/** A file's path, or bytes as they come. */
export type ArchiveSource = string | AsyncIterable<Uint8Array>;

export const mostMembers: number = 200_000;
const mostLinks = 16;
const blobForm = /^blobs\/sha256\/([0-9a-f]{64})$/;

/** Reads an archive (a tar, also compressed by gzip or zstd) or a directory. Throws LAYER, DIGEST, UNSUPPORTED, NOT_FOUND. */
export async function readArchive(store: Store, source: ArchiveSource, context: Context): Promise<ArchiveFiles> {
  if (typeof source === 'string' && isDirectory(source)) return directoryFiles(store, source, context);
  return await tarFiles(store, await openArchive(source, context), context);
}

/** The uncompressed bytes of a tar. */
export async function openArchive(source: ArchiveSource, context: Context): Promise<AsyncIterable<Uint8Array>> {
  const chunks = typeof source === 'string' ? readChunks(source, { signal: context.signal }) : source;
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Uint8Array = Buffer.alloc(0);
  try {
    while (head.length < 512) {
      const next = await iterator.next();
      if (next.done) break;
      head = Buffer.concat([head, next.value]);
    }
  } catch (error) {
    checkCancelled(context);
    if (errnoOf(error) === undefined) throw error;
    throw new SiruError('NOT_FOUND', `cannot read ${typeof source === 'string' ? source : 'the archive'}: ${messageOf(error)}`, { cause: error });
  }
  const all = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield head;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  };
  const kind = sniffCompression(head);
  if (kind === 'tar') return all();
  if (kind === 'gzip' || kind === 'zstd') return decompress(all(), kind, { signal: context.signal });
  const what = typeof source === 'string' ? source : 'what came in';
  await iterator.return?.();
  if (kind === undefined) throw new SiruError('LAYER', `${what} is no tar${head.length === 0 ? ': it is empty' : ''}`);
  throw new SiruError('UNSUPPORTED', `${what} is compressed with ${kind}`, { hint: `decompress it first, for example: ${kind} -dc FILE | siru load` });
}

async function tarFiles(store: Store, chunks: AsyncIterable<Uint8Array>, context: Context): Promise<ArchiveFiles> {
  const files = new Map<string, StoredFile>();
  const links = new Map<string, string>();
  let ingest: Ingest | undefined;
  let members = 0;
  const reader = createTarReader({
    member({ path, type, link, size }) {
      if (++members > mostMembers) throw new SiruError('LAYER', `the archive has more than ${mostMembers} files`);
      files.delete(path);
      links.delete(path);
      // A hard link's name is written from the root of the archive, a symbolic one's from where it stands.
      if (type === 'symlink') links.set(path, link!);
      else if (type === 'hardlink') links.set(path, `/${link!}`);
      if (type !== 'file') return;
      const hex = blobForm.exec(path)?.[1];
      if (hex !== undefined && store.blobs.has(`sha256:${hex}`, size)) files.set(path, { digest: `sha256:${hex}`, size });
      else ingest = store.blobs.ingest();
    },
    content: (bytes) => ingest?.write(bytes),
    end({ path }) {
      if (!ingest) return;
      const hex = blobForm.exec(path)?.[1];
      files.set(path, ingest.commit(hex === undefined ? {} : { digest: `sha256:${hex}` }));
      ingest = undefined;
    },
  });
  const transfer = startTransfer(context, 'unpack', 'archive');
  try {
    for await (const chunk of chunks) {
      checkCancelled(context);
      reader.push(chunk);
      transfer.add(chunk.length);
    }
    reader.end();
  } catch (error) {
    checkCancelled(context);
    throw error;
  } finally {
    ingest?.abort();
  }
  transfer.state('done');

  return {
    async get(path) {
      return files.get(followLinks(links, path));
    },
  };
}

/** Where a path of an archive leads, by its links: paths to what they say, with `/` before what counts from the root. */
export function followLinks(links: ReadonlyMap<string, string>, path: string): string {
  let current = cleanPath(path);
  for (let hops = 0; hops < mostLinks; hops++) {
    const link = links.get(current);
    if (link === undefined) return current;
    current = cleanPath(link.startsWith('/') ? link.slice(1) : join(dirname(current), link));
  }
  throw new SiruError('LAYER', `links of the archive lead in a circle: ${path}`);
}

function directoryFiles(store: Store, folder: string, context: Context): ArchiveFiles {
  const known = new Map<string, Promise<StoredFile | undefined>>();
  return {
    async get(path) {
      const inside = cleanPath(path);
      if (!known.has(inside)) known.set(inside, takeFile(store, joinNative(folder, inside), inside, context));
      return await known.get(inside);
    },
  };
}

async function takeFile(store: Store, file: string, path: string, context: Context): Promise<StoredFile | undefined> {
  const hex = blobForm.exec(path)?.[1];
  let fd: number;
  try {
    // Neither a link that leads out of the layout nor a pipe that never ends.
    fd = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw new SiruError('NOT_FOUND', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    if (hex !== undefined && store.blobs.has(`sha256:${hex}`, stat.size)) return { digest: `sha256:${hex}`, size: stat.size };
    using ingest = store.blobs.ingest();
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer)) {
      ingest.write(buffer.subarray(0, read));
      await turn();
      checkCancelled(context);
    }
    return ingest.commit(hex === undefined ? {} : { digest: `sha256:${hex}` });
  } finally {
    closeSync(fd);
  }
}

/** A path inside. Throws LAYER for one that leads out. */
export function cleanPath(path: string): string {
  const inside = normalize(path).replace(/^(?:\.\/)+|\/+$/g, '');
  if (inside.startsWith('/') || inside === '..' || inside.startsWith('../') || inside.includes('\0')) {
    throw new SiruError('LAYER', `the archive names a file outside of itself: ${JSON.stringify(path.slice(0, 200))}`);
  }
  return inside;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The path of a blob in a layout. Throws UNSUPPORTED for other digests than sha256. */
export function layoutPath(digest: Digest): string {
  if (!isSha256(digest)) throw new SiruError('UNSUPPORTED', `the archive names a blob by ${String(digest).split(':', 1)[0]}; only sha256 is supported`);
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}
