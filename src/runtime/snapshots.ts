/**
 * Snapshots as this process holds them: a folder with an upper directory, and a tree that is mounted when something runs.
 *
 *     <folder>/upper, work, merged    overlayfs's own
 *     <folder>/empty                  stands below where there are no layers
 *     <folder>/links                  short names of the layers below
 *     <folder>/run                    bundle, state of the runtime, sources of mounts
 */
import { chmodSync, chownSync, closeSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, statSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SiruError, messageOf } from '../base/errors.ts';
import type { LayerWatch } from '../layer/watch-layer.ts';
import type { ByteSink } from '../layer/writer-contract.ts';
import { unmount } from '../sys/mount.ts';
import type { CommitRequest, Committed, PrepareRequest } from './executor.ts';
import { mountOverlay } from './overlay.ts';

export interface Snapshot {
  id: string;
  folder: string;
  lowers: readonly string[];
  merged: string;
  mounted: boolean;
}

export function makeSnapshot(id: string, request: PrepareRequest): Snapshot {
  const { folder, lowers } = request;
  mkdirSync(join(folder, 'merged'), { recursive: true });
  mkdirSync(join(folder, 'run'), { recursive: true });
  const snapshot: Snapshot = { id, folder, lowers, merged: join(folder, 'merged'), mounted: false };
  freshUpper(snapshot);
  return snapshot;
}

/** An upper directory whose root looks like that of the topmost layer. One that is there already is kept. */
function freshUpper(snapshot: Snapshot): void {
  const upper = join(snapshot.folder, 'upper');
  if (lstatSync(upper, { throwIfNoEntry: false })) return;
  mkdirSync(upper, { mode: 0o755 });
  const top = snapshot.lowers.at(-1);
  if (top === undefined) return;
  const stat = statSync(top);
  chownSync(upper, stat.uid, stat.gid);
  chmodSync(upper, stat.mode & 0o7777);
  utimesSync(upper, stat.atime, stat.mtime);
}

/** Mounts the tree, unless it is mounted already. */
export function mountSnapshot(snapshot: Snapshot, options: readonly string[]): void {
  if (snapshot.mounted) return;
  const at = (name: string): string => join(snapshot.folder, name);
  freshUpper(snapshot);
  // What an earlier mount left there would forbid another one.
  rmSync(at('work'), { recursive: true, force: true });
  mkdirSync(at('work'));
  mkdirSync(at('empty'), { recursive: true });
  const lowers = snapshot.lowers.length === 0 ? [at('empty')] : snapshot.lowers;
  mountOverlay({ lowers, links: at('links'), target: snapshot.merged, upper: at('upper'), work: at('work'), options });
  snapshot.mounted = true;
}

export function unmountSnapshot(snapshot: Snapshot): void {
  if (!snapshot.mounted) return;
  unmount(snapshot.merged, { detach: true });
  snapshot.mounted = false;
}

/** Writes the layer's tar, moves the upper directory to `<target>/fs` and its table of contents to `<target>/toc`. */
export async function commitSnapshot(snapshot: Snapshot, request: CommitRequest, { userns, signal }: { userns: boolean; signal: AbortSignal }): Promise<Committed> {
  const { createLayerWriter } = await import('../layer/writer.ts');
  const { diffUpper } = await import('../layer/diff.ts');
  unmountSnapshot(snapshot);
  const upper = join(snapshot.folder, 'upper');
  freshUpper(snapshot);
  let fd: number | undefined;
  try {
    fd = openSync(request.tar, 'wx');
    const tar = fd;
    const file: ByteSink = {
      write(bytes) {
        for (let done = 0; done < bytes.length; ) done += writeSync(tar, bytes, done, bytes.length - done);
      },
    };
    const watch = request.needles && (await watchFor(request.needles, file));
    const writer = createLayerWriter(watch ?? file);
    diffUpper(upper, writer, { signal, opaque: userns ? 'user' : 'trusted', ...(request.epoch === undefined ? {} : { epoch: request.epoch }), ...(request.drop && { drop: new Set(request.drop) }) });
    const { summary, toc } = writer.finish();
    mkdirSync(request.target, { recursive: true });
    writeFileSync(join(request.target, 'toc'), toc);
    renameSync(upper, join(request.target, 'fs'));
    return watch ? { ...summary, finds: watch.finds(toc) } : summary;
  } catch (error) {
    rmSync(request.tar, { force: true });
    if (error instanceof SiruError) throw error;
    throw new SiruError('STORE', `cannot write the layer: ${messageOf(error)}`, { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

async function watchFor(needles: string[], sink: ByteSink): Promise<LayerWatch> {
  const [{ watchLayer }, { compileNeedles }] = await Promise.all([import('../layer/watch-layer.ts'), import('../base/search.ts')]);
  return watchLayer(sink, compileNeedles(needles.map((needle) => Buffer.from(needle, 'base64'))));
}

/** Unmounts and deletes; with `keepUpper` only what a mount needs and leaves. */
export function removeSnapshot(snapshot: Snapshot, keepUpper = false): void {
  unmountSnapshot(snapshot);
  const { folder } = snapshot;
  const gone = keepUpper ? ['work', 'merged', 'empty', 'links', 'run'].map((name) => join(folder, name)) : [folder];
  for (const path of gone) rmSync(path, { recursive: true, force: true });
}
