/**
 * The build context from a directory: one `lstat` per file of the directories that some COPY asks for, the ignore file
 * applied, owners 0:0, digests remembered between builds (stat-table.ts).
 */
import { lstatSync, realpathSync } from 'node:fs';
import { SiruError } from '../../base/errors.ts';
import { fsPath } from '../../layer/path-bytes.ts';
import { hexOf, sha256 } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';
import { contextDirectory } from './context-directory.ts';
import { below, createWalk, type FileFound } from './directory-walk.ts';
import { exists, namesIn } from './file-entry.ts';
import { readIgnoreFile } from './ignored.ts';
import { createMemory } from './remembered.ts';
import { insidePath, resolvePath } from './resolve-path.ts';
import type { SourceTree } from './source.ts';
import { readStatTable, writeStatTable } from './stat-table.ts';

export interface ContextOptions {
  /** Path of the directory. */
  root: string;
  /** For messages; `the build context` when not given. */
  name?: string;
  /** Path of the Dockerfile: `<Dockerfile>.dockerignore` beside it wins over the context's `.dockerignore`. */
  dockerfile?: string;
  /** No file in it is an ignore file. */
  plain?: boolean;
  /** Where digests are remembered; nowhere when not given. When it lies in the context it is no part of it. */
  store?: Pick<Store, 'path' | 'temporary'> & Partial<Pick<Store, 'root'>>;
}

/** Opens a directory as a build context; files are looked at when they are asked for. Throws CONTEXT when it is none. */
export function openContext(options: ContextOptions): SourceTree {
  const root = contextDirectory(options.root);
  const name = options.name ?? 'the build context';
  const ignore = options.plain ? undefined : readIgnoreFile(root, options.dockerfile);
  const table = options.store?.path('contexts', hexOf(sha256(root)));
  const ownStore = options.store?.root === undefined ? undefined : realpathSync(options.store.root);
  const known = table === undefined ? undefined : readStatTable(table);
  const walk = createWalk(root, ownStore, ignore, known);
  const memory = createMemory(walk, () => (known?.rules === walk.rules ? known.answers() : ''));
  const { lookup, children } = memory;

  const tree: SourceTree = {
    name,
    lookup,
    resolve: (path, how) => resolvePath(path, lookup, how),
    children,
    below: (path) => below(children, path),
    content: (found) => ((found as FileFound).socket ? { bytes: new Uint8Array() } : { file: fsPath(`${root}/${found.entry.path}`) }),
    known: (found) => walk.digestOf(found as FileFound),
    learn: (found, digest) => walk.learn(found as FileFound, digest),
    identity: (found) => (found as FileFound).inode,
    verify(founds) {
      for (const found of founds) {
        const { entry } = found;
        const stat = lstatSync(fsPath(`${root}/${entry.path}`), { throwIfNoEntry: false });
        if (stat && walk.isSame(found as FileFound, stat)) continue;
        throw new SiruError('CONTEXT', `${JSON.stringify(entry.path)} changed while it was read`, {
          hint: 'Run again when nothing writes to the file, or leave it out with .dockerignore.',
        });
      }
    },
    isSettled: (found) => walk.isSettled(found as FileFound),
    hiddenBy(path) {
      const inside = insidePath(path);
      return exists(`${root}/${inside}`) ? ignore?.ruleFor(inside) : undefined;
    },
    hiddenIn(path) {
      if (!ignore || (path !== '' && lookup(path)?.entry.type !== 'dir')) return [];
      const shown = new Set(walk.children(path).map(({ entry }) => entry.path));
      return namesIn(path === '' ? root : `${root}/${path}`, path).filter((name) => !shown.has(path === '' ? name : `${path}/${name}`));
    },
    ...(table === undefined ? {} : { memory }),
    save(all = false) {
      if (table === undefined || options.store === undefined) return;
      const kept = walk.toKeep(all);
      if (kept === undefined) return;
      try {
        writeStatTable(table, options.store.temporary('.stat'), kept.directories, { rules: walk.rules, answers: memory.text(kept) });
      } catch {
        // Only the next build's speed depends on it.
      }
    },
  };
  return tree;
}
