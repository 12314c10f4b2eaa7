/** `/v2/<name>/blobs/<digest>`: GET with ranges, HEAD, DELETE. */
import type { ServerResponse } from 'node:http';
import type { AppContext } from '../context.ts';
import { answer } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import type { Route } from '../route.ts';
import type { OpenBlob } from '../storage.ts';
import { contentEvent } from './content-event.ts';
import { wrongMethod } from './methods.ts';
import { parseRange } from './range.ts';

type BlobRoute = Extract<Route, { route: 'blob' }>;

export async function answerBlob(context: AppContext, exchange: Exchange, route: BlobRoute): Promise<void> {
  const { repository, digest } = route;
  const { access, settings, storage } = context;
  const ask = (action: 'pull' | 'delete'): void | Promise<void> => access.allow({ user: exchange.user, action, repository, digest, request: exchange.request });
  // The image of an immutable tag is as immutable.
  const mayGo = access.changeTag && ((tag: string): void => access.changeTag!({ user: exchange.user, repository, tag, before: digest, to: undefined }));
  switch (exchange.method) {
    case 'GET':
      await ask('pull');
      return sendBlob(context, exchange, route);
    case 'HEAD': {
      await ask('pull');
      const size = await storage.blobs.size(repository, digest) ?? await fromUpstream(context, exchange, route, () => storage.blobs.size(repository, digest));
      if (size === 'answered') return;
      return answer(exchange, 200, { ...blobHeaders(route), 'content-length': size });
    }
    case 'DELETE':
      if (!settings.deletes) throw wrongMethod(exchange, ['GET', 'HEAD']);
      await ask('delete');
      if (!(await storage.blobs.delete(repository, digest, mayGo))) throw unknownBlob(route);
      context.emit(contentEvent(exchange, { type: 'delete', kind: 'blob', repository, digest }));
      return answer(exchange, 202);
    default:
      throw wrongMethod(exchange, ['GET', 'HEAD', 'DELETE']);
  }
}

async function sendBlob(context: AppContext, exchange: Exchange, route: BlobRoute): Promise<void> {
  const { repository, digest } = route;
  const asked = exchange.request.headers.range;
  const open = (): Promise<OpenBlob | undefined> => context.storage.blobs.open(repository, digest, asked === undefined ? undefined : (size) => parseRange(asked, size));
  const blob = await open() ?? await fromUpstream(context, exchange, route, open);
  if (blob === 'answered') return;
  const { range, size } = blob;
  const length = range === undefined ? size : range.end - range.start + 1;
  exchange.response.writeHead(range === undefined ? 200 : 206, {
    ...blobHeaders(route),
    'content-length': length,
    ...(range !== undefined && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
  });
  exchange.bytesOut += length;
  await sendBytes(exchange.response, blob);
  context.emit(contentEvent(exchange, { type: 'pull', kind: 'blob', repository, digest, bytes: length }));
}

/** Each chunk is written before the next one is read: their memory is used again. Returns early when the client goes away. */
async function sendBytes(response: ServerResponse, { bytes }: OpenBlob): Promise<void> {
  for await (const chunk of bytes) {
    const gone = await new Promise<boolean>((resolve) => {
      const onClose = (): void => resolve(true);
      response.once('close', onClose);
      response.write(chunk, () => {
        response.off('close', onClose);
        resolve(response.destroyed);
      });
    });
    if (gone) return;
  }
  response.end();
}

/** Looks again after an upstream brought it. Throws BLOB_UNKNOWN. */
async function fromUpstream<Found>(context: AppContext, exchange: Exchange, route: BlobRoute, again: () => Promise<Found | undefined>): Promise<Found | 'answered'> {
  const came = await context.upstream?.blob({ repository: route.repository, digest: route.digest, exchange });
  if (came === 'answered') return came;
  const found = came === 'here' ? await again() : undefined;
  if (found === undefined) throw unknownBlob(route);
  return found;
}

/** Of an answer with a blob. */
export function blobHeaders({ digest }: Pick<BlobRoute, 'digest'>): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'accept-ranges': 'bytes',
    'cache-control': 'max-age=31536000, immutable',
  };
}

function unknownBlob({ repository, digest }: BlobRoute): Refusal {
  return new Refusal('BLOB_UNKNOWN', `the repository ${repository} does not have the blob ${digest}`, { detail: { digest } });
}
