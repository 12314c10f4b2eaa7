/**
 * Puts the entries of a layer into a directory, in the form that overlayfs wants of a lower directory: whiteouts are
 * character devices 0:0, opaque directories carry an attribute.
 *
 * The directory starts empty and nobody else writes to it; every path comes from a layer tree, which never leads through
 * a link. So plain paths are safe here, and O_EXCL makes a breach of that an error.
 */
import { chmodSync, closeSync, constants, fchmodSync, fchownSync, fstatSync, lchownSync, linkSync, mkdirSync, openSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeSync } from 'node:fs';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { makeNode } from '../sys/node.ts';
import { setFileTime, setTime } from '../sys/times.ts';
import { setXattr } from '../sys/xattr.ts';
import type { Entry } from './entry.ts';
import { fsPath } from './path-bytes.ts';
import type { Placed } from './layer-tree.ts';
import type { TreeTarget } from './read-layer.ts';

export interface UnpackOptions {
  /** How overlayfs will look for opaque directories: `user` when it is mounted with userxattr. */
  opaque: 'trusted' | 'user';
  /** Set owners. True when not given and the process is root (of its user namespace). */
  owners?: boolean;
  /** Which device nodes are made (char and block); all when not given. */
  device?: (entry: Entry) => boolean;
}

/** What could not be done, for one warning each instead of thousands. */
export interface Skipped {
  /** Devices that the kernel or the caller refused; the layer's table still has them. */
  devices: number;
  /** Extended attributes that the kernel or the file system refused, by name. */
  xattrs: Record<string, number>;
}

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** Makes the directory, which must not exist or be empty. Throws STORE. */
export function createUnpacker(root: string, options: UnpackOptions): TreeTarget & { skipped: Skipped } {
  const owners = options.owners ?? process.geteuid?.() === 0;
  const skipped: Skipped = { devices: 0, xattrs: {} };
  mkdirSync(root, { recursive: true });
  if (readdirSync(root).length > 0) throw new SiruError('STORE', `${root} is not empty, so a layer cannot be unpacked into it`);
  /** Bits that a new file does not get, or that a change of owner takes away. Directories stay closed to others until the end. */
  const hidden = 0o7000 | process.umask();
  const at = (path: string): string | Buffer => fsPath(path === '' ? root : `${root}/${path}`);
  let fd: number | undefined;
  let entryOfFd: Entry | undefined;
  /** Directories that hold whiteouts. */
  const holding = new Set<string>();
  let fdOwner: { uid: number; gid: number } | undefined;

  function open(entry: Entry): number {
    const opened = openSync(at(entry.path), createFlags, entry.mode & hidden ? 0o600 : entry.mode);
    fd = opened;
    entryOfFd = entry;
    // New files get these owners, unless the directory's set-group-ID bit or a mount option says otherwise.
    if (!fdOwner) {
      const { uid, gid } = fstatSync(opened);
      fdOwner = { uid, gid };
    }
    return opened;
  }

  function setAttributes(path: string | Buffer, entry: Entry): void {
    if (!entry.xattrs) return;
    for (const [name, value] of Object.entries(entry.xattrs)) {
      try {
        setXattr(path, name, value);
      } catch (error) {
        const code = errnoOf(error);
        // Attributes of the host's security modules, of other namespaces, or of another file system.
        if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'EINVAL') throw error;
        skipped.xattrs[name] = (skipped.xattrs[name] ?? 0) + 1;
      }
    }
  }

  function makeDirectory(path: string): void {
    mkdirSync(at(path), 0o700);
  }

  function special(entry: Entry): void {
    const path = at(entry.path);
    if (entry.type !== 'fifo' && options.device?.(entry) === false) {
      skipped.devices++;
      return;
    }
    try {
      makeNode(path, entry.type as 'char' | 'block' | 'fifo', 0o600, entry.major, entry.minor);
    } catch (error) {
      if (errnoOf(error) !== 'EPERM' || entry.type === 'fifo') throw error;
      skipped.devices++;
      return;
    }
    if (owners) lchownSync(path, entry.uid, entry.gid);
    chmodSync(path, entry.mode);
    setAttributes(path, entry);
    setTime(path, entry.mtime);
  }

  function placeEntry(placed: Placed): void {
    for (const path of placed.implied) makeDirectory(path);
    const { entry, replaces } = placed;
    if (!entry) return;
    const path = at(entry.path);
    if (replaces === 'directory') rmSync(path, { recursive: true });
    else if (replaces === 'other') remove(path);
    switch (entry.type) {
      case 'dir':
        if (!placed.known) makeDirectory(entry.path);
        break;
      case 'file':
        if (entry.size > 0) open(entry);
        break;
      case 'symlink':
        symlinkSync(fsPath(entry.link!), path);
        if (owners) lchownSync(path, entry.uid, entry.gid);
        setAttributes(path, entry);
        setTime(path, entry.mtime);
        break;
      case 'hardlink':
        linkSync(at(entry.link!), path);
        break;
      case 'char':
      case 'block':
      case 'fifo':
        special(entry);
        break;
      case 'whiteout':
        break;
    }
  }

  /** A device that could not be made has left nothing to remove. */
  function remove(path: string | Buffer): void {
    try {
      unlinkSync(path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || skipped.devices === 0) throw error;
    }
  }

  function finishDirectory(entry: Entry): void {
    const path = at(entry.path);
    if (owners) lchownSync(path, entry.uid, entry.gid);
    chmodSync(path, entry.mode);
    setAttributes(path, entry);
    if (entry.opaque) setXattr(path, `${options.opaque}.overlay.opaque`, Buffer.from('y'));
    // Without this mark overlayfs shows the devices that stand for deletions when no other layer has the directory.
    if (holding.has(entry.path)) setXattr(path, `${options.opaque}.overlay.origin`, Buffer.alloc(0));
    setTime(path, entry.mtime);
  }

  return {
    skipped,
    place(placed) {
      try {
        placeEntry(placed);
      } catch (error) {
        throw explain(error, placed.entry?.path ?? placed.implied[0] ?? '', placed.entry);
      }
    },
    content(bytes) {
      let done = 0;
      try {
        while (done < bytes.length) done += writeSync(fd!, bytes, done, bytes.length - done);
      } catch (error) {
        throw explain(error, entryOfFd!.path);
      }
    },
    endFile(entry) {
      try {
        const opened = fd ?? open(entry);
        if (owners && (entry.uid !== fdOwner!.uid || entry.gid !== fdOwner!.gid)) fchownSync(opened, entry.uid, entry.gid);
        // After the owner, because a change of owner takes set-user-ID and file capabilities away.
        if (entry.mode & hidden && entry.mode !== 0o600) fchmodSync(opened, entry.mode);
        if (entry.xattrs) setAttributes(at(entry.path), entry);
        setFileTime(opened, entry.mtime);
        fd = undefined;
        closeSync(opened);
      } catch (error) {
        throw explain(error, entry.path, entry);
      }
    },
    finish(entries, implied) {
      for (const entry of entries) {
        if (entry.type !== 'whiteout') continue;
        holding.add(entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/'))));
        try {
          makeNode(at(entry.path), 'char', 0, 0, 0);
        } catch (error) {
          throw explain(error, entry.path);
        }
      }
      const explicit = entries.filter(({ type }) => type === 'dir');
      const names = new Set(explicit.map(({ path }) => path));
      const bare = implied.filter((path) => !names.has(path)).map((path): Entry => ({ path, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 }));
      // What lies deeper first: a directory may take away the right to enter it.
      for (const entry of [...explicit, ...bare].sort((a, b) => (a.path < b.path ? 1 : -1))) {
        try {
          finishDirectory(entry);
        } catch (error) {
          throw explain(error, entry.path, entry);
        }
      }
      if (!names.has('')) chmodSync(root, 0o755);
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** A failed system call in the words of layers. */
function explain(error: unknown, path: string, entry?: Entry): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  const where = `cannot unpack ${JSON.stringify(path)}`;
  if (code === 'EINVAL' && entry && (entry.uid > 65535 || entry.gid > 65535)) {
    return new SiruError('UNSUPPORTED', `${where}: the image uses the id ${Math.max(entry.uid, entry.gid)}, which this user namespace does not have`, {
      hint: 'Give the user a larger range in /etc/subuid and /etc/subgid.',
      cause: error,
    });
  }
  if (code === 'ENAMETOOLONG') return new SiruError('LAYER', `${where}: a name in it is longer than this file system takes`, { cause: error });
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new SiruError('STORE', `${where}: ${messageOf(error)}`, full ? { hint: 'The disk is full: `siru prune` frees what nothing needs.', cause: error } : { cause: error });
}
