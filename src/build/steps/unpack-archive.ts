/**
 * Puts what an archive holds into a destination, as tar would from inside that directory: later members replace earlier
 * ones, links on the way are followed and cannot leave the directory, marks of deletion mean nothing.
 */
import { SiruError } from '../../base/errors.ts';
import { carriedXattrs } from '../../layer/carried.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Found } from '../../layer/toc-contract.ts';
import type { TarMember } from '../../layer/tar-read.ts';
import { resolvePath } from '../contexts/resolve-path.ts';
import type { SourceTree } from '../contexts/source.ts';
import type { Archive } from './archive.ts';
import type { Destination, NewDirectory } from './destination.ts';

/** How docker makes directories that an archive only implies. */
const implied: NewDirectory = { mode: 0o755, uid: 0, plain: true };

/** `root` is a canonical path; the directory is there. */
export function unpackArchive(
  archive: Archive,
  name: string,
  destination: Destination,
  root: string,
  action: number,
  owner: { uid: number; gid: number } | undefined,
): void {
  const tree = treeOf(archive, name);
  const join = (path: string): string => (root === '' ? path : path === '' ? root : `${root}/${path}`);
  const lookup = (path: string): { entry: Entry } | undefined => {
    const entry = destination.at(join(path));
    return entry && { entry };
  };
  /** Canonical paths of directories inside the root. */
  const directories = new Map<string, string>([['', '']]);
  const directoryOf = (path: string): string => {
    let canonical = directories.get(path);
    if (canonical === undefined) directories.set(path, (canonical = resolvePath(path, lookup, { leave: 'refuse' }).path));
    return canonical;
  };

  for (const member of archive.members) {
    if (member.path === '') continue;
    const slash = member.path.lastIndexOf('/');
    const parent = directoryOf(slash < 0 ? '' : member.path.slice(0, slash));
    destination.makeDirectories(join(parent), implied);
    const base = member.path.slice(slash + 1);
    const path = join(parent === '' ? base : `${parent}/${base}`);
    const there = destination.at(path)?.type;
    const isDirectory = member.type === 'dir';
    if (there !== undefined && !(there === 'dir' && isDirectory) && (there === 'dir' || isDirectory)) {
      destination.replace(path);
      directories.clear();
      directories.set('', '');
    }
    if (there === 'symlink' || member.type === 'symlink') {
      directories.clear();
      directories.set('', '');
    }
    if (member.type !== 'hardlink') {
      const found: Found = { entry: entryOf(member, owner), layer: 0 };
      destination.put({ entry: { ...found.entry, path }, found, tree, action });
      continue;
    }
    const link = resolvePath(member.link!, lookup, { last: false });
    const target = destination.own(join(link.path));
    if (!target?.found || target.entry.type === 'dir') {
      throw new SiruError('CONTEXT', `the archive ${name} links ${JSON.stringify(member.path)} to ${JSON.stringify(member.link)}, which it does not hold before`);
    }
    destination.put({ ...target, entry: { ...target.entry, path } });
  }
}

function entryOf(member: TarMember, owner: { uid: number; gid: number } | undefined): Entry {
  const { path, type, mode, uid, gid, size, mtime, link, major, minor, offset } = member;
  const entry: Entry = { path, type, mode, uid: owner ? owner.uid : uid, gid: owner ? owner.gid : gid, size, mtime, offset };
  if (type === 'symlink') entry.mode = 0o777;
  if (link !== undefined) entry.link = link;
  const xattrs = carriedXattrs(member.xattrs);
  if (xattrs) entry.xattrs = xattrs;
  if (major !== undefined) entry.major = major;
  if (minor !== undefined) entry.minor = minor;
  return entry;
}

/** The archive as a source of bytes; nothing looks a path up in it. */
function treeOf(archive: Archive, name: string): SourceTree {
  return {
    name,
    lookup: () => undefined,
    resolve: (path) => ({ path }),
    children: () => [],
    below: () => [],
    ready: () => archive.prepare(),
    content: ({ entry }) => ({ fd: archive.fd(), offset: entry.offset! }),
    known: ({ entry }) => entry.digest,
    learn(found, digest) {
      found.entry.digest = digest;
    },
    identity: ({ entry }) => String(entry.offset),
    verify() {},
  };
}
