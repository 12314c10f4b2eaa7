/** What a repository's server says of a ref: which commit it leads to. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { runGit, type GitAccess, type GitCall } from './git-program.ts';
import { isCommit, type GitSource } from './git-url.ts';

export interface Resolved {
  commit: string;
  /** Full name of the ref that leads there; absent when the commit itself was named. */
  ref?: string;
  /** The tag's own object, when the ref is an annotated tag. */
  tag?: string;
}

/** Throws CONTEXT when there is no such ref or its commit is not the one that was promised; what runGit throws. */
export async function resolveRef(source: GitSource, call: GitCall, access: GitAccess, context: Context): Promise<Resolved> {
  const { ref, checksum, shown } = source;
  if (source.fetchByCommit) return { commit: checksum! };
  if (ref !== undefined && isCommit(ref)) {
    if (checksum !== undefined && !ref.startsWith(checksum)) throw mismatch(shown, checksum, [ref]);
    return { commit: ref };
  }
  const patterns = ref === undefined ? ['HEAD'] : [ref, `${ref}^{}`];
  const listed = parseList(await runGit(shown, ['ls-remote', '--symref', '--', source.remote, ...patterns], call, access, context));
  const resolved = ref === undefined ? headOf(listed) : chosen(listed, ref);
  if (!resolved || !isCommit(resolved.commit)) {
    if (ref === undefined) throw new SiruError('CONTEXT', `could not find the default branch of ${shown}`, { hint: 'Is the repository empty? Else name a branch: #BRANCH.' });
    throw new SiruError('CONTEXT', `${shown} does not contain the ref ${JSON.stringify(ref)}`, {
      hint: /^[0-9a-f]{4,39}$/.test(ref) ? 'A commit has to be named in full, with all 40 digits.' : 'A ref is a branch, a tag, or a whole commit.',
    });
  }
  const seen = [resolved.commit, ...(resolved.tag === undefined ? [] : [resolved.tag])];
  if (checksum !== undefined && !seen.some((id) => id.startsWith(checksum))) throw mismatch(shown, checksum, seen);
  return resolved;
}

function mismatch(shown: string, checksum: string, seen: string[]): SiruError {
  return new SiruError('DIGEST', `expected checksum to match ${checksum}, got ${seen.join(' or ')} from ${shown}`, { hint: 'The branch or tag moved, or the checksum is of another one.' });
}

interface Listed {
  ids: Map<string, string>;
  /** Where HEAD points. */
  head?: string;
}

function parseList(text: string): Listed {
  const listed: Listed = { ids: new Map() };
  for (const line of text.split('\n')) {
    const [id, name] = line.split('\t') as [string, string | undefined];
    if (name === undefined) continue;
    if (id.startsWith('ref: ')) {
      if (name === 'HEAD') listed.head = id.slice(5);
    } else listed.ids.set(name, id);
  }
  return listed;
}

function headOf({ ids, head }: Listed): Resolved | undefined {
  const commit = ids.get('HEAD');
  return commit === undefined ? undefined : { commit, ...(head !== undefined && /^refs\/heads\/[^\0- ]+$/.test(head) ? { ref: head } : {}) };
}

/** As written below refs/ first, then a branch, then a tag. */
function chosen({ ids }: Listed, ref: string): Resolved | undefined {
  const bare = ref.replace(/^refs\//, '');
  for (const name of [`refs/${bare}`, `refs/heads/${bare.replace(/^heads\//, '')}`, `refs/tags/${bare.replace(/^tags\//, '')}`]) {
    const id = ids.get(name);
    if (id === undefined) continue;
    const peeled = ids.get(`${name}^{}`);
    return peeled === undefined ? { commit: id, ref: name } : { commit: peeled, ref: name, tag: id };
  }
  return undefined;
}
