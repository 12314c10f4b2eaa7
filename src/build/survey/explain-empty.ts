/** Whether a source that matches nothing would match something that the ignore file hides. */
import { isSiruError } from '../../base/errors.ts';
import { openContext } from '../contexts/directory.ts';
import type { SourceTree } from '../contexts/source.ts';
import { matchParents, matchSource } from '../steps/copy-sources.ts';
import type { OpenedFolder } from './measure-context.ts';
import type { EmptyPattern } from './survey.ts';

/** Notes it in the patterns. */
export function explainEmpty(empty: readonly EmptyPattern[], { folder }: OpenedFolder): void {
  const ignore = folder?.ignore;
  if (!ignore) return;
  let whole: SourceTree | undefined;
  for (const one of empty) {
    if (one.exclude) continue;
    whole ??= openContext({ root: folder.root, plain: true });
    const paths = matched(whole, one.pattern);
    const rule = paths.map((path) => ignore.ruleFor(path)).find((found) => found !== undefined);
    if (rule) one.hidden = { paths: paths.length, rule };
  }
}

function matched(tree: SourceTree, word: string): string[] {
  try {
    const plain = matchSource(tree, word).map(({ found }) => found.entry.path);
    return plain.length > 0 ? plain : matchParents(tree, word).flatMap(({ base, paths }) => paths.map((path) => (base.found.entry.path === '' ? path : `${base.found.entry.path}/${path}`)));
  } catch (error) {
    if (isSiruError(error)) return [];
    throw error;
  }
}
