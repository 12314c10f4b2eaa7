/**
 * Repositories as contexts and as sources of ADD. What is taken is known by the commit, so that an unchanged branch costs
 * one question to its server, and a commit that was named in full none.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkCancelled } from '../../base/context.ts';
import { startTransfer } from '../../images/transfer.ts';
import { hexOf, sha256, type Digest } from '../../oci/digest.ts';
import type { Executed, Step } from '../../solver/step.ts';
import type { KeyPart } from '../../store/store.ts';
import { SiruError } from '../../base/errors.ts';
import { executedOf, writeLayer } from '../steps/write-layer.ts';
import { planWholeTree, solveContext, type LayerContext, type LayerParts } from './context-layer.ts';
import { openContext } from './directory.ts';
import { checkOut } from './git-checkout.ts';
import type { GitAccess } from './git-program.ts';
import type { Pins } from '../lock/pins.ts';
import { resolveRef, type Resolved } from './git-remote.ts';
import { asksServer, isCommit, type GitSource } from './git-url.ts';

export interface GitParts extends LayerParts {
  secret(id: string): Promise<Uint8Array | undefined>;
  /** Socket of the SSH agent of this name. */
  sshAgent?: (id: string) => Promise<string | undefined>;
  /** What the lock file says of branches and tags. */
  pins?: Pins | undefined;
  options?: { offline?: boolean };
}

/**
 * `title` is how messages call the files. Throws CONTEXT, DIGEST for another commit than the checksum's, LOCK for what the lock
 * file does not have, OFFLINE for what is not here, NETWORK, AUTH, UNSUPPORTED without git.
 */
export async function openGit(parts: GitParts, source: GitSource, title: string = nameOf(source)): Promise<LayerContext> {
  const access = { ...(await accessOf(parts, source)), ...(parts.options?.offline && { offline: true }) };
  const resolved = await resolve(parts, source, access);
  return solveContext(parts, title, stepOf(parts, source, resolved, access));
}

/** Which commit a source is, whatever a lock file says. Throws as openGit. */
export async function askForCommit(parts: Omit<GitParts, 'pins'>, source: GitSource): Promise<Resolved> {
  const access = { ...(await accessOf(parts, source)), ...(parts.options?.offline && { offline: true }) };
  return resolve({ ...parts, pins: undefined }, source, access);
}

async function resolve(parts: GitParts, source: GitSource, access: GitAccess): Promise<Resolved> {
  const { pins, store, context } = parts;
  if (pins && asksServer(source)) return checkPinned(source, pins.commit(source), pins.file);
  if (!access.offline || !asksServer(source)) return resolveRef(source, { folder: store.path('tmp') }, access, context);
  const last = lastResolved(parts, source);
  if (last) return last;
  throw new SiruError('OFFLINE', `which commit ${nameOf(source)} is cannot be asked, and it was never built here`, { hint: 'Build once without --offline, or lock it: siru lock.' });
}

/** What the last build took from there. */
function lastResolved({ store: { records } }: GitParts, source: GitSource): Resolved | undefined {
  const key = records.lastKey(slotOf(source));
  const parts = key === undefined ? undefined : records.parts(key)?.parts;
  const commit = parts?.find(({ name }) => name === 'commit')?.value;
  if (!isCommit(commit)) return undefined;
  const [, ref = '', tag = ''] = parts!.find(({ name }) => name === 'git directory')?.value.split(' ') ?? [];
  return { commit: commit!, ...(ref === '' ? {} : { ref }), ...(tag === '' ? {} : { tag }) };
}

/** The address may ask for a commit itself. */
function checkPinned({ checksum, shown }: GitSource, pinned: Resolved, file: string): Resolved {
  const seen = [pinned.commit, ...(pinned.tag === undefined ? [] : [pinned.tag])];
  if (checksum === undefined || seen.some((id) => id.startsWith(checksum))) return pinned;
  throw new SiruError('DIGEST', `expected checksum to match ${checksum}, and ${file} says ${pinned.commit} of ${shown}`, { hint: 'If the checksum is right: siru lock --update, with the address.' });
}

export function nameOf(source: GitSource): string {
  return `${source.shown}${source.ref === undefined && source.subdir === undefined ? '' : `#${source.ref ?? ''}${source.subdir === undefined ? '' : `:${source.subdir}`}`}`;
}

function stepOf(parts: GitParts, source: GitSource, resolved: Resolved, access: GitAccess): Step {
  const { store } = parts;
  const { subdir, submodules, keepGitDir, mtime } = source;
  const whole = subdir === undefined;
  const key: KeyPart[] = [
    { name: 'commit', value: resolved.commit },
    { name: 'directory', value: subdir ?? '' },
    { name: 'submodules', value: String(submodules !== false) },
    // Where it came from is written in .git, and so is the name of the ref.
    { name: 'git directory', value: keepGitDir && whole ? [source.remote, resolved.ref ?? '', resolved.tag ?? ''].join(' ') : '' },
    { name: 'times', value: mtime ?? 'commit' },
  ];
  return {
    text: `git ${nameOf(source)}`,
    slots: [slotOf(source)],
    parts: async () => key,
    async execute(context): Promise<Executed> {
      const transfer = access.offline ? undefined : startTransfer(context, 'download', source.shown);
      transfer?.state('moving');
      const id = hexOf(sha256(source.remote));
      const target = store.temporary('.checkout');
      try {
        using _lock = await store.lock(`git:${id}`, context);
        const { time } = await checkOut({ source, resolved, kept: store.path('git', id), target, access }, context);
        transfer?.state('done');
        const tree = openContext({ root: directoryOf(target, source), name: nameOf(source), plain: true });
        const planned = planWholeTree(tree, keepGitDir && whole ? [] : ['**/.git'], () => checkCancelled(context));
        const of = mtime === 'checkout' ? Math.floor(Date.now() / 1000) : time;
        for (const { entry } of planned.outputs) {
          entry.mtime = of;
          if (entry.type === 'dir') entry.mode = 0o755;
          else if (entry.type === 'file') entry.mode = (entry.mode & 0o111) !== 0 ? 0o755 : (entry.mode & 0o200) !== 0 ? 0o644 : 0o444;
          delete entry.xattrs;
        }
        return executedOf(await writeLayer(planned.outputs, store, context), time);
      } catch (error) {
        transfer?.state('failed');
        throw error;
      } finally {
        rmSync(target, { recursive: true, force: true });
      }
    },
  };
}

function slotOf({ remote, ref, subdir }: GitSource): Digest {
  return sha256(`git context ${remote} ${ref ?? ''} ${subdir ?? ''}`);
}

/** The directory that was asked for; links on the way to it are not followed, for they could lead out of the repository. */
function directoryOf(target: string, source: GitSource): string {
  const { subdir, shown } = source;
  if (subdir === undefined) return target;
  const tree = openContext({ root: target, plain: true });
  const found = tree.resolve(subdir).found;
  if (found?.entry.type !== 'dir') throw new SiruError('CONTEXT', `${shown} has no directory ${JSON.stringify(subdir)}`, { hint: 'The part behind the colon is a path from the top of the repository.' });
  return join(target, found.entry.path);
}

/** The secrets that belong to the repository: first those that name its host. */
async function accessOf(parts: Omit<GitParts, 'pins'>, source: GitSource): Promise<GitAccess> {
  // For submodules too, which may be fetched otherwise than what they belong to.
  const socket = await parts.sshAgent?.('default');
  const agent = socket === undefined ? {} : { sshAgent: socket };
  if (source.scheme !== 'http' && source.scheme !== 'https') return agent;
  const scope = scopeOf(source);
  const hosts = [`.${source.host}`, ...(source.host.includes(':') ? [`.${source.host.replace(/:\d+$/, '')}`] : []), ''];
  for (const host of hosts) {
    for (const kind of ['HEADER', 'TOKEN'] as const) {
      const bytes = await parts.secret(`GIT_AUTH_${kind}${host}`);
      if (bytes === undefined) continue;
      const text = Buffer.from(bytes).toString('utf8').trim();
      if (/\p{Cc}/u.test(text)) throw new SiruError('CONTEXT', `the secret GIT_AUTH_${kind}${host} holds a control character`);
      return { ...agent, scope, authorization: kind === 'HEADER' ? text : basic(`x-access-token:${text}`) };
    }
  }
  if (source.userinfo !== undefined) return { ...agent, scope, authorization: basic(source.userinfo) };
  return agent;
}

function basic(text: string): string {
  return `Basic ${Buffer.from(text, 'utf8').toString('base64')}`;
}

/** A token of GitHub counts for submodules there, too; else only for the repository itself. */
function scopeOf({ remote }: GitSource): string {
  return /^https:\/\/(?:www\.)?github\.com\//.exec(remote)?.[0] ?? remote;
}
