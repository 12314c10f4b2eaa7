/** Which files the source words of a COPY name: wildcards, `--parents`, and a good message for what is not there. */
import { SiruError } from '../../base/errors.ts';
import { createWildcard, hasWildcard } from '../../dockerfile/ignore.ts';
import type { Found } from '../../layer/toc-contract.ts';
import { insidePath } from '../contexts/resolve-path.ts';
import type { SourceTree } from '../contexts/source.ts';
import { missingSource } from './missing-source.ts';

/** A path that a source word names. */
export interface Match {
  /** As named: not followed when it is a link. */
  path: string;
  /** What is copied: the link's target when it is one. */
  found: Found;
}

/**
 * The paths that a word names, in order. A wildcard that matches nothing names none; what stands before the first part with
 * a wildcard must be there, and so must a word without any. Links are followed in the part before the first wildcard, and in each match.
 */
export function matchSource(tree: SourceTree, word: string): Match[] {
  const names = insidePath(word).split('/');
  const first = names.findIndex(hasWildcard);
  if (first < 0) {
    const path = names.join('/');
    const { found } = tree.resolve(path);
    if (!found) throw missingSource(tree, word, path);
    return [{ path, found }];
  }
  const base = names.slice(0, first).join('/');
  const { found: start } = tree.resolve(base);
  if (!start) throw missingSource(tree, word, base);
  if (start.entry.type !== 'dir') return [];
  const matches: Match[] = [];
  const tests = names.slice(first).map((name) => createWildcard(name));
  const visit = (directory: string, shown: string, depth: number): void => {
    for (const child of tree.children(directory)) {
      const name = baseName(child.entry.path);
      if (!tests[depth]!(name)) continue;
      const path = shown === '' ? name : `${shown}/${name}`;
      if (depth + 1 < tests.length) {
        if (child.entry.type === 'dir') visit(child.entry.path, path, depth + 1);
        continue;
      }
      const found = child.entry.type === 'symlink' ? tree.resolve(child.entry.path).found : child;
      if (!found) throw new SiruError('CONTEXT', `${JSON.stringify(path)} is a symbolic link that leads nowhere inside ${tree.name}`);
      matches.push({ path, found });
    }
  };
  visit(start.entry.path, base, 0);
  return matches;
}

/** What a word of `--parents` names: where the tree to keep begins (the `/./`), and paths below it. */
export interface ParentsMatch {
  base: Match;
  /** Sorted; relative to the base; '' for all of it. */
  paths: string[];
}

export function matchParents(tree: SourceTree, word: string): ParentsMatch[] {
  const pivot = word.indexOf('/./');
  const start = pivot < 0 ? '' : word.slice(0, pivot);
  const pattern = insidePath(pivot < 0 ? word : word.slice(pivot + 3));
  const names = pattern === '' ? [] : pattern.split('/');
  const wild = names.some(hasWildcard);
  const found: ParentsMatch[] = [];
  for (const base of matchSource(tree, start)) {
    const at = base.found.entry.path;
    if (base.found.entry.type !== 'dir') {
      if (!wild && !hasWildcard(start)) throw new SiruError('CONTEXT', `${JSON.stringify(base.path)} in ${tree.name} is not a directory`);
      continue;
    }
    const paths = names.length === 0 ? [''] : matchBelow(tree, at, names);
    if (paths.length === 0 && !wild && !hasWildcard(start)) throw missingSource(tree, word, at === '' ? pattern : `${at}/${pattern}`);
    found.push({ base, paths });
  }
  return found;
}

/** Paths below `base` that the names match, where `**` stands for any number of directories. Relative, sorted, each once. */
function matchBelow(tree: SourceTree, base: string, names: string[]): string[] {
  const tests = names.map((name) => (name === '**' ? undefined : createWildcard(name)));
  const seen = new Set<string>();
  const start = base === '' ? 0 : base.length + 1;
  // Several `**` lead to one directory by many ways.
  const visited = tests.map(() => new Set<string>());
  const visit = (directory: string, depth: number): void => {
    if (visited[depth]!.has(directory)) return;
    visited[depth]!.add(directory);
    const test = tests[depth];
    const last = depth + 1 === tests.length;
    if (test === undefined && !last) visit(directory, depth + 1);
    for (const { entry } of tree.children(directory)) {
      if (test === undefined) {
        if (last) seen.add(entry.path.slice(start));
        else if (entry.type === 'dir') visit(entry.path, depth);
      } else if (test(baseName(entry.path))) {
        if (last) seen.add(entry.path.slice(start));
        else if (entry.type === 'dir') visit(entry.path, depth + 1);
      }
    }
  };
  visit(base, 0);
  return [...seen].sort();
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
