/** Makes the sources of a process's mounts ready, in a folder of its snapshot, and names them as the runtime wants. */
import { chmodSync, chownSync, constants, copyFileSync, existsSync, lchownSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { resolveInside } from '../sys/inside-root.ts';
import { mount, mountFlags, unmount } from '../sys/mount.ts';
import { deviceParts } from '../sys/node.ts';
import { renameNoReplace } from '../sys/rename.ts';
import type { OciMount } from './bundle.ts';
import type { Mount } from './executor.ts';
import { mountOverlay } from './overlay.ts';
import { forwardSocket } from './forward-socket.ts';
import { isHarmlessDevice } from './seccomp.ts';
import type { Mountpoint } from './stubs.ts';

export interface ReadyMounts extends Disposable {
  list: OciMount[];
  mountpoints: Mountpoint[];
}

/**
 * Disposing unmounts what was mounted. `folder` must exist. Throws NOT_FOUND when a source does not exist.
 */
export function readyMounts(mounts: readonly Mount[], folder: string, overlayOptions: readonly string[]): ReadyMounts {
  const undo: (() => void)[] = [];
  const ready: ReadyMounts = {
    list: [],
    mountpoints: [],
    [Symbol.dispose]() {
      for (const step of undo.splice(0).reverse()) step();
    },
  };
  let files = 0;

  const detach = (target: string): void => {
    undo.push(() => {
      try {
        unmount(target, { detach: true });
      } catch {
        // It goes with the namespace at the latest.
      }
    });
  };
  const view = (lowers: readonly string[], index: number, writable: boolean): string => {
    const base = join(folder, `mount-${index}`);
    const at = (name: string): string => join(base, name);
    for (const name of ['empty', 'upper', 'work', 'merged']) mkdirSync(at(name), { recursive: true });
    // The empty tree makes a view of a single layer a mount too, in which whiteouts are not seen.
    const options = { lowers: [at('empty'), ...lowers], links: at('links'), target: at('merged'), options: overlayOptions };
    if (writable) {
      const top = lowers.at(-1);
      if (top !== undefined) sameOwner(top, at('upper'));
      mountOverlay({ ...options, upper: at('upper'), work: at('work') });
    } else mountOverlay(options);
    detach(at('merged'));
    return at('merged');
  };
  const secrets = (): string => {
    const base = join(folder, 'files');
    if (files++ === 0) {
      mkdirSync(base, { mode: 0o700, recursive: true });
      mount(base, { type: 'tmpfs', source: 'tmpfs', flags: mountFlags.nosuid | mountFlags.nodev, data: 'mode=700' });
      detach(base);
    }
    return join(base, String(files));
  };

  try {
    const ordered = [...mounts.entries()].sort(([, a], [, b]) => depthOf(a.target) - depthOf(b.target));
    for (const [index, item] of ordered) {
      const { target, readonly = false } = item;
      const access = readonly ? 'ro' : 'rw';
      const bind = (source: string): void => {
        const stat = statSync(source);
        const options = [stat.isDirectory() ? 'rbind' : 'bind', 'rprivate', access];
        if (!isHarmless(source)) options.push('nodev');
        ready.list.push({ destination: target, type: 'bind', source, options });
        addMountpoint(target, stat.isDirectory() ? 'dir' : 'file');
      };
      switch (item.type) {
        case 'bind':
          if (!existsSync(item.source)) throw new SiruError('NOT_FOUND', `cannot mount ${item.source} at ${target}: it does not exist`);
          bind(item.source);
          break;
        case 'snapshot':
          bind(inside(view(item.lowers, index, !readonly), item.source, target));
          break;
        case 'cache':
          makeCache(item, join(folder, `cache-${index}`), (lowers) => view(lowers, index, false));
          bind(item.folder);
          break;
        case 'file': {
          const path = secrets();
          writeFileSync(path, Buffer.from(item.bytes, 'base64'), { mode: 0o600 });
          chownSync(path, item.uid, item.gid);
          chmodSync(path, item.mode);
          bind(path);
          break;
        }
        case 'socket': {
          const path = secrets();
          undo.push(forwardSocket(path, item));
          bind(path);
          break;
        }
        case 'tmpfs': {
          const options = ['nosuid', access, `mode=${(item.mode ?? 0o1777).toString(8)}`];
          if (item.noexec) options.push('noexec', 'nodev');
          if (item.size !== undefined) options.push(`size=${item.size}`);
          ready.list.push({ destination: target, type: 'tmpfs', source: 'tmpfs', options });
          addMountpoint(target, 'dir');
        }
      }
    }
  } catch (error) {
    ready[Symbol.dispose]();
    throw error;
  }
  return ready;

  function addMountpoint(path: string, type: 'dir' | 'file'): void {
    // What lies in another mount is not of the tree.
    if (mounts.some((other) => other.target !== path && path.startsWith(`${other.target.replace(/\/+$/, '')}/`))) return;
    ready.mountpoints.push({ path, type });
  }
}

function depthOf(path: string): number {
  return path.split('/').filter((name) => name !== '').length;
}

function sameOwner(from: string, to: string): void {
  const { uid, gid, mode } = statSync(from);
  chownSync(to, uid, gid);
  chmodSync(to, mode & 0o7777);
}

/** A device that a container may open anyway, so that `-v /dev/null:/some/file` works. */
function isHarmless(path: string): boolean {
  const stat = statSync(path);
  if (!stat.isCharacterDevice()) return false;
  const { major, minor } = deviceParts(stat.rdev);
  return isHarmlessDevice('char', major, minor);
}

function inside(root: string, source: string, target: string): string {
  const path = join(root, resolveInside(root, source));
  if (!lstatSync(path, { throwIfNoEntry: false })) throw new SiruError('NOT_FOUND', `cannot mount ${source} at ${target}: it does not exist`);
  return path;
}

/**
 * Makes a cache's folder when it is new. Two processes may do so at once: the first whole one stands. It grows at `fresh`,
 * where what a kill leaves of it is removed with all else.
 */
function makeCache(cache: Extract<Mount, { type: 'cache' }>, fresh: string, view: (lowers: readonly string[]) => string): void {
  const { folder, uid, gid, mode, from } = cache;
  if (existsSync(folder)) return;
  try {
    if (from) {
      const source = inside(view(from.lowers), from.source, cache.target);
      if (!lstatSync(source).isDirectory()) throw new SiruError('CONTEXT', `the cache at ${cache.target} cannot begin with ${from.source}: it is no directory`);
      copyTree(source, fresh);
    } else {
      mkdirSync(fresh, { recursive: true });
      chownSync(fresh, uid, gid);
      chmodSync(fresh, mode);
    }
    // Not rename(2), which replaces an empty directory: another process may be writing to that one already.
    renameNoReplace(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const code = errnoOf(error);
    if (code === 'EEXIST') return;
    if (code === undefined) throw error;
    throw new SiruError('STORE', `cannot make the cache at ${cache.target}: ${messageOf(error)}`, { cause: error });
  }
}

/** Copies with owners, modes and times. Initial contents of caches are small and rare. */
function copyTree(from: string, to: string): void {
  const stat = lstatSync(from);
  if (stat.isDirectory()) {
    mkdirSync(to, { mode: 0o700 });
    for (const name of readdirSync(from)) copyTree(join(from, name), join(to, name));
  } else if (stat.isFile()) copyFileSync(from, to, constants.COPYFILE_FICLONE);
  else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else return;
  lchownSync(to, stat.uid, stat.gid);
  if (!stat.isSymbolicLink()) chmodSync(to, stat.mode & 0o7777);
  lutimesSync(to, stat.atime, stat.mtime);
}
