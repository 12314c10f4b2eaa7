/** The error for a source that is not there: the rule that hides it, what stands in the way, or what is there instead. */
import { SiruError } from '../../base/errors.ts';
import { mostOptions, nearest } from '../../dockerfile/suggest.ts';
import type { Found } from '../../layer/toc-contract.ts';
import type { HiddenBy, SourceTree } from '../contexts/source.ts';

/** How many names are looked through for a likely one. */
const mostNames = 5000;

/** `word` as written; `path` is what it names, as far as it has no wildcard. */
export function missingSource(tree: SourceTree, word: string, path: string): SiruError {
  const text = `${JSON.stringify(word)} is not in ${tree.name}`;
  const rule = tree.hiddenBy?.(path);
  if (rule) return new SiruError('CONTEXT', `${text}: hidden by ${ruleText(rule)}`, { hint: exceptionHint(path) });
  const names = path.split('/');
  let there = '';
  for (const [i, name] of names.entries()) {
    const next = join(there, name);
    const { found } = tree.resolve(next);
    if (found && (found.entry.type === 'dir' || i === names.length - 1)) {
      there = next;
      continue;
    }
    if (found) return new SiruError('CONTEXT', `${text}: ${JSON.stringify(next)} is a file`);
    const link = tree.resolve(next, { last: false }).found?.entry;
    if (link?.type === 'symlink') return brokenLink(tree, text, next, link);
    return nameless(tree, text, there, name, names.slice(i + 1).join('/'));
  }
  return new SiruError('CONTEXT', text);
}

/** There is no such name in the folder `there`; `rest` is what would come below it. */
function nameless(tree: SourceTree, text: string, there: string, name: string, rest: string): SiruError {
  const folder = tree.resolve(there).path;
  const missing = `${text}: there is no ${JSON.stringify(name)} in ${there === '' ? `the top of ${tree.name}` : JSON.stringify(there)}`;
  const near = likely(name, tree.children(folder).map(({ entry: { path } }) => path.slice(path.lastIndexOf('/') + 1)));
  if (near !== undefined) {
    const whole = join(join(there, near), rest);
    const hidden = tree.hiddenBy?.(whole);
    if (hidden && !tree.resolve(whole).found) return new SiruError('CONTEXT', `${missing}; ${JSON.stringify(whole)} is hidden by ${ruleText(hidden)}`, { hint: exceptionHint(whole) });
    const exists = tree.resolve(whole).found !== undefined;
    const onlyCase = near.toLowerCase() === name.toLowerCase();
    return new SiruError('CONTEXT', missing, {
      hint: exists ? `Did you mean ${whole}?${onlyCase ? ' Upper and lower case are told apart.' : ''}` : `There is ${join(there, near)}${rest === '' ? '' : ', but nothing of that name below it'}.`,
    });
  }
  const hiddenName = likely(name, tree.hiddenIn?.(folder) ?? []);
  const whole = hiddenName === undefined ? '' : join(join(there, hiddenName), rest);
  const hidden = hiddenName === undefined ? undefined : tree.hiddenBy?.(whole);
  if (hidden) return new SiruError('CONTEXT', `${missing}; ${JSON.stringify(whole)} is hidden by ${ruleText(hidden)}`, { hint: exceptionHint(whole) });
  return new SiruError('CONTEXT', missing, {
    hint: tree.hiddenBy ? 'Sources are paths inside the context, whatever the place of the Dockerfile.' : undefined,
  });
}

/** The name that differs least; one that differs in upper and lower case alone comes first. */
function likely(name: string, all: readonly string[]): string | undefined {
  const names = all.slice(0, mostNames);
  const lower = name.toLowerCase();
  const same = names.find((one) => one.toLowerCase() === lower);
  if (same !== undefined) return same;
  const best: string[] = [];
  for (let at = 0; at < names.length; at += mostOptions) {
    const near = nearest(name, names.slice(at, at + mostOptions));
    if (near !== undefined) best.push(near);
  }
  return nearest(name, best);
}

function ruleText({ line, file, text }: HiddenBy): string {
  return `line ${line} of ${file}: ${text}`;
}

function exceptionHint(path: string): string {
  return `Change that line, or add the exception !${path}`;
}

function join(folder: string, name: string): string {
  return folder === '' ? name : name === '' ? folder : `${folder}/${name}`;
}

/** The error for a link on the way that leads to nothing in the tree. */
function brokenLink(tree: SourceTree, text: string, shown: string, { path, link = '' }: Found['entry']): SiruError {
  const way = `${text}: ${JSON.stringify(shown)} is a symbolic link`;
  if (!tree.hiddenBy || !leadsOut(path, link)) return new SiruError('CONTEXT', `${way} to ${JSON.stringify(link)}, which is not in ${tree.name}`);
  return new SiruError('CONTEXT', `${way} that leads out of ${tree.name}, to ${JSON.stringify(link)}`, {
    hint: 'Put what it leads to into the context itself: nothing outside can be copied.',
  });
}

function leadsOut(path: string, link: string): boolean {
  if (link.startsWith('/')) return true;
  let depth = path.split('/').length - 1;
  return link.split('/').some((name) => {
    if (name === '..') depth--;
    else if (name !== '' && name !== '.') depth++;
    return depth < 0;
  });
}
