/**
 * `/v2/<name>/blobs/uploads/`: POST opens an upload, mounts a blob or takes a whole one; `/v2/<name>/blobs/uploads/<id>`: GET,
 * PATCH, PUT, DELETE.
 */
import type { AppContext } from '../context.ts';
import { answer, bodyOf } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { algorithmOf, isRepositoryName, knownAlgorithm, parseKnownDigest } from '../names.ts';
import { Refusal } from '../refusal.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Route } from '../route.ts';
import type { Algorithm, Upload } from '../storage.ts';
import { contentEvent } from './content-event.ts';
import { wrongMethod } from './methods.ts';
import { parseContentRange } from './range.ts';

type UploadRoute = Extract<Route, { route: 'upload' }>;

/** Repositories that are asked for when a mount names none. */
const mostHolders = 20;

export async function answerUploads(context: AppContext, exchange: Exchange, repository: string): Promise<void> {
  if (exchange.method !== 'POST') throw wrongMethod(exchange, ['POST']);
  const { access, storage } = context;
  const { query, user, request } = exchange;
  await access.allow({ user, action: 'push', repository, request });
  const digest = digestParameter(exchange, 'digest');
  const mount = digestParameter(exchange, 'mount');
  if (mount !== undefined && (await mounted(context, exchange, repository, mount))) return answerMade(exchange, repository, mount);
  await access.reserve?.({ user, repository, bytes: Number(request.headers['content-length'] ?? 0) });
  const upload = await storage.uploads.start(repository, algorithmOfUpload(query, digest));
  if (digest === undefined) return answerUploadState(exchange, 202, repository, upload);
  await append(context, exchange, repository, upload.id, { at: 0 });
  return finish(context, exchange, { repository, id: upload.id }, digest);
}

export async function answerUpload(context: AppContext, exchange: Exchange, route: UploadRoute): Promise<void> {
  const { repository, id } = route;
  const { access, storage } = context;
  if (!['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'].includes(exchange.method)) throw wrongMethod(exchange, ['GET', 'PATCH', 'PUT', 'DELETE']);
  await access.allow({ user: exchange.user, action: 'push', repository, request: exchange.request });
  switch (exchange.method) {
    case 'PATCH': {
      const upload = await append(context, exchange, repository, id, chunkPlace(exchange));
      return answerUploadState(exchange, 202, repository, upload);
    }
    case 'PUT': {
      const digest = digestParameter(exchange, 'digest');
      if (digest === undefined) throw new Refusal('DIGEST_INVALID', 'the last request of an upload needs ?digest=');
      if (hasBody(exchange)) await append(context, exchange, repository, id, chunkPlace(exchange));
      return finish(context, exchange, route, digest);
    }
    case 'DELETE':
      if (!(await storage.uploads.cancel(repository, id))) throw unknownUpload(id);
      return answer(exchange, 204);
    default: {
      const upload = await storage.uploads.state(repository, id);
      if (upload === undefined) throw unknownUpload(id);
      return answerUploadState(exchange, 204, repository, upload);
    }
  }
}

/** A blob that another repository has, which the user may pull from. */
async function mounted(context: AppContext, exchange: Exchange, repository: string, digest: Digest): Promise<boolean> {
  const { access, storage } = context;
  const from = exchange.query.get('from');
  if (from !== null && from !== '' && !isRepositoryName(from)) throw new Refusal('NAME_INVALID', `not a name of a repository: ${JSON.stringify(from.slice(0, 300))}`);
  for (const holder of from === null || from === '' ? await storage.blobs.holders(digest, mostHolders) : [from]) {
    try {
      await access.allow({ user: exchange.user, action: 'pull', repository: holder, digest, request: exchange.request });
    } catch (error) {
      if (error instanceof Refusal) continue;
      throw error;
    }
    const size = access.reserve && await storage.blobs.size(holder, digest);
    if (size !== undefined) await access.reserve!({ user: exchange.user, repository, bytes: size });
    if (!(await storage.blobs.mount(repository, digest, holder))) continue;
    context.emit(contentEvent(exchange, { type: 'mount', kind: 'blob', repository, digest }));
    return true;
  }
  return false;
}

async function append({ access, storage }: AppContext, exchange: Exchange, repository: string, id: string, options: { at?: number; length?: number }): Promise<Upload> {
  const { at, length } = options;
  const announced = Number(exchange.request.headers['content-length'] ?? 0);
  if (length !== undefined && announced > 0 && announced !== length) throw new Refusal('SIZE_INVALID', `Content-Range tells ${length} bytes, Content-Length ${announced}`);
  const room = await access.reserve?.({ user: exchange.user, repository, bytes: (at ?? 0) + announced });
  const upload = await storage.uploads.append(repository, id, bodyOf(exchange), {
    ...(at !== undefined && { at }),
    ...(room !== undefined && {
      onProgress: (size: number) => {
        if (size > room) throw new Refusal('DENIED', `the quota of ${repository} has room for ${room} bytes`);
      },
    }),
    onTakenOver: () => exchange.request.destroy(),
  });
  if (upload === undefined) throw unknownUpload(id);
  return upload;
}

async function finish(context: AppContext, exchange: Exchange, { repository, id }: { repository: string; id: string }, digest: Digest): Promise<void> {
  const state = await context.storage.uploads.state(repository, id);
  if (state === undefined) throw unknownUpload(id);
  await context.access.reserve?.({ user: exchange.user, repository, bytes: state.size });
  const blob = await context.storage.uploads.finish(repository, id, digest);
  if (blob === undefined) throw unknownUpload(id);
  context.emit(contentEvent(exchange, { type: 'push', kind: 'blob', repository, digest, bytes: blob.size }));
  answerMade(exchange, repository, digest);
}

function chunkPlace(exchange: Exchange): { at?: number; length?: number } {
  const header = exchange.request.headers['content-range'];
  if (header === undefined) return {};
  const { start, end } = parseContentRange(header);
  return { at: start, length: end - start + 1 };
}

function answerMade(exchange: Exchange, repository: string, digest: Digest): void {
  answer(exchange, 201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest });
}

function answerUploadState(exchange: Exchange, status: number, repository: string, { id, size }: Upload): void {
  answer(exchange, status, { location: `/v2/${repository}/blobs/uploads/${id}`, range: `0-${Math.max(0, size - 1)}`, 'docker-upload-uuid': id });
}

function digestParameter({ query }: Exchange, name: string): Digest | undefined {
  const text = query.get(name);
  if (text === null || (text === '' && name === 'mount')) return undefined;
  const digest = parseKnownDigest(text);
  if (digest === undefined) throw new Refusal('DIGEST_INVALID', `${name} is not a sha256 or sha512 digest: ${JSON.stringify(text.slice(0, 200))}`);
  return digest;
}

function algorithmOfUpload(query: URLSearchParams, digest: Digest | undefined): Algorithm {
  const wanted = query.get('digest-algorithm');
  if (wanted === null) return digest === undefined ? 'sha256' : algorithmOf(digest);
  const algorithm = knownAlgorithm(wanted);
  if (algorithm === undefined) throw new Refusal('DIGEST_INVALID', `digest-algorithm=${wanted.slice(0, 40)}: the registry knows sha256 and sha512`);
  return algorithm;
}

function hasBody({ request }: Exchange): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

function unknownUpload(id: string): Refusal {
  return new Refusal('BLOB_UPLOAD_UNKNOWN', 'there is no such upload: it was finished, cancelled or never begun', { detail: { id: id.slice(0, 80) } });
}
