/** Why a path is in the context, or is not, and who takes it. */
import { lstatSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { IgnoreRule } from '../../dockerfile/ignore.ts';
import { fsPath } from '../../layer/path-bytes.ts';
import { insidePath } from '../contexts/resolve-path.ts';
import { missingSource } from '../steps/missing-source.ts';
import { count, nothing } from './amount.ts';
import type { OpenedFolder } from './measure-context.ts';
import type { Amount, PathAnswer, RuleRef } from './survey.ts';
import type { FullTake } from './takes.ts';
import { walkContext } from './walk.ts';

/** `asked` is a path inside the context, or an absolute one of this machine. */
export function answerWhy(opened: OpenedFolder, takes: readonly FullTake[], asked: string): PathAnswer {
  const { tree, folder } = opened;
  const root = folder?.root;
  const absolute = root !== undefined && isAbsolute(asked) && `${asked}/`.startsWith(`${root}/`);
  const path = insidePath(absolute ? asked.slice(root.length) : asked);
  const answer: PathAnswer = { asked, path, state: 'missing', leftOutBelow: [], takenBy: [] };
  if (!absolute && leavesAbove(asked)) return { ...answer, message: `${JSON.stringify(asked)} lies outside of the context` };
  const visible = tree.lookup(path)?.entry;
  const found = visible ?? (root === undefined ? undefined : hiddenEntry(root, path));
  if (!found) {
    const { message, hint } = missingSource(tree, asked, path);
    return { ...answer, message, ...(hint === undefined ? {} : { hint }) };
  }
  const { type } = found;
  const amount = nothing();
  const below = new Map<IgnoreRule, Amount>();
  if (type === 'dir') {
    for (const met of walkContext(opened, () => {}, { path, hidden: !visible })) {
      if (met.hidden === !visible) count(amount, met);
      if (!visible || !met.hidden) continue;
      const rule = met.rules.at(-1)!;
      if (!below.has(rule)) below.set(rule, nothing());
      count(below.get(rule)!, met);
    }
  } else count(amount, { type, size: found.size });
  const decided = decide(opened, path);
  return {
    ...answer,
    state: visible ? 'in' : 'left out',
    type,
    amount,
    ...(decided ? { rule: decided } : {}),
    leftOutBelow: [...below].map(([rule, of]) => ({ ...refOf(opened, rule), ...of })).sort((a, b) => a.line - b.line),
    takenBy: visible ? takes.filter((one) => one.take.context === opened.name && takesOf(one, path)).map(({ take: { line, stage, text } }) => ({ line, stage, text })) : [],
  };
}

function leavesAbove(path: string): boolean {
  let depth = 0;
  return path.split('/').some((name) => {
    if (name === '..') depth--;
    else if (name !== '' && name !== '.') depth++;
    return depth < 0;
  });
}

function takesOf({ found, needed }: FullTake, path: string): boolean {
  if (path === '' ? found.size > 0 : found.has(path) || needed.has(path)) return true;
  for (const one of found.keys()) if (one.startsWith(`${path}/`)) return true;
  return false;
}

function decide(opened: OpenedFolder, path: string): PathAnswer['rule'] {
  const matcher = opened.folder?.ignore?.matcher;
  const rule = path === '' ? undefined : matcher?.rule(path);
  if (!rule) return undefined;
  // The outermost folder that the rule decides about is the one that its pattern matches.
  const names = path.split('/');
  const at = names.map((_, i) => names.slice(0, i + 1).join('/')).find((one) => matcher!.rule(one) === rule)!;
  const exception = isException(rule);
  const bringsBack = exception && matcher!.matching(path).some((one) => !isException(one));
  return { ...refOf(opened, rule), exception, ...(bringsBack ? { bringsBack } : {}), at };
}

function isException({ pattern }: IgnoreRule): boolean {
  return pattern.startsWith('!');
}

function refOf({ folder }: OpenedFolder, { line, text }: IgnoreRule): RuleRef {
  return { file: folder!.ignore!.file, line, text };
}

function hiddenEntry(root: string, path: string): { type: 'dir' | 'symlink' | 'file'; size: number } | undefined {
  try {
    const stat = lstatSync(fsPath(`${root}/${path}`), { throwIfNoEntry: false });
    return stat && { type: stat.isDirectory() ? 'dir' : stat.isSymbolicLink() ? 'symlink' : 'file', size: stat.isFile() ? stat.size : 0 };
  } catch {
    return undefined; // below a file, or in what may not be read
  }
}
