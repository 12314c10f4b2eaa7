/** Unpacks a layer's blob beside its place or in tmp/, and renames it in when it is whole. */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SiruError, errnoOf } from '../base/errors.ts';
import { applyLayer } from '../layer/apply.ts';
import { openLayerStream } from '../layer/decompress.ts';
import type { LayerSummary } from '../layer/entry.ts';
import { openToc } from '../layer/toc.ts';
import { unpackByToc } from '../layer/unpack-toc.ts';
import type { UnpackOptions } from '../layer/unpack.ts';
import type { UnpackRequest } from './executor.ts';
import { isHarmlessDevice } from './seccomp.ts';

export interface UnpackSettings {
  userns: boolean;
  signal: AbortSignal;
}

export async function unpackLayer(request: UnpackRequest, settings: UnpackSettings): Promise<LayerSummary> {
  const { target, tar } = request;
  mkdirSync(target, { recursive: true });
  const fresh = request.growing ?? join(target, `fs.${Math.random().toString(36).slice(2)}`);
  try {
    const summary = request.toc === undefined ? await readThrough(request, fresh, settings) : await byToc(request, request.toc, fresh, settings);
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
  }
}

const treeOptions = ({ userns, signal }: UnpackSettings): UnpackOptions & { signal: AbortSignal } => ({
  opaque: userns ? 'user' : 'trusted',
  device: ({ type, major = 0, minor = 0 }) => isHarmlessDevice(type, major, minor),
  signal,
});

async function readThrough({ blob, compression, diffId, target, tar }: UnpackRequest, fresh: string, settings: UnpackSettings): Promise<LayerSummary> {
  const fd = tar === undefined ? undefined : openSync(tar, 'wx');
  try {
    const { summary, toc } = await applyLayer(openLayerStream(blob, compression, { signal: settings.signal }), fresh, {
      diffId,
      ...treeOptions(settings),
      ...(fd === undefined ? {} : { tee: { write: (bytes: Uint8Array) => writeAll(fd, bytes) } }),
    });
    writeFileSync(join(target, 'toc'), toc);
    return summary;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

async function byToc({ blob, diffId, like }: UnpackRequest, file: string, fresh: string, settings: UnpackSettings): Promise<LayerSummary> {
  const toc = openToc(readFileSync(file));
  if (toc.summary.diffId !== diffId) throw new SiruError('STORE', `${file} is the table of ${toc.summary.diffId}, not of ${diffId}`);
  const fd = openSync(blob, 'r');
  try {
    await unpackByToc(toc, fd, fresh, { ...treeOptions(settings), ...(like ? { like: { root: like.fs, toc: openToc(readFileSync(like.toc)) } } : {}) });
  } finally {
    closeSync(fd);
  }
  return toc.summary;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}
