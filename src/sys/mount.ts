/** mount(2) and umount2(2). */
import { constants } from 'node:os';
import { cString, failure, native, type Path } from './native.ts';

const mountCall = native('int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)');
const umountCall = native('int umount2(const char *target, int flags)');

/** Flags of mount(2), as sys/mount.h has them. */
export const mountFlags = {
  readonly: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  remount: 32,
  noatime: 1024,
  bind: 4096,
  move: 8192,
  recursive: 16384,
  unbindable: 131072,
  private: 262144,
  slave: 524288,
  shared: 1048576,
} as const;

/** The kernel copies one page of option text. */
const optionLimit = 4095;

export interface MountOptions {
  source?: Path;
  /** `overlay`, `tmpfs`, `proc`, ... */
  type?: string;
  /** Sum of mountFlags. */
  flags?: number;
  /** Text for the file system: `lowerdir=...,upperdir=...`. At most 4095 bytes. */
  data?: string | Buffer;
}

/** Mounts. Throws an errno error; E2BIG when the option text does not fit in what the kernel takes. */
export function mount(target: Path, options: MountOptions): void {
  const { source = 'none', type, flags = 0, data } = options;
  if (data !== undefined && Buffer.byteLength(data) > optionLimit) throw failure('mount', target, undefined, constants.errno.E2BIG);
  const done = mountCall(cString(source), cString(target), type ?? null, flags, data === undefined ? null : cString(data));
  if (done !== 0) throw failure('mount', source, target);
}

/** Makes a directory or file visible at another place; `recursive` takes the mounts below along. */
export function bindMount(source: Path, target: Path, options: { recursive?: boolean; readonly?: boolean } = {}): void {
  mount(target, { source, flags: mountFlags.bind | (options.recursive ? mountFlags.recursive : 0) });
  // A bind mount ignores all other flags at first; read-only needs a second call.
  if (options.readonly) mount(target, { flags: mountFlags.remount | mountFlags.bind | mountFlags.readonly });
}

/** Ends the propagation of mounts at `target` and below to and from other namespaces. */
export function makePrivate(target: Path = '/'): void {
  mount(target, { flags: mountFlags.private | mountFlags.recursive });
}

export interface OverlayOptions {
  /** Absolute paths of trees, bottom first. */
  lowers: readonly string[];
  /** Absent for a read-only view (which needs at least two lowers). */
  upper?: string;
  work?: string;
  /** Further options: `userxattr`, `volatile`, `index=off`, ... */
  extra?: readonly string[];
}

/** The option text of an overlay mount. Characters that the kernel's option parser takes for itself are escaped. */
export function overlayData(options: OverlayOptions): string {
  const escape = (path: string): string => path.replace(/[\\,:]/g, '\\$&');
  const parts = [`lowerdir=${options.lowers.map(escape).reverse().join(':')}`];
  // Only the list of lowers is split at colons.
  const single = (path: string): string => path.replace(/[\\,]/g, '\\$&');
  if (options.upper !== undefined) parts.push(`upperdir=${single(options.upper)}`, `workdir=${single(options.work ?? '')}`);
  return [...parts, ...(options.extra ?? [])].join(',');
}

/** Unmounts. `detach` takes it out of the tree now and lets it go when it is no longer in use. */
export function unmount(target: Path, options: { detach?: boolean } = {}): void {
  // UMOUNT_NOFOLLOW 8, MNT_DETACH 2
  if (umountCall(cString(target), options.detach ? 8 | 2 : 8) !== 0) throw failure('umount2', target);
}
