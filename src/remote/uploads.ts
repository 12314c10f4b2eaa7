/**
 * Uploads: a session is opened (or a blob is mounted from another repository instead), bytes are sent, and the session is
 * closed under the blob's digest. A session is plain data: whoever keeps it can go on with it in another process.
 */
import type { Context } from '../base/context.ts';
import { SiruError, isSiruError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import { hasBlob } from './blobs.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { checkTarget } from './hosts.ts';
import type { RegistryError } from './errors.ts';
import { pullScope, pushScope } from './manifests.ts';
import { sleep, waitBefore } from './retry.ts';
import { discard, parseTarget } from './transport.ts';
import type { HttpResponse } from './transport.ts';

export interface UploadSession {
  /** Where to send next; changes with every answer. */
  location: string;
  /** Bytes the registry has. */
  offset: number;
}

/** What is uploaded. */
export interface Upload {
  /** The bytes from an offset on. Called again when the upload must go on or start anew, unless `once` is set. */
  open: (offset: number) => AsyncIterable<Uint8Array>;
  once?: boolean;
  /** Asked after the last byte, so it may be computed on the way. */
  digest: () => Digest;
  /** When known. Small ones go in one request. */
  size?: number;
  /** An upload of the same bytes that another process began, where the registry may still have them. */
  begun?: UploadSession;
  /** Told of the session whenever the registry acknowledges something, and of its end with undefined. */
  keep?: (session: UploadSession | undefined) => void;
}

const smallest = 1 << 20;
// A registry before an object store copies the whole blob between the last byte and its answer.
const commitTimeout = 300_000;
const about = { action: 'push', what: 'upload' } as const;

/** Opens a session, or mounts the blob from a repository of the same registry: then there is nothing to upload. */
export async function startUpload(connection: Connection, endpoint: Endpoint, reference: Reference, mount: { digest: Digest; from: string } | undefined, context: Context): Promise<{ mounted: true } | { mounted: false; session: UploadSession }> {
  const scopes = [pushScope(reference.path)];
  const query = mount ? `?${new URLSearchParams({ mount: mount.digest, from: mount.from }).toString()}` : '';
  if (mount) scopes.push(pullScope(mount.from));
  const response = await connection.send(endpoint, {
    method: 'POST',
    at: `blobs/uploads/${query}`,
    repository: reference.path,
    headers: { 'content-length': '0' },
    scopes,
    accept: mount ? [201, 202] : [202],
    about,
  }, context);
  discard(response);
  return response.status === 201 ? { mounted: true } : { mounted: false, session: { location: nextLocation(response), offset: 0 } };
}

/** How far the registry is with a session that was interrupted; undefined when it would not go on with it. */
export async function askUpload(connection: Connection, endpoint: Endpoint, reference: Reference, session: UploadSession, context: Context): Promise<UploadSession | undefined> {
  try {
    const response = await connection.send(endpoint, {
      method: 'GET',
      at: new URL(session.location),
      repository: reference.path,
      scopes: [pushScope(reference.path)],
      accept: [200, 202, 204],
      about,
    }, context);
    discard(response);
    const range = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.range ?? '');
    if (!range) return undefined;
    // `0-0` is what registries say of nothing; one byte more or less is no matter.
    const offset = Number(range[1]) === 0 ? 0 : Number(range[1]) + 1;
    return { location: response.headers.location === undefined ? session.location : nextLocation(response), offset };
  } catch (error) {
    if (isSiruError(error) && (error.code === 'REGISTRY' || error.code === 'NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Sends the bytes from a session's offset on (PATCH, one stream) and gives the session as it stands then. `size` is the blob's. */
export async function sendBytes(connection: Connection, endpoint: Endpoint, reference: Reference, session: UploadSession, chunks: AsyncIterable<Uint8Array>, size: number | undefined, context: Context): Promise<UploadSession> {
  let sent = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      sent += chunk.length;
      yield chunk;
    }
  };
  const headers: Record<string, string> = { 'content-type': 'application/octet-stream' };
  if (size !== undefined) {
    headers['content-length'] = String(size - session.offset);
    if (session.offset > 0) headers['content-range'] = `${session.offset}-${size - 1}`;
  }
  const response = await connection.send(endpoint, {
    method: 'PATCH',
    at: new URL(session.location),
    repository: reference.path,
    headers,
    body: counted(),
    scopes: [pushScope(reference.path)],
    accept: [202, 204],
    about,
    timeout: commitTimeout,
  }, context);
  discard(response);
  return { location: nextLocation(response), offset: session.offset + sent };
}

/** Closes a session under a digest, with the last bytes if there are any. */
export async function finishUpload(connection: Connection, endpoint: Endpoint, reference: Reference, session: UploadSession, digest: Digest, rest: Uint8Array | undefined, context: Context): Promise<void> {
  const url = new URL(session.location);
  url.searchParams.set('digest', digest);
  const response = await connection.send(endpoint, {
    method: 'PUT',
    at: url,
    repository: reference.path,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(rest?.length ?? 0) },
    body: rest ?? new Uint8Array(0),
    scopes: [pushScope(reference.path)],
    accept: [201, 204],
    about: { action: 'push', what: `blob ${digest}` },
    timeout: commitTimeout,
  }, context);
  discard(response);
}

/**
 * Uploads a blob, with a session that may be open already. An upload that breaks off goes on where the registry has it, and
 * starts anew where the registry does not know of it; that a few times.
 */
export async function uploadBlob(connection: Connection, endpoint: Endpoint, reference: Reference, upload: Upload, opened: UploadSession | undefined, context: Context): Promise<void> {
  const { size } = upload;
  const short = size !== undefined && size <= smallest;
  const keep = (now: UploadSession | undefined): void => {
    if (!short) upload.keep?.(now);
  };
  let session = opened;
  let continued = false;
  // Where plain HTTP was spoken before and is not allowed any more, there is no way back.
  if (!session && upload.begun && size !== undefined && (endpoint.plain || upload.begun.location.startsWith('https:'))) {
    session = await goOn(upload.begun, 'an upload from before');
  }

  async function goOn(interrupted: UploadSession, what: string): Promise<UploadSession | undefined> {
    const found = await askUpload(connection, endpoint, reference, interrupted, context);
    if (found && found.offset > 0 && found.offset <= (size ?? 0)) {
      continued = true;
      context.emit({ type: 'status', text: `${endpoint.host} has ${found.offset} of ${size} bytes; going on from there` });
      return found;
    }
    context.emit({ type: 'status', text: `${endpoint.host} does not go on with ${what}; sending it from the start` });
    return undefined;
  }

  for (let attempt = 1; ; attempt++) {
    try {
      if (!session) {
        continued = false;
        session = await openSession(connection, endpoint, reference, context);
        keep(session);
      }
      if (short) {
        const bytes = await collect(upload.open(0), size);
        await commit(connection, endpoint, reference, session, upload, bytes, context);
      } else {
        if (session.offset !== size) session = await sendBytes(connection, endpoint, reference, session, upload.open(session.offset), size, context);
        keep(session);
        await commit(connection, endpoint, reference, session, upload, undefined, context);
      }
      keep(undefined);
      return;
    } catch (error) {
      if (!isSiruError(error) || error.code === 'CANCELLED') throw error;
      const broken = session;
      session = undefined;
      // What was sent in two halves may be refused for that alone.
      const again = (error.code === 'NETWORK' || isTransient(error) || (continued && error.code === 'REGISTRY')) && !upload.once && attempt < 3;
      if (!again) {
        if (error.code !== 'NETWORK') keep(undefined);
        throw error;
      }
      const wait = 'status' in error ? waitBefore(attempt, connection.transport.retry, (error as RegistryError).retryAfter) : 0;
      if (wait === undefined) throw error;
      context.emit({ type: 'status', text: `upload to ${endpoint.host} broke off (${error.message})${wait > 0 ? `; trying again in ${(wait / 1000).toFixed(1)} s` : ''}` });
      if (wait > 0) await sleep(wait, context.signal).catch((cause: unknown) => {
        throw new SiruError('CANCELLED', 'cancelled', { cause });
      });
      if (error.code !== 'NETWORK' || !broken || short || size === undefined) continue;
      session = await goOn(broken, 'it');
      // A bad line is no reason to give up while it brings something.
      if (session && session.offset >= broken.offset + smallest) attempt = 0;
    }
  }
}

async function openSession(connection: Connection, endpoint: Endpoint, reference: Reference, context: Context): Promise<UploadSession> {
  const started = await startUpload(connection, endpoint, reference, undefined, context);
  if (started.mounted) throw new SiruError('REGISTRY', `${endpoint.host} mounted a blob that nobody asked for`);
  return started.session;
}

async function commit(connection: Connection, endpoint: Endpoint, reference: Reference, session: UploadSession, upload: Upload, bytes: Uint8Array | undefined, context: Context): Promise<void> {
  const digest = upload.digest();
  try {
    await finishUpload(connection, endpoint, reference, session, digest, bytes, context);
  } catch (error) {
    // The answer may have been lost after the blob was taken; then a second try finds no session.
    const size = bytes?.length ?? session.offset;
    if (isSiruError(error) && error.code !== 'CANCELLED' && error.code !== 'AUTH' && (await hasBlob(connection, endpoint, reference, { digest, size }, context).catch(() => false))) return;
    throw error;
  }
}

/** A refusal that another session may not meet: the server's own fault, or a session that it lost. */
function isTransient(error: SiruError): boolean {
  const status = 'status' in error ? Number(error.status) : 0;
  return status >= 500 || status === 404 || status === 408 || status === 416 || status === 429;
}

function nextLocation(response: HttpResponse): string {
  const { location } = response.headers;
  if (location === undefined) throw new SiruError('REGISTRY', `${response.url.host} opened an upload without saying where`);
  const next = parseTarget(location, response.url);
  // Registries behind a proxy that ends TLS often name themselves with http.
  if (next.protocol === 'http:' && response.url.protocol === 'https:' && next.host === response.url.host) next.protocol = 'https:';
  checkTarget(response.url, next, 'the place for an upload');
  return next.href;
}

async function collect(chunks: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of chunks) {
    if (at + chunk.length > size) throw new SiruError('DIGEST', `a blob of ${size} bytes turned out longer`);
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at !== size) throw new SiruError('DIGEST', `a blob of ${size} bytes turned out to have ${at}`);
  return bytes;
}
