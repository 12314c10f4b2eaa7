/** Overlay mounts over many layers, and what this kernel takes of their options. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync, readFileSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { mount, unmount } from '../sys/mount.ts';

export interface OverlayMount {
  /** Bottom first; at least one, at least two without an upper directory. */
  lowers: readonly string[];
  /** A folder of its own; holds the names by which the lower directories are mounted. */
  links: string;
  target: string;
  upper?: string;
  work?: string;
  /** Further options; see overlayOptions. */
  options: readonly string[];
}

/** As many as fit into the kernel's page of options under short names, and as the kernel takes. */
const mostLayers = 500;

/**
 * Mounts. The lower directories get names of few characters in `links`, and the mount is made from within it, because the
 * kernel takes one page of option text. Throws STORE or UNSUPPORTED.
 */
export function mountOverlay(request: OverlayMount): void {
  const { links, target, upper, work, options } = request;
  // The kernel takes no directory twice, and equal layers are one directory. What a layer does is done by its topmost place.
  const lowers = [...new Set(request.lowers.toReversed())].reverse();
  if (lowers.length > mostLayers) throw new SiruError('UNSUPPORTED', `${lowers.length} layers are more than the ${mostLayers} that can be mounted at once`);
  rmSync(links, { recursive: true, force: true });
  mkdirSync(links, { recursive: true });
  const names = lowers.map((path, index) => {
    const name = index.toString(36);
    symlinkSync(path, join(links, name));
    return name;
  });
  const parts = [`lowerdir=${names.reverse().join(':')}`];
  if (upper !== undefined && work !== undefined) {
    symlinkSync(upper, join(links, 'upper'));
    symlinkSync(work, join(links, 'work'));
    parts.push('upperdir=upper', 'workdir=work');
  }
  // `volatile` is refused for a mount that nothing is written through.
  parts.push(...options.filter((option) => upper !== undefined || option !== 'volatile'));
  const before = process.cwd();
  process.chdir(links);
  try {
    mount(target, { type: 'overlay', source: 'overlay', data: parts.join(',') });
  } catch (error) {
    throw new SiruError('STORE', `cannot mount ${lowers.length} layers at ${target}: ${messageOf(error)}`, {
      hint: errnoOf(error) === 'EINVAL' ? 'The store must lie on a file system such as ext4, xfs or btrfs, not on another overlay or NFS: set --root.' : undefined,
      cause: error,
    });
  } finally {
    process.chdir(before);
  }
}

/** Redirects, indexes and metadata-only copies would leave an upper directory that is no plain tree. */
const plain = ['index=off', 'redirect_dir=off', 'metacopy=off'];

/**
 * Finds the options for writable mounts by trying: replaces a lower directory through a mount, which is what fails first
 * where a mount itself succeeds. Throws an errno error when overlay mounts are not possible on the folder's file system.
 */
export function overlayOptions(folder: string, userns: boolean): string[] {
  const base = userns ? ['userxattr'] : [];
  // Nothing in a store is synced on the way; `volatile` spares the same within a RUN.
  const candidates = [[...base, ...plain, 'volatile'], [...base, ...plain], base];
  let failure: unknown;
  for (const options of candidates) {
    try {
      tryOverlay(folder, options);
      return options;
    } catch (error) {
      failure = error;
      if (errnoOf((error as { cause?: unknown }).cause ?? error) !== 'EINVAL') break;
    }
  }
  throw failure;
}

function tryOverlay(folder: string, options: string[]): void {
  const base = mkdtempSync(join(folder, 'overlay-'));
  const at = (name: string): string => join(base, name);
  let mounted = false;
  try {
    for (const name of ['lower/dir', 'upper', 'work', 'merged']) mkdirSync(at(name), { recursive: true });
    writeFileSync(at('lower/dir/old'), '');
    mountOverlay({ lowers: [at('lower')], links: at('links'), target: at('merged'), upper: at('upper'), work: at('work'), options });
    mounted = true;
    rmSync(at('merged/dir'), { recursive: true });
    mkdirSync(at('merged/dir'));
    writeFileSync(at('merged/dir/new'), 'new');
    if (readFileSync(at('upper/dir/new'), 'utf8') !== 'new') throw new Error('the upper directory does not show what was written');
  } finally {
    if (mounted) unmount(at('merged'), { detach: true });
    rmSync(base, { recursive: true, force: true });
  }
}
