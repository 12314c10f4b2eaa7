/** Unpacks a layer's blob beside its place and renames it in when it is whole. */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import { applyLayer } from '../layer/apply.ts';
import { openLayerStream } from '../layer/decompress.ts';
import type { LayerSummary } from '../layer/entry.ts';
import type { UnpackRequest } from './executor.ts';
import { isHarmlessDevice } from './seccomp.ts';

export interface UnpackSettings {
  userns: boolean;
  signal: AbortSignal;
}

export async function unpackLayer(request: UnpackRequest, settings: UnpackSettings): Promise<LayerSummary> {
  const { blob, compression, diffId, target, tar } = request;
  const { userns, signal } = settings;
  mkdirSync(target, { recursive: true });
  const fresh = join(target, `fs.${Math.random().toString(36).slice(2)}`);
  const fd = tar === undefined ? undefined : openSync(tar, 'wx');
  try {
    const { summary, toc } = await applyLayer(openLayerStream(blob, compression, { signal }), fresh, {
      diffId,
      opaque: userns ? 'user' : 'trusted',
      device: ({ type, major = 0, minor = 0 }) => isHarmlessDevice(type, major, minor),
      signal,
      ...(fd === undefined ? {} : { tee: { write: (bytes: Uint8Array) => writeAll(fd, bytes) } }),
    });
    writeFileSync(join(target, 'toc'), toc);
    try {
      renameSync(fresh, join(target, 'fs'));
    } catch (error) {
      // Somebody else has unpacked the same layer meanwhile.
      const code = errnoOf(error);
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      rmSync(fresh, { recursive: true, force: true });
    }
    return summary;
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (tar !== undefined) rmSync(tar, { force: true });
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}
