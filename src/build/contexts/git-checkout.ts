/** The files of a commit in a folder: fetched into a repository that the store keeps for the next time, then checked out. */
import { existsSync, mkdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { excessOf, longestTransfer, runGit, type GitAccess, type GitCall } from './git-program.ts';
import type { Resolved } from './git-remote.ts';
import type { GitSource } from './git-url.ts';

export interface Checkout {
  /** Time of the commit in seconds. */
  time: number;
}

export interface CheckoutParts {
  source: GitSource;
  resolved: Resolved;
  /** The kept repository, made when it is missing. Nobody else uses it meanwhile. */
  kept: string;
  /** Made here; the files and `.git`. */
  target: string;
  access: GitAccess;
}

/** Throws what runGit throws, CONTEXT for a commit that the server does not give out. */
export async function checkOut(parts: CheckoutParts, context: Context): Promise<Checkout> {
  const { source, kept, target } = parts;
  const keptBefore = existsSync(join(kept, 'HEAD'));
  try {
    return await take(parts, context);
  } catch (error) {
    if (!keptBefore || !isRefusal(error) || (await isSound(kept, source.shown, context))) throw error;
    // A crash of the machine may have left it so. It holds nothing that cannot be fetched again.
    rmSync(kept, { recursive: true, force: true });
    rmSync(target, { recursive: true, force: true });
    return await take(parts, context);
  }
}

/** True when all that the names of a repository lead to is there. */
async function isSound(kept: string, shown: string, context: Context): Promise<boolean> {
  try {
    await runGit(shown, ['--git-dir=.', 'fsck', '--no-dangling', '--no-progress'], { folder: kept, longest: longestTransfer, from: 'here' }, {}, context);
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

/** What git refuses, as against what is wrong with the network or the machine. */
function isRefusal(error: unknown): error is SiruError {
  return error instanceof SiruError && error.code === 'CONTEXT';
}

async function take(parts: CheckoutParts, context: Context): Promise<Checkout> {
  const { source, resolved, kept, target } = parts;
  const wanted = (source.keepGitDir ? resolved.tag : undefined) ?? resolved.commit;
  await fetchInto(parts, wanted, context);

  const { shown } = source;
  const here: GitCall = { folder: target, longest: longestTransfer, watch: target, from: 'here' };
  const git = (args: string[], call = here, of: GitAccess = {}): Promise<string> => runGit(shown, args, call, of, context);
  mkdirSync(target);
  await git(['init', '-q', '--template=', `--object-format=${resolved.commit.length === 64 ? 'sha256' : 'sha1'}`, '.']);
  const name = resolved.ref === undefined || !/^refs\/(?:heads|tags)\//.test(resolved.ref) ? 'refs/siru/commit' : resolved.ref;
  await git(['fetch', '-q', '-u', '--depth=1', '--no-tags', '--no-write-fetch-head', '--', kept, `refs/siru/${wanted}:${name}`]);
  await git(['checkout', '-q', '-f', '--detach', resolved.commit]);
  await git(['remote', 'add', 'origin', source.remote]);
  if (source.submodules !== false && existsSync(join(target, '.gitmodules'))) {
    if (parts.access.offline) throw offline(`the submodules of ${shown}`);
    await updateSubmodules(parts, context);
  }
  const time = Number((await git(['log', '-1', '--format=%ct', resolved.commit])).trim());
  if (source.keepGitDir) {
    if (name === 'refs/siru/commit') await git(['update-ref', '-d', name]);
    // The table of files anew, without the times of this moment.
    rmSync(join(target, '.git', 'index'), { force: true });
    await git(['read-tree', 'HEAD']);
    for (const file of ['FETCH_HEAD', 'ORIG_HEAD']) rmSync(join(target, '.git', file), { force: true });
  }
  const excess = excessOf(target);
  if (excess !== undefined) throw new SiruError('CONTEXT', `${shown} has more than ${excess}`);
  return { time: Number.isSafeInteger(time) && time > 0 ? time : 0 };
}

function offline(what: string): SiruError {
  return new SiruError('OFFLINE', `${what} is not here, and nothing may be fetched`, { hint: 'Build once without --offline.' });
}

async function updateSubmodules({ source, target, access }: CheckoutParts, context: Context): Promise<void> {
  const call: GitCall = { folder: target, longest: longestTransfer, watch: target };
  const update = ['submodule', '--quiet', 'update', '--init', '--recursive'];
  try {
    await runGit(source.shown, [...update, '--depth=1'], call, access, context);
  } catch (error) {
    // Not every server gives out a commit that no ref leads to, or part of a history.
    if (!isRefusal(error)) throw error;
    await runGit(source.shown, update, call, access, context);
  }
}

/** Sees to it that the kept repository has the object, as `refs/siru/<id>`. */
async function fetchInto({ source, resolved, kept, access }: CheckoutParts, wanted: string, context: Context): Promise<void> {
  const { shown, remote } = source;
  const call: GitCall = { folder: kept, longest: longestTransfer, watch: kept };
  const git = (args: string[]): Promise<string> => runGit(shown, ['--git-dir=.', ...args], call, access, context);
  if (!existsSync(join(kept, 'HEAD'))) {
    rmSync(kept, { recursive: true, force: true });
    mkdirSync(kept, { recursive: true });
    await git(['init', '-q', '--bare', '--template=', `--object-format=${wanted.length === 64 ? 'sha256' : 'sha1'}`, '.']);
  }
  // prune goes by the time of the last use.
  utimesSync(kept, new Date(), new Date());
  // What a killed process left would stop all others.
  for (const file of ['shallow.lock', 'packed-refs.lock', 'config.lock']) rmSync(join(kept, file), { force: true });
  const has = async (): Promise<boolean> => {
    try {
      await git(['cat-file', '-e', `${wanted}^{commit}`]);
      await git(['update-ref', `refs/siru/${wanted}`, wanted]);
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return false;
    }
  };
  if (await has()) return;
  if (access.offline) throw offline(`the commit ${wanted} of ${shown}`);
  const fetch = ['fetch', '-q', '-f', '--no-tags', '--no-write-fetch-head'];
  const ways = [
    ['--depth=1', '--', remote, `${wanted}:refs/siru/${wanted}`],
    ...(resolved.ref === undefined ? [] : [['--depth=1', '--', remote, `${resolved.ref}:refs/siru/last`]]),
    ['--', remote, '+refs/*:refs/siru-all/*'],
  ];
  let last: SiruError | undefined;
  for (const way of ways) {
    // A history that was cut off has to be completed before all of it can be searched.
    const whole = !way[0]!.startsWith('--depth') && existsSync(join(kept, 'shallow')) ? ['--unshallow'] : [];
    try {
      await git([...fetch, ...whole, ...way]);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      last = error;
      continue;
    }
    if (await has()) return;
  }
  throw new SiruError('CONTEXT', `${shown} does not give out the commit ${wanted}`, {
    hint: 'Is it pushed, and reachable from a branch or a tag?',
    ...(last ? { cause: last } : {}),
  });
}
