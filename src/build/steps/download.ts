/** Files that ADD fetches by URL: into the store's tmp/, hashed on the way, bounded in size. */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { createSha256, hexOf, isSha256, parseDigest, sha256, type Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';

/** What is known of a file behind a URL. */
export interface Remote {
  digest: Digest;
  size: number;
  /** From Last-Modified, in seconds. */
  mtime?: number;
}

export interface Download extends Remote, Disposable {
  /** Name from the URL's path. */
  name: string;
  /** Path of the file, which is fetched now if it was not yet. */
  file(): Promise<string>;
}

type DownloadStore = Pick<Store, 'path' | 'temporary'>;

/** Larger files are refused. */
const largest = 16 * 2 ** 30;

/**
 * Looks a URL up. With a checksum whose file was fetched before nothing is fetched now, because nothing else could come.
 * Throws CONTEXT for a refusal or a wrong checksum, NETWORK when the host cannot be reached.
 */
export async function openDownload(address: string, checksum: string | undefined, store: DownloadStore, context: Context): Promise<Download> {
  if (!URL.canParse(address)) throw new SiruError('CONTEXT', `ADD: ${JSON.stringify(address)} is no URL`);
  const url = new URL(address);
  const shown = withoutSecrets(url);
  const expected = checksum === undefined ? undefined : parseDigest(checksum);
  if (expected !== undefined && !isSha256(expected)) throw new SiruError('UNSUPPORTED', `--checksum=${checksum}: only sha256 is supported`);
  const memory = expected && store.path('listings', hexOf(sha256(`download 1 ${address} ${expected}`)));
  let file: string | undefined;
  const fetchNow = async (): Promise<Remote> => {
    file = store.temporary('.download');
    try {
      const remote = await fetchInto(url, shown, file, context);
      if (expected !== undefined && remote.digest !== expected) {
        throw new SiruError('DIGEST', `${shown} has the digest ${remote.digest}, and --checksum promised ${expected}`, {
          hint: 'The file behind the URL changed, or the checksum is another file’s.',
        });
      }
      return remote;
    } catch (error) {
      rmSync(file, { force: true });
      file = undefined;
      throw error;
    }
  };
  let remote = memory === undefined ? undefined : recall(memory, expected!);
  if (remote === undefined) {
    remote = await fetchNow();
    if (memory !== undefined) remember(memory, remote, store);
  }
  return {
    ...remote,
    name: decodeName(url),
    async file() {
      if (file === undefined) await fetchNow();
      return file!;
    },
    [Symbol.dispose]() {
      if (file !== undefined) rmSync(file, { force: true });
      file = undefined;
    },
  };
}

function decodeName(url: URL): string {
  const raw = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  let name = raw;
  try {
    name = decodeURIComponent(raw);
  } catch {
    // A lone percent sign stands for itself.
  }
  return name === '' || name === '.' || name === '..' || /[/\0]/.test(name) ? '__unnamed__' : name;
}

/** As people may see it: without user, password and query, which may hold a token. */
function withoutSecrets(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

async function fetchInto(url: URL, shown: string, file: string, context: Context): Promise<Remote> {
  const { createTransport, discard } = await import('../../remote/transport.ts');
  const transport = createTransport();
  const fd = openSync(file, 'wx', 0o600);
  const tell = (state: 'moving' | 'done' | 'failed', bytes: number, total?: number): void =>
    context.emit({ type: 'transfer', direction: 'download', what: shown, state, bytes, ...(total !== undefined && { total }) });
  let size = 0;
  try {
    const target = new URL(url);
    const headers: Record<string, string> = {};
    if (target.username !== '' || target.password !== '') {
      headers['authorization'] = `Basic ${Buffer.from(`${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`).toString('base64')}`;
      target.username = target.password = '';
    }
    const response = await transport.send({ method: 'GET', url: target, headers }, context);
    if (response.status !== 200) {
      discard(response);
      throw new SiruError('CONTEXT', `${shown} cannot be fetched: the server answered ${response.status}`, {
        hint: response.status === 404 ? 'Check the address.' : response.status < 500 ? 'The server wants a login or refuses.' : 'Try again later.',
      });
    }
    const length = Number(response.headers['content-length'] ?? Number.NaN);
    const total = Number.isSafeInteger(length) ? length : undefined;
    const hasher = createSha256();
    tell('moving', 0, total);
    let told = Date.now();
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      checkCancelled(context);
      size += chunk.length;
      if (size > largest) throw new SiruError('CONTEXT', `${shown} is larger than ${largest} bytes`);
      hasher.update(chunk);
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
      if (Date.now() - told < 200) continue;
      told = Date.now();
      tell('moving', size, total);
    }
    if (total !== undefined && size !== total && response.headers['content-encoding'] === undefined) {
      throw new SiruError('NETWORK', `${shown} ended after ${size} of ${total} bytes`, { hint: 'Try again.' });
    }
    tell('done', size, size);
    const modified = Date.parse(response.headers['last-modified'] ?? '');
    return { digest: hasher.digest(), size, ...(Number.isFinite(modified) && { mtime: Math.floor(modified / 1000) }) };
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

function recall(file: string, digest: Digest): Remote | undefined {
  try {
    const { size, mtime } = JSON.parse(readFileSync(file, 'utf8')) as Remote;
    if (!Number.isSafeInteger(size)) return undefined;
    return { digest, size, ...(mtime !== undefined && Number.isSafeInteger(mtime) && { mtime }) };
  } catch {
    return undefined;
  }
}

function remember(file: string, remote: Remote, store: DownloadStore): void {
  const temporary = store.temporary('.json');
  try {
    writeFileSync(temporary, JSON.stringify(remote));
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}
