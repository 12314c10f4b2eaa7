/**
 * A blob on its way from an upstream: it becomes an upload of our own, and everybody who wants it reads along from the file
 * while it grows. The last chunk is sent when the digest was right, so nobody gets a whole blob that is wrong.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../../base/context.ts';
import { errnoOf } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { Exchange } from '../exchange.ts';
import { uploadPath } from '../files/paths.ts';
import type { FileStorage } from '../files/open.ts';
import { algorithmOf } from '../names.ts';
import { blobHeaders } from '../routes/blobs.ts';
import { parseRange } from '../routes/range.ts';

/** Bytes that are read at once for a client. */
const chunk = 256 * 1024;
/** Milliseconds between looks at a file that has not grown. */
const look = 20;

interface Fetch {
  /** Of the upload. */
  id: string;
  /** Ends when the blob is here; fails when it could not be brought. */
  done: Promise<void>;
  ended: boolean;
}

export interface Fetches {
  serve(exchange: Exchange, repository: string, size: number, digest: Digest, remote: Remote, reference: Reference): Promise<'answered' | 'here'>;
  /** Resolves when nothing is on its way. */
  ended(): Promise<void>;
}

export function createFetches(storage: FileStorage, context: Context): Fetches {
  const running = new Map<string, Promise<Fetch>>();

  const begin = async (repository: string, size: number, digest: Digest, remote: Remote, reference: Reference): Promise<Fetch> => {
    // Asked before anything is stored: whether it is there at all.
    const { chunks } = await remote.getBlob(reference, { mediaType: 'application/octet-stream', digest, size }, context);
    const { id } = await storage.uploads.start(repository, algorithmOf(digest));
    const bring = async (): Promise<void> => {
      try {
        await storage.uploads.append(repository, id, chunks);
        await storage.uploads.finish(repository, id, digest);
      } catch (error) {
        await storage.uploads.cancel(repository, id);
        throw error;
      }
    };
    const fetch: Fetch = { id, ended: false, done: bring().finally(() => (fetch.ended = true)) };
    fetch.done.catch(() => {});
    return fetch;
  };

  return {
    async ended() {
      await Promise.allSettled([...running.values()].map(async (one) => (await one).done));
    },
    async serve(exchange, repository, size, digest, remote, reference) {
      const key = `${repository}@${digest}`;
      let fetching = running.get(key);
      if (fetching === undefined) {
        running.set(key, (fetching = begin(repository, size, digest, remote, reference)));
        void fetching.then(({ done }) => done).catch(() => {}).finally(() => running.delete(key));
      }
      const fetch = await fetching;
      const file = await openGrowing(uploadPath(storage.core.root, fetch.id), fetch);
      if (file === undefined) return 'here';
      try {
        await follow(exchange, file, size, digest, fetch);
        return 'answered';
      } finally {
        await file.close();
      }
    },
  };
}

/** Undefined when the blob is here already. Throws why it could not be brought. */
async function openGrowing(path: string, fetch: Fetch): Promise<FileHandle | undefined> {
  for (;;) {
    try {
      return await open(path, 'r');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    if (fetch.ended) {
      await fetch.done;
      return undefined;
    }
    await wait(look);
  }
}

async function follow(exchange: Exchange, file: FileHandle, size: number, digest: Digest, fetch: Fetch): Promise<void> {
  const { response, request } = exchange;
  const range = request.headers.range === undefined ? undefined : parseRange(request.headers.range, size);
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    ...blobHeaders({ digest }),
    'content-length': end - start + 1,
    ...(range !== undefined && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(chunk, end - start + 1)));
  for (let at = start; at <= end && !response.destroyed; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at + 1), at);
    if (bytesRead === 0) {
      if (fetch.ended) await fetch.done;
      await wait(look);
      continue;
    }
    at += bytesRead;
    if (at > end) await fetch.done;
    await sent(response, buffer.subarray(0, bytesRead));
    exchange.bytesOut += bytesRead;
  }
  await fetch.done;
  response.end();
}

/** Returns when the memory of the chunk may be used again, or the client is gone. */
function sent(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const onClose = (): void => resolve();
    response.once('close', onClose);
    response.write(bytes, () => {
      response.off('close', onClose);
      resolve();
    });
  });
}
