/** Blobs of a registry: is it there, and its bytes. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Reference } from '../oci/reference.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { unreachable } from './errors.ts';
import { pullScope, pushScope } from './manifests.ts';
import { retryableCode, sleep, waitBefore } from './retry.ts';
import { discard } from './transport.ts';
import type { HttpResponse } from './transport.ts';

export interface RemoteBlob {
  /** From the offset to the end: never more than the descriptor's size. Throws DIGEST when it is longer or shorter. */
  chunks: AsyncIterable<Uint8Array>;
  /** Host that serves it. */
  servedBy: string;
}

/** True when the repository has the blob. Throws DIGEST when it has one of another size under this digest. */
export async function hasBlob(connection: Connection, endpoint: Endpoint, reference: Reference, descriptor: Pick<Descriptor, 'digest' | 'size'>, context: Context): Promise<boolean> {
  const response = await connection.send(endpoint, {
    method: 'HEAD',
    at: `blobs/${descriptor.digest}`,
    repository: reference.path,
    scopes: [pushScope(endpoint.prefix + reference.path)],
    accept: [200, 404],
    about: { action: 'push', what: `blob ${descriptor.digest}` },
  }, context);
  discard(response);
  if (response.status === 404) return false;
  const size = response.headers['content-length'];
  if (size !== undefined && Number(size) !== descriptor.size) {
    throw new SiruError('DIGEST', `${endpoint.host} has ${descriptor.digest} with ${size} bytes, not ${descriptor.size}`, {
      hint: 'the blob is damaged in the registry and must be deleted there',
    });
  }
  return true;
}

/**
 * Opens a blob from an offset. When the connection breaks on the way, the rest is asked for with Range, so the consumer
 * sees one unbroken run of bytes. The digest is the consumer's to check; the size is checked here.
 */
export async function getBlob(connection: Connection, endpoint: Endpoint, reference: Reference, descriptor: Descriptor, offset: number, context: Context): Promise<RemoteBlob> {
  const open = (from: number): Promise<HttpResponse> => connection.send(endpoint, {
    method: 'GET',
    at: `blobs/${descriptor.digest}`,
    repository: reference.path,
    headers: from > 0 ? { range: `bytes=${from}-` } : {},
    scopes: [pullScope(endpoint.prefix + reference.path)],
    accept: from > 0 ? [200, 206] : [200],
    about: { action: 'pull', what: `blob ${descriptor.digest}` },
  }, context);
  const first = await open(offset);
  return { chunks: readBlob(first, open, descriptor, offset, endpoint.host, connection, context), servedBy: endpoint.host };
}

async function* readBlob(first: HttpResponse, open: (from: number) => Promise<HttpResponse>, descriptor: Descriptor, offset: number, host: string, connection: Connection, context: Context): AsyncGenerator<Uint8Array> {
  const wrong = (problem: string): SiruError => new SiruError('DIGEST', `blob ${descriptor.digest} from ${host} ${problem}`, {
    hint: 'the registry or a proxy on the way damaged it: try again, or use another mirror',
  });
  let response = first;
  let position = offset;
  let failures = 0;
  for (;;) {
    // A server without Range begins anew: what is known already is passed over.
    let skip = response.status === 206 ? 0 : position;
    if (response.status === 206 && !rangeBegins(response, position)) {
      discard(response);
      throw wrong('came as another range than was asked for');
    }
    const { body } = response;
    try {
      for await (let chunk of body as AsyncIterable<Buffer>) {
        if (skip > 0) {
          const passed = Math.min(skip, chunk.length);
          skip -= passed;
          chunk = chunk.subarray(passed);
        }
        if (chunk.length === 0) continue;
        position += chunk.length;
        if (position > descriptor.size) throw wrong(`is longer than its ${descriptor.size} bytes`);
        failures = 0;
        yield chunk;
      }
      if (!body.complete) throw Object.assign(new Error('cut off'), { code: 'ECONNRESET' });
      if (position < descriptor.size) throw wrong(`ends after ${position} of ${descriptor.size} bytes`);
      return;
    } catch (error) {
      if (context.signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: error });
      const code = (error as { code?: string }).code;
      const wait = error instanceof SiruError || !retryableCode(code) ? undefined : waitBefore(++failures, connection.transport.retry, undefined);
      if (wait === undefined) throw error instanceof SiruError ? error : unreachable(response.url, error);
      context.emit({ type: 'status', text: `${host} broke off after ${position} of ${descriptor.size} bytes; going on in ${(wait / 1000).toFixed(1)} s` });
      await sleep(wait, context.signal).catch((cause: unknown) => {
        throw new SiruError('CANCELLED', 'cancelled', { cause });
      });
      response = await open(position);
    } finally {
      if (!body.complete) body.destroy();
    }
  }
}

function rangeBegins(response: HttpResponse, position: number): boolean {
  const match = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '');
  return match !== null && Number(match[1]) === position;
}
