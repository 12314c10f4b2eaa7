/** Every path of a context with the ignore rules that match it. What is in the context is asked of the same tree that COPY asks. */
import { lstatSync } from 'node:fs';
import { isSiruError } from '../../base/errors.ts';
import type { IgnoreRule } from '../../dockerfile/ignore.ts';
import type { EntryType } from '../../layer/entry.ts';
import { fsPath } from '../../layer/path-bytes.ts';
import { namesIn } from '../contexts/file-entry.ts';
import type { ContextIgnore } from '../contexts/ignored.ts';
import type { SourceTree } from '../contexts/source.ts';

export interface Walked {
  tree: SourceTree;
  /** Of a folder of this machine: where it is, what its ignore file says, and the store that lies in it and is no part of it. */
  folder?: { root: string; ignore?: ContextIgnore; store?: string };
}

export interface Met {
  path: string;
  type: EntryType;
  size: number;
  /** It is not in the context. */
  hidden: boolean;
  /** All rules that match, in order. The last one decides, but for a folder that shows because of what is in it. */
  rules: readonly IgnoreRule[];
}

const noRules: readonly IgnoreRule[] = [];

/**
 * What is at or below `start`, which is itself left out of it: folders before what is in them, names in order. Looks at names
 * and metadata only. Folders that may not be read are passed over and told.
 */
export function* walkContext({ tree, folder }: Walked, unreadable: (path: string) => void, start: { path: string; hidden: boolean } = { path: '', hidden: false }): Generator<Met, undefined> {
  const rulesOf = folder?.ignore ? (path: string): IgnoreRule[] => folder.ignore!.matcher.matching(path) : () => noRules;
  const stack: Met[] = [];
  const pushAll = (met: Met[]): void => {
    for (let i = met.length - 1; i >= 0; i--) stack.push(met[i]!);
  };
  const read = (path: string, hidden: boolean): void => {
    try {
      pushAll(hidden ? hiddenIn(path, noPaths) : merge(shownIn(path), path));
    } catch (error) {
      if (!isSiruError(error) || error.code !== 'CONTEXT') throw error;
      unreadable(path);
    }
  };

  function shownIn(path: string): Met[] {
    return tree.children(path).map(({ entry: { path: child, type, size } }) => ({ path: child, type, size: type === 'file' ? size : 0, hidden: false, rules: rulesOf(child) }));
  }

  /** With what the ignore file hides in a folder that is in the context itself. */
  function merge(shown: Met[], path: string): Met[] {
    if (!folder?.ignore) return shown;
    const hidden = hiddenIn(path, new Set(shown.map(({ path: child }) => child)));
    return hidden.length === 0 ? shown : [...shown, ...hidden].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  function hiddenIn(path: string, shown: ReadonlySet<string>): Met[] {
    const { root, ignore, store } = folder!;
    const met: Met[] = [];
    for (const name of namesIn(path === '' ? root : `${root}/${path}`, path)) {
      const child = path === '' ? name : `${path}/${name}`;
      const place = `${root}/${child}`;
      // What is neither shown nor hidden came since the folder was read.
      if (shown.has(child) || place === store || !ignore!.hides(child)) continue;
      const stat = lstatSync(fsPath(place), { throwIfNoEntry: false });
      if (!stat) continue;
      const type: EntryType = stat.isDirectory() ? 'dir' : stat.isSymbolicLink() ? 'symlink' : 'file';
      met.push({ path: child, type, size: stat.isFile() ? stat.size : 0, hidden: true, rules: rulesOf(child) });
    }
    return met;
  }

  read(start.path, start.hidden);
  for (let met = stack.pop(); met; met = stack.pop()) {
    yield met;
    if (met.type === 'dir') read(met.path, met.hidden);
  }
  return undefined;
}

const noPaths: ReadonlySet<string> = new Set();
