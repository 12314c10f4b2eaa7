/** Opens compressed layers, with a bound on what comes out of them. */
import { createReadStream } from 'node:fs';
import { Readable, pipeline, type Duplex } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import type { Compression } from '../oci/media-types.ts';
import type { Chunks } from './read-layer.ts';
import { splitZstdFrames } from './zstd-frames.ts';

export interface DecompressOptions {
  /** Most bytes that may come out. Throws LAYER beyond. 64 GiB when not given. */
  limit?: number;
  /** Most bytes that may come out for each that goes in. Not bounded when not given: long runs of zeros are honest. */
  ratio?: number;
  signal?: AbortSignal;
}

const chunkSize = 1 << 18;
const defaultLimit = 64 * 2 ** 30;

/** The uncompressed bytes of a layer's blob in a file. Throws LAYER when it is damaged or gives more than it may. */
export function openLayerStream(file: string, compression: Compression, options: DecompressOptions = {}): AsyncIterable<Uint8Array> {
  return decompress(createReadStream(file, { highWaterMark: 1 << 20 }), compression, options);
}

/**
 * The same from chunks, which must stay as they are until all is read: several gzip members or zstd frames count as one
 * stream.
 */
export async function* decompress(source: Chunks, compression: Compression, options: DecompressOptions = {}): AsyncGenerator<Uint8Array, undefined> {
  const { limit = defaultLimit, ratio = Infinity, signal } = options;
  let taken = 0;
  let given = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array, undefined> {
    for await (const chunk of source) {
      taken += chunk.length;
      yield chunk;
    }
    return undefined;
  };
  const bytes: AsyncIterable<Uint8Array> = compression === 'none' ? counted() : through(counted(), compression);
  try {
    for await (const chunk of bytes) {
      if (signal?.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: signal.reason });
      given += chunk.length;
      if (given > limit) throw new SiruError('LAYER', `the layer gives more than the ${limit} bytes that it may when it is decompressed`);
      if (given > taken * ratio + chunkSize) throw new SiruError('LAYER', `the layer gives more than ${ratio} bytes for each that it has`);
      yield chunk;
    }
  } catch (error) {
    throw explain(error, compression);
  }
  return undefined;
}

function through(source: AsyncIterable<Uint8Array>, compression: 'gzip' | 'zstd'): Duplex {
  const decoder = compression === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
  // In object mode, so that the pieces stay as they are. A failure on either side shows in the iteration.
  pipeline(Readable.from(compression === 'zstd' ? splitZstdFrames(source) : source), decoder, () => {});
  return decoder;
}

function explain(error: unknown, compression: Compression): unknown {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && /^(?:Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB)/.test(code)) {
    return new SiruError('LAYER', `the layer is no whole ${compression} stream: ${messageOf(error)}`, {
      hint: 'It was damaged on the way: pull the image again.',
      cause: error,
    });
  }
  const errno = errnoOf(error);
  if (errno !== undefined && (error as { syscall?: unknown }).syscall !== undefined) {
    return new SiruError('STORE', `cannot read the layer: ${messageOf(error)}`, { cause: error });
  }
  return error;
}
