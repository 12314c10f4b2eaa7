/**
 * Cache mounts that travel: the content of one as a tar that is cut into pieces by its content (chunks.ts), each a blob, under
 * a name of its own. What changed little sends little. Unlike records a mount is a whole: the last writer wins.
 */
import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { together } from '../../images/together.ts';
import { startTransfer } from '../../images/transfer.ts';
import { readChunks } from '../../layer/compress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isSha256, sha256, type Digest } from '../../oci/digest.ts';
import { checkArray, checkInteger, checkString, fail, parseJsonObject, required, type Place } from '../../oci/json-document.ts';
import type { Executor } from '../../runtime/executor.ts';
import type { Store } from '../../store/store.ts';
import { makeArtifact, mountTag, oneChunk, putArtifact, readArtifact, readBlob } from './artifact.ts';
import { contentChunks, largestChunk } from './chunks.ts';
import type { Medium } from './medium.ts';
import { parseEnvelope, seal, unseal, type SigningKey } from './signature.ts';

/** Bytes of a mount that travels. */
export const largestMount: number = 8 * 2 ** 30;
/** Pieces of it: what a manifest may name. */
const mostChunks = 12_000;
/** Bytes of the document that lists them. */
const listLimit = 8 << 20;
const parallel = 4;

const mountType = 'application/vnd.siru.cache.mount.v1+json';
const chunkType = 'application/vnd.siru.cache.chunk.v1+zstd';

const compress = promisify(zstdCompress);
const decompress = promisify<Buffer, { maxOutputLength: number }, Buffer>(zstdDecompress);

/** Digest and bytes of a piece, and of the blob that holds it. */
type Chunk = [digest: Digest, size: number, blob: Digest, blobSize: number];

interface MountContent {
  /** As sharing steps name it. */
  id: string;
  tar: { digest: Digest; size: number };
  chunks: Chunk[];
}

function blobOf([, , digest, size]: Chunk): Descriptor {
  return { mediaType: chunkType, digest, size };
}

/** What lies there under the mount's name; undefined when nothing does. Throws DOCUMENT, DIGEST and what the medium throws. */
async function readMount(medium: Medium, id: string, trusted: readonly SigningKey[] | undefined, context: Context): Promise<MountContent | undefined> {
  const found = await readArtifact(medium, mountTag(medium.tag, id), mountType, listLimit, context);
  if (!found) return undefined;
  if ('foreign' in found) throw new SiruError('DOCUMENT', 'under its name lies something else');
  const { payload, unsigned } = unseal(parseEnvelope(found.config, 'cache mount'), mountType, trusted);
  if (unsigned !== undefined) throw new SiruError('DOCUMENT', unsigned);
  const [object, place] = parseJsonObject(payload, 'cache mount', false);
  required(object, 'id', place, checkString);
  required(object, 'tar', place, (tar, at) => {
    const { digest, size } = Object(tar) as { digest?: unknown; size?: unknown };
    checkSha256(digest, at);
    checkInteger(size, at, 0);
  });
  required(object, 'chunks', place, (chunks, at) => void checkArray(chunks, at, checkChunk));
  const content = object as unknown as MountContent;
  if (content.id !== id) throw new SiruError('DOCUMENT', 'it is the content of another mount');
  const size = content.chunks.reduce((sum, chunk) => sum + chunk[1], 0);
  if (size !== content.tar.size || size > largestMount || content.chunks.length > mostChunks) throw new SiruError('DOCUMENT', `its pieces have ${size} bytes`);
  return content;
}

function checkChunk(value: unknown, place: Place): void {
  const [digest, size, blob, blobSize] = Array.isArray(value) ? (value as unknown[]) : [];
  checkSha256(digest, place);
  checkSha256(blob, place);
  if (checkInteger(size, place, 0) > largestChunk || checkInteger(blobSize, place, 0) > 2 * largestChunk) throw fail(place, 'is larger than a piece may be');
}

function checkSha256(value: unknown, place: Place): void {
  if (!isSha256(checkString(value, place))) throw fail(place, 'is no sha256 digest');
}

/** Fills a folder that is not there with what a cache has. True when it did. Nothing is left of what was damaged. */
export async function fillMount(store: Store, medium: Medium, trusted: readonly SigningKey[] | undefined, id: string, folder: string, executor: Executor, context: Context): Promise<boolean> {
  const content = await readMount(medium, id, trusted, context);
  if (!content) return false;
  const transfer = startTransfer(context, 'pull', `cache mount ${id}`, content.chunks.reduce((sum, chunk) => sum + chunk[3], 0));
  transfer.state('moving');
  const tar = store.temporary('.tar');
  const target = store.temporary('-mount');
  try {
    await fetchTar(medium, content, tar, (bytes) => transfer.add(bytes), context);
    await executor.unpack({ blob: tar, compression: 'none', diffId: content.tar.digest, target }, context.signal);
    await executor.move(join(target, 'fs'), folder, { fresh: true });
    transfer.state('done');
    return true;
  } catch (error) {
    transfer.state('failed');
    throw error;
  } finally {
    rmSync(tar, { force: true });
    if (existsSync(target)) await executor.removeTrees([target]);
  }
}

async function fetchTar(medium: Medium, { chunks }: MountContent, tar: string, count: (bytes: number) => void, context: Context): Promise<void> {
  const fd = openSync(tar, 'wx');
  try {
    let offset = 0;
    const placed = chunks.map((chunk) => {
      const at = offset;
      offset += chunk[1];
      return { chunk, at };
    });
    await together(placed, parallel, context, async ({ chunk, at }, inner) => {
      const [digest, size] = chunk;
      const packed = await readBlob(medium, blobOf(chunk), 2 * largestChunk, inner);
      const bytes = await decompress(packed, { maxOutputLength: Math.max(1, size) });
      if (bytes.length !== size || sha256(bytes) !== digest) throw new SiruError('DIGEST', 'a piece is damaged');
      for (let done = 0; done < size; ) done += writeSync(fd, bytes, done, size - done, at + done);
      count(packed.length);
    });
  } finally {
    closeSync(fd);
  }
}

/** Writes the content of a folder; what lies there already is not sent. Gives the bytes that were sent; undefined when nothing was new. */
export async function sendMount(store: Store, medium: Medium, key: SigningKey | undefined, own: readonly SigningKey[] | undefined, id: string, folder: string, executor: Executor, context: Context): Promise<number | undefined> {
  const tar = store.temporary('.tar');
  try {
    const { diffId, size } = await executor.archive({ folder, tar }, context.signal);
    if (size > largestMount) throw new SiruError('UNSUPPORTED', `it has ${size} bytes; at most ${largestMount} travel`);
    const before = await readMount(medium, id, own, context).catch(() => undefined);
    if (before?.tar.digest === diffId) return undefined;
    const known = new Map(before?.chunks.map((chunk) => [chunk[0], chunk]));
    const chunks: Chunk[] = [];
    const transfer = startTransfer(context, 'push', `cache mount ${id}`);
    transfer.state('moving');
    let sent = 0;
    for await (const bytes of contentChunks(readChunks(tar, { signal: context.signal }))) {
      const digest = sha256(bytes);
      let chunk = known.get(digest);
      if (!chunk) {
        const packed = await compress(bytes);
        chunk = [digest, bytes.length, sha256(packed), packed.length];
        known.set(digest, chunk);
        const blob = blobOf(chunk);
        if (!(await medium.hasBlob(blob, context))) {
          await medium.putBlob(blob, () => oneChunk(packed), context);
          transfer.add(packed.length);
          sent += packed.length;
        }
      }
      chunks.push(chunk);
    }
    if (chunks.length > mostChunks) throw new SiruError('UNSUPPORTED', `it has ${chunks.length} pieces; at most ${mostChunks} travel`);
    const content: MountContent = { id, tar: { digest: diffId, size }, chunks };
    const envelope = seal(mountType, Buffer.from(JSON.stringify(content)), key);
    const blobs = new Map(chunks.map((chunk) => [chunk[2], blobOf(chunk)]));
    await putArtifact(medium, mountTag(medium.tag, id), makeArtifact(mountType, Buffer.from(JSON.stringify(envelope)), [...blobs.values()]), context);
    transfer.state('done');
    return sent;
  } finally {
    rmSync(tar, { force: true });
  }
}
