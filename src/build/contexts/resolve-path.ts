/** Following symbolic links inside a tree that is known only by look-up, as the kernel would inside a root. */
import { SiruError } from '../../base/errors.ts';
import type { Entry } from '../../layer/entry.ts';

/** As the kernel's bound, which is 40, but for all of a path: what View promises. */
const mostLinks = 255;

/**
 * Resolves a path: absolute targets and `..` stay inside the root. With `last: false` a link in the last component is not
 * followed. The path that comes back is canonical; `found` is absent when nothing is there. A component that is no
 * directory is stepped over as if it were a missing one, so its path comes back and nothing is found below it. With
 * `leave: 'refuse'` a `..` that would lead out of the root throws CONTEXT.
 */
export function resolvePath<T extends { entry: Entry }>(
  path: string,
  lookup: (path: string) => T | undefined,
  options: { last?: boolean; leave?: 'refuse' } = {},
): { path: string; found?: T } {
  const rest = path.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  while (rest.length > 0) {
    const name = rest.pop()!;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (done.pop() === undefined && options.leave === 'refuse') throw new SiruError('CONTEXT', `a symbolic link on the way to ${JSON.stringify(path)} leads out of the directory`);
      continue;
    }
    done.push(name);
    if (options.last === false && !rest.some((part) => part !== '' && part !== '.')) break;
    const found = lookup(done.join('/'));
    if (found?.entry.type !== 'symlink') continue;
    if (++links > mostLinks) {
      throw new SiruError('LAYER', `too many symbolic links on the way to /${path}`, { hint: 'Two links may point to each other.' });
    }
    done.pop();
    const link = found.entry.link ?? '';
    if (link.startsWith('/')) done.length = 0;
    rest.push(...link.split('/').reverse());
  }
  const at = done.join('/');
  const found = lookup(at);
  return found ? { path: at, found } : { path: at };
}

/** A path as written to one inside a root: `.` and `..` taken out, no slash at either end; '' is the root. */
export function insidePath(path: string): string {
  const done: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') done.pop();
    else if (name !== '' && name !== '.') done.push(name);
  }
  return done.join('/');
}
