/**
 * Files behind URLs: into the store's tmp/, hashed on the way, bounded in size and time. What was fetched before is asked
 * for with the condition that it changed, so that an unchanged file is not sent again.
 */
import { closeSync, createReadStream, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { createSha256, hexOf, isSha256, parseDigest, sha256, type Digest } from '../../oci/digest.ts';
import type { HttpResponse } from '../../remote/transport.ts';
import { NotExecuted } from '../../solver/step.ts';
import type { Store } from '../../store/store.ts';
import type { Pins } from '../lock/pins.ts';
import { decoded } from './git-url.ts';

/** What is known of a file behind a URL. */
export interface Fetched {
  digest: Digest;
  size: number;
  /** From Last-Modified, in seconds. */
  mtime?: number;
}

export interface Download extends Fetched, Disposable {
  /** Name from the URL's path. */
  name: string;
  /** The URL as people may see it. */
  shown: string;
  /** Path of the file, which is fetched now if it was not yet. */
  file(): Promise<string>;
}

export interface DownloadRequest {
  address: string;
  /** `sha256:...`; a file that was fetched with it before is not asked for at all. */
  checksum?: string;
  /** Gives the value of a secret, for the header Authorization. */
  secret?: (id: string) => Promise<Uint8Array | undefined>;
  /** Fetches and remembers nothing: throws NotExecuted for what would be fetched. The server may be asked whether it changed. */
  lookOnly?: boolean;
  /** What the lock file says of addresses without a checksum. What is fetched is kept as a blob then. */
  pins?: Pins | undefined;
  /** The same without a lock file. */
  keep?: boolean;
  /** No server is asked: what was fetched before counts as it was. */
  offline?: boolean | undefined;
}

/** How a build fetches. */
export function fetchingOf({ pins, options }: { pins?: Pins; options?: { offline?: boolean } }): Pick<DownloadRequest, 'pins' | 'offline'> {
  return { pins, offline: options?.offline };
}

type DownloadStore = Pick<Store, 'path' | 'temporary' | 'blobs'>;

/** Larger files are refused. */
export const largestDownload: number = 16 * 2 ** 30;
/** A server has to send at least this many bytes in each window of this many milliseconds. */
const slowest = { bytes: 1024, window: 120_000 };
/** A file that changed less than this before it was sent, in seconds, may change again without a later time. */
const settled = 60;

/**
 * Looks a URL up. Throws CONTEXT for a refusal, DIGEST for another checksum than the one of the request or the lock, LOCK when
 * that does not have it, OFFLINE for what is not here, AUTH, NETWORK when the host cannot be reached.
 */
export async function openDownload(request: DownloadRequest, store: DownloadStore, context: Context): Promise<Download> {
  const { address, checksum, secret, lookOnly = false, pins, offline = false } = request;
  let keep = request.keep ?? pins !== undefined;
  if (!URL.canParse(address)) throw new SiruError('CONTEXT', `${JSON.stringify(address)} is no URL`);
  const url = new URL(address);
  const shown = withoutSecrets(url);
  const expected = checksum === undefined ? pins?.url(address) : parseDigest(checksum);
  if (expected !== undefined && !isSha256(expected)) throw new SiruError('UNSUPPORTED', `--checksum=${checksum}: only sha256 is supported`);
  const authorization = await authorizationFor(url, secret);
  const memoryOf = (of: string): string => store.path('listings', hexOf(sha256(`download 2 ${address} ${of} ${authorization ?? ''}`)));
  const memory = memoryOf(expected ?? '');
  let known = recall(memory);
  if (expected !== undefined && known?.digest !== expected) {
    const other = recall(memoryOf(''));
    if (other?.digest === expected) known = other;
  }
  let file: string | undefined;
  let temporary = false;

  const fetchNow = async (condition: Record<string, string>): Promise<Known | undefined> => {
    if (offline) throw new SiruError('OFFLINE', `${shown} is not here, and nothing may be fetched`, { hint: 'Build once without --offline.' });
    if (lookOnly) {
      if (Object.keys(condition).length > 0 && !(await changedSince({ url, shown, authorization, condition }, context))) return undefined;
      throw new NotExecuted(`the download of ${shown}`);
    }
    const target = store.temporary('.download');
    try {
      const got = await fetchInto({ url, shown, authorization, condition }, target, context);
      if (!got) return undefined;
      if (expected !== undefined && got.digest !== expected) {
        throw new SiruError('DIGEST', `${shown} has the digest ${got.digest}, and ${checksum === undefined ? `${pins!.file} says` : '--checksum promised'} ${expected}`, {
          hint: checksum === undefined ? 'The file behind the URL changed. If that is as it should be: siru lock --update, with the address.' : 'The file behind the URL changed, or the checksum is another file’s.',
        });
      }
      if (keep) store.blobs.adopt(target, got.digest);
      file = keep ? store.blobs.path(got.digest) : target;
      temporary = !keep;
      return got;
    } finally {
      if (file !== target) rmSync(target, { force: true });
    }
  };

  const settledBefore = known !== undefined && (expected === undefined ? offline : known.digest === expected);
  if (!settledBefore) {
    const got = await fetchNow(known ? conditionOf(known) : {});
    if (got) remember(memory, (known = got), store);
  }
  const { digest, size, mtime } = known!;
  return {
    digest,
    size,
    ...(mtime === undefined ? {} : { mtime }),
    name: decodeName(url),
    shown,
    async file() {
      if (file === undefined && store.blobs.has(digest, size)) {
        if (await isIntact(store.blobs.path(digest), digest)) file = store.blobs.path(digest);
        else keep = false;
      }
      if (file === undefined && (await fetchNow({}))!.digest !== digest) {
        throw new SiruError('CONTEXT', `${shown} changed while it was read`, { hint: 'Run again.' });
      }
      return file!;
    },
    [Symbol.dispose]() {
      if (file !== undefined && temporary) rmSync(file, { force: true });
      file = undefined;
    },
  };
}

async function isIntact(file: string, digest: Digest): Promise<boolean> {
  const hasher = createSha256();
  for await (const chunk of createReadStream(file)) hasher.update(chunk as Buffer);
  return hasher.digest() === digest;
}

function decodeName(url: URL): string {
  const name = decoded(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  return name === '' || name === '.' || name === '..' || /[/\0]/.test(name) ? '__unnamed__' : name;
}

/** As people may see it: without user, password and query, which may hold a token. */
export function withoutSecrets(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** The secrets are named after the host: `HTTP_AUTH_HEADER_example.org`, `HTTP_AUTH_TOKEN_example.org`. */
async function authorizationFor(url: URL, secret: DownloadRequest['secret']): Promise<string | undefined> {
  for (const host of new Set([url.host, url.hostname])) {
    for (const kind of ['HEADER', 'TOKEN'] as const) {
      const id = `HTTP_AUTH_${kind}_${host}`;
      const bytes = await secret?.(id);
      if (bytes === undefined) continue;
      const text = Buffer.from(bytes).toString('utf8').trim();
      if (!/^[\t\x20-\x7e]+$/.test(text)) throw new SiruError('CONTEXT', `the secret ${id} is no value of a header`);
      return kind === 'HEADER' ? text : `Bearer ${text}`;
    }
  }
  if (url.username === '' && url.password === '') return undefined;
  return `Basic ${Buffer.from(`${decoded(url.username)}:${decoded(url.password)}`).toString('base64')}`;
}

interface Known extends Fetched {
  etag?: string;
  /** The header's text, when no change since can have gone without a later one. */
  modified?: string;
}

function conditionOf({ etag, modified }: Known): Record<string, string> {
  if (etag !== undefined) return { 'if-none-match': etag };
  return modified === undefined ? {} : { 'if-modified-since': modified };
}

interface Wanted {
  url: URL;
  shown: string;
  authorization: string | undefined;
  condition: Record<string, string>;
}

/** False when the server says that nothing changed. Of what it sends otherwise nothing is read. */
async function changedSince({ url, authorization, condition }: Wanted, context: Context): Promise<boolean> {
  const { createTransport, discard } = await import('../../remote/transport.ts');
  const transport = createTransport();
  try {
    const response = await transport.send({ method: 'GET', url: withoutLogin(url), headers: headersOf(condition, authorization) }, context);
    discard(response);
    return response.status !== 304;
  } catch (error) {
    if (context.signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: error });
    if (error instanceof SiruError) throw error;
    const { unreachable } = await import('../../remote/errors.ts');
    throw unreachable(url, error);
  } finally {
    transport.close();
  }
}

function withoutLogin(url: URL): URL {
  const target = new URL(url);
  target.username = target.password = '';
  return target;
}

function headersOf(condition: Record<string, string>, authorization: string | undefined): Record<string, string> {
  return { ...condition, ...(authorization === undefined ? {} : { authorization }) };
}

/** Undefined when the server says that nothing changed. */
async function fetchInto({ url, shown, authorization, condition }: Wanted, file: string, context: Context): Promise<Known | undefined> {
  const { createTransport, discard } = await import('../../remote/transport.ts');
  const transport = createTransport();
  const fd = openSync(file, 'wx', 0o600);
  const tell = (state: 'moving' | 'done' | 'failed' | 'exists', bytes: number, total?: number): void =>
    context.emit({ type: 'transfer', direction: 'download', what: shown, state, bytes, ...(total !== undefined && { total }) });
  let size = 0;
  try {
    const response = await transport.send({ method: 'GET', url: withoutLogin(url), headers: headersOf(condition, authorization) }, context);
    if (response.status === 304 && Object.keys(condition).length > 0) {
      discard(response);
      tell('exists', 0);
      return undefined;
    }
    if (response.status !== 200) {
      discard(response);
      throw refusal(shown, response.status);
    }
    const length = Number(response.headers['content-length'] ?? Number.NaN);
    const total = Number.isSafeInteger(length) ? length : undefined;
    const hasher = createSha256();
    tell('moving', 0, total);
    let told = Date.now();
    let window = { from: Date.now(), size: 0 };
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      checkCancelled(context);
      size += chunk.length;
      if (size > largestDownload) throw new SiruError('CONTEXT', `${shown} is larger than ${largestDownload} bytes`);
      hasher.update(chunk);
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
      const now = Date.now();
      if (now - window.from > slowest.window) {
        if (size - window.size < slowest.bytes) throw new SiruError('NETWORK', `${shown} sent ${size - window.size} bytes in ${slowest.window / 1000} seconds`, { hint: 'Try again when the server is less busy.' });
        window = { from: now, size };
      }
      if (now - told < 200) continue;
      told = now;
      tell('moving', size, total);
    }
    if (total !== undefined && size !== total && response.headers['content-encoding'] === undefined) {
      throw new SiruError('NETWORK', `${shown} ended after ${size} of ${total} bytes`, { hint: 'Try again.' });
    }
    tell('done', size, size);
    return { digest: hasher.digest(), size, ...timesOf(response) };
  } catch (error) {
    tell('failed', size);
    if (context.signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: error });
    if (error instanceof SiruError) throw error;
    const { unreachable } = await import('../../remote/errors.ts');
    throw unreachable(url, error);
  } finally {
    closeSync(fd);
    transport.close();
  }
}

function timesOf({ headers }: HttpResponse): Pick<Known, 'mtime' | 'etag' | 'modified'> {
  const text = headers['last-modified'];
  const modified = Date.parse(text ?? '');
  const sent = Date.parse(headers.date ?? '');
  const { etag } = headers;
  return {
    ...(Number.isFinite(modified) && { mtime: Math.floor(modified / 1000) }),
    // A weak one stands for files that are nearly the same.
    ...(etag !== undefined && etag.startsWith('"') && etag.length < 1024 && { etag }),
    ...(text !== undefined && sent - modified > settled * 1000 && { modified: text }),
  };
}

function refusal(shown: string, status: number): SiruError {
  const text = `${shown} cannot be fetched: the server answered ${status}`;
  if (status === 401 || status === 403) {
    return new SiruError('AUTH', text, { hint: 'Give it a token: --secret id=HTTP_AUTH_TOKEN_HOST,env=NAME, or a whole header as HTTP_AUTH_HEADER_HOST.' });
  }
  return new SiruError('CONTEXT', text, { hint: status === 404 ? 'Check the address.' : status < 500 ? 'The server refuses.' : 'Try again later.' });
}

function recall(file: string): Known | undefined {
  try {
    const { digest, size, mtime, etag, modified } = JSON.parse(readFileSync(file, 'utf8')) as Known;
    if (!isSha256(digest) || !Number.isSafeInteger(size)) return undefined;
    return {
      digest,
      size,
      ...(mtime !== undefined && Number.isSafeInteger(mtime) && { mtime }),
      ...(typeof etag === 'string' && { etag }),
      ...(typeof modified === 'string' && { modified }),
    };
  } catch {
    return undefined;
  }
}

function remember(file: string, known: Known, store: DownloadStore): void {
  const temporary = store.temporary('.json');
  try {
    writeFileSync(temporary, JSON.stringify(known));
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}
