/**
 * What a COPY writes: from a plan, the source tree and the layers below to the entries of the layer. No file is read here;
 * trees are asked for what is where. The rules are BuildKit's, see docs of the Dockerfile language.
 */
import { SiruError } from '../../base/errors.ts';
import { createMatcher, parsePatterns } from '../../dockerfile/ignore.ts';
import { carriedXattrs } from '../../layer/carried.ts';
import type { Entry, EntryType } from '../../layer/entry.ts';
import type { Found, View } from '../../layer/toc-contract.ts';
import type { KeyPart } from '../../store/store.ts';
import type { SourceTree } from '../contexts/source.ts';
import type { CopyPlan } from '../step-plan.ts';
import { octalMode, parseChmod } from './chmod.ts';
import { baseName, matchParents, matchSource, type Match } from './copy-sources.ts';
import { createDestination, nameOf, type Destination, type NewDirectory, type Output } from './destination.ts';
import { finishOutputs } from './finish-outputs.ts';

export interface CopyRequest {
  plan: Pick<CopyPlan, 'sources' | 'inline' | 'destination' | 'chmod' | 'parents' | 'exclude'>;
  tree: SourceTree;
  /** The layers below; an empty view for `--link`. */
  below: View;
  /** From `--chown`. */
  owner?: { uid: number; gid: number };
  /** Seconds; clamps all times. */
  epoch?: number;
  /** Called now and then, so that a long plan can be cancelled. */
  check?: () => void;
}

export interface PlannedCopy {
  /** The layer's entries in order. Files are without digest. */
  outputs: Output[];
  /** Directories whose content was copied, as listings name them; '' is left out. */
  roots: string[];
  /** What was asked of the layers below. */
  answers: KeyPart[];
  /** Time of the newest source in seconds; absent when nothing with a time was copied. */
  newest?: number;
}

/** Plans a COPY. Throws CONTEXT for what is missing or in the way. */
export function planCopy(request: CopyRequest): PlannedCopy {
  const copier = createCopier(request);
  const { plan, tree } = request;
  for (const word of plan.sources) {
    if (plan.parents) copier.copyParents(word);
    else for (const match of matchSource(tree, word)) copier.copyMatch(match, tree);
  }
  for (const { name, content } of plan.inline) copier.copyInline(name, Buffer.from(content, 'utf8'));
  return copier.finish();
}

export interface Copier {
  readonly destination: Destination;
  readonly directories: NewDirectory;
  /** Where the instruction's destination leads now; the directory is made, in this way, when it was written with a slash. */
  target(like?: NewDirectory): string;
  copyMatch(match: Match, tree: SourceTree): void;
  copyParents(word: string): void;
  copyInline(name: string, bytes: Uint8Array): void;
  /** Begins a new source: hard links are kept within one. */
  nextAction(): number;
  finish(): PlannedCopy;
}

/** Mode of directories that are made for the destination. BuildKit takes the permissions of an octal `--chmod` alone, less its umask. */
function directoryMode(chmod: string | undefined): number {
  const octal = chmod === undefined ? undefined : octalMode(chmod);
  return (octal ?? 0o755) & 0o755;
}

/** The moves that COPY and ADD are made of. */
export function createCopier(request: CopyRequest): Copier {
  const { plan, tree, below, owner, epoch } = request;
  const destination = createDestination(below);
  const chmod = plan.chmod === undefined ? undefined : parseChmod(plan.chmod);
  const directories: NewDirectory = { mode: directoryMode(plan.chmod), uid: owner?.uid ?? 0, gid: owner?.gid };
  const excluded = plan.exclude.length === 0 ? undefined : createMatcher(parsePatterns(plan.exclude));
  const roots = new Set<string>();
  let action = 0;
  let counted = 0;
  /** Nothing of the step's own can be where the files go. */
  let fresh = false;

  const entryFor = (path: string, source: Entry): Entry => {
    const { type, size, mtime } = source;
    const xattrs = carriedXattrs(source.xattrs);
    const mode = chmod && type !== 'symlink' ? chmod(source.mode, type === 'dir') : source.mode;
    const entry: Entry = { path, type, mode, uid: owner ? owner.uid : source.uid, gid: owner ? owner.gid : source.gid, size, mtime };
    if (xattrs) entry.xattrs = xattrs;
    if (source.link !== undefined) entry.link = source.link;
    if (source.major !== undefined) entry.major = source.major;
    if (source.minor !== undefined) entry.minor = source.minor;
    return entry;
  };

  /** Puts one entry, unless what is there forbids it. `there` is what is at the path now. */
  function put(path: string, found: Found, from: SourceTree, listed: string, there: EntryType | undefined): void {
    const { type } = found.entry;
    if (type === 'dir' && there !== undefined && there !== 'dir') {
      throw new SiruError('CONTEXT', `cannot copy to non-directory: /${path} is a ${nameOf(there)}, and ${JSON.stringify(listed)} is a directory`);
    }
    if (type !== 'dir' && there === 'dir') {
      throw new SiruError('CONTEXT', `cannot replace the directory /${path} with the ${nameOf(type)} ${JSON.stringify(listed)}`);
    }
    if ((++counted & 4095) === 0) request.check?.();
    const output: Output = { entry: entryFor(path, found.entry), found, tree: from, action };
    if (!from.unlisted) output.listed = listed;
    if (fresh) destination.putNew(output);
    else destination.put(output);
  }

  /**
   * Copies what is in a directory. `relative` is its path below the source root, where patterns begin; `hidden` says that
   * it is excluded itself and shows only if something in it does. Returns whether anything was copied.
   */
  function copyContents(found: Found, from: SourceTree, target: string, listed: string, relative: string, existed: boolean): boolean {
    const there = existed ? destination.childrenBelow(target) : undefined;
    // Where the name with its slash begins in the children's paths.
    const end = found.entry.path.length;
    const sameName = listed === found.entry.path;
    let any = false;
    for (const child of from.children(found.entry.path)) {
      const { path: source, type } = child.entry;
      const isDir = type === 'dir';
      const tail = end === 0 ? `/${source}` : source.slice(end);
      const path = target === '' ? tail.slice(1) : target + tail;
      const shown = sameName ? source : listed === '' ? tail.slice(1) : listed + tail;
      const inside = excluded === undefined ? '' : relative === '' ? tail.slice(1) : relative + tail;
      const hidden = excluded !== undefined && excluded.ignored(inside);
      if (hidden && !(isDir && excluded.mayReinclude(inside))) continue;
      const now = (fresh ? undefined : destination.own(path)?.entry.type) ?? there?.get(path);
      if (!hidden) put(path, child, from, shown, now);
      const filled = isDir && copyContents(child, from, path, shown, inside, now === 'dir');
      if (hidden && filled) put(path, child, from, shown, now);
      any ||= filled || !hidden;
    }
    return any;
  }

  function target(like = directories): string {
    const path = destination.resolve(plan.destination);
    if (/\/\.?$/.test(plan.destination)) destination.makeDirectories(path, like);
    return path;
  }

  /** The path that a file of this name gets. */
  function fileTarget(name: string): string {
    const path = target();
    if (!destination.isDirectory(path)) {
      const slash = path.lastIndexOf('/');
      if (slash > 0) destination.makeDirectories(path.slice(0, slash), directories);
      return path;
    }
    destination.makeDirectories(path, directories);
    return path === '' ? name : `${path}/${name}`;
  }

  return {
    destination,
    directories,
    target,
    nextAction: () => ++action,
    copyMatch(match, from) {
      action++;
      const { found } = match;
      if (found.entry.type === 'dir') {
        const path = target();
        destination.makeDirectories(path, directories);
        if (match.path !== '') roots.add(match.path);
        // With the first source nothing but directories on the way to the destination is the step's own.
        fresh = action === 1;
        copyContents(found, from, path, match.path, '', true);
        fresh = false;
        return;
      }
      // Patterns of --exclude are about what is in a directory; a file that is named is copied, as by BuildKit.
      const path = fileTarget(baseName(match.path));
      put(path, found, from, match.path, destination.at(path)?.type);
    },
    copyParents(word) {
      for (const { base, paths } of matchParents(tree, word)) {
        action++;
        const root = target();
        destination.makeDirectories(root, directories);
        const done = new Set<string>();
        for (const path of paths) copyWithParents(base, path, root, done);
      }
    },
    copyInline(name, bytes) {
      action++;
      const path = fileTarget(baseName(name));
      const there = destination.at(path)?.type;
      if (there === 'dir') throw new SiruError('CONTEXT', `cannot replace the directory /${path} with the inline file ${JSON.stringify(name)}`);
      const mode = chmod ? chmod(0o644, false) : 0o644;
      destination.put({ entry: { path, type: 'file', mode, uid: directories.uid, gid: directories.gid ?? 0, size: bytes.length, mtime: 0 }, bytes, action });
    },
    finish: () => ({ ...finishOutputs(destination, epoch), roots: [...roots] }),
  };

  /**
   * Copies one path of `--parents`. The directories on the way are taken from the source where they are missing; those that
   * are there get the source's mode and keep their owner. `done`: the directories that this source has seen to.
   */
  function copyWithParents(base: Match, path: string, root: string, done: Set<string>): void {
    if (path !== '' && excluded?.ignored(path)) return;
    const join = (directory: string, name: string): string => (directory === '' ? name : name === '' ? directory : `${directory}/${name}`);
    const from = base.found.entry.path;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const inside = path.slice(0, slash);
      const at = join(root, inside);
      if (done.has(at)) continue;
      done.add(at);
      const parent = tree.lookup(join(from, inside))!;
      if (destination.isDirectory(at)) {
        destination.makeDirectories(at, directories);
        destination.own(at)!.entry.mode = parent.entry.mode;
      } else put(at, parent, tree, join(base.path, inside), destination.at(at)?.type);
    }
    const found = tree.lookup(join(from, path))!;
    const at = join(root, path);
    const there = destination.at(at)?.type;
    if (path !== '') put(at, found, tree, join(base.path, path), there);
    done.add(at);
    if (found.entry.type === 'dir') copyContents(found, tree, at, join(base.path, path), path, there === 'dir');
  }
}
