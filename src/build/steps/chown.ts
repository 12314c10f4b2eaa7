/** `--chown`: who owns what a COPY makes. Names are looked up in the passwd and group files of the destination. */
import { SiruError } from '../../base/errors.ts';
import { lookupGroupId, lookupUserId } from '../../runtime/users.ts';
import type { KeyPart } from '../../store/store.ts';

export interface Owner {
  uid: number;
  gid: number;
  /** The look-ups that the numbers came from. */
  parts: KeyPart[];
  /** What was looked up and is not there, and what that means: `no user "app": it is root's`. */
  unknown?: string[];
}

type ReadFile = (path: string) => Promise<Uint8Array | undefined>;

/**
 * A number stands for itself, and alone also for the group. A name stands for its passwd entry with its primary group; a
 * name that is not there counts as 0, as it does for BuildKit. A colon with nothing behind it means group 0. Without
 * `readFile` there is nothing to look into: a name throws CONTEXT then.
 */
export async function resolveChown(chown: string, readFile: ReadFile | undefined): Promise<Owner> {
  const colon = chown.indexOf(':');
  const user = colon < 0 ? chown : chown.slice(0, colon);
  const group = colon < 0 ? '' : chown.slice(colon + 1);
  const owner: Owner = { uid: 0, gid: 0, parts: [] };
  if (isId(user)) owner.uid = owner.gid = Number(user);
  else if (user !== '') {
    const passwd = await file('etc/passwd', user, chown, readFile);
    const ids = lookupUserId(user, () => passwd);
    if (ids) Object.assign(owner, ids);
    else (owner.unknown ??= []).push(`no user ${JSON.stringify(user)}: it is root's`);
    owner.parts.push({ name: `user ${user}`, value: ids ? `${ids.uid}:${ids.gid}` : 'unknown' });
  }
  if (isId(group)) owner.gid = Number(group);
  else if (group === '') owner.gid = colon < 0 ? owner.gid : 0;
  else {
    const groups = await file('etc/group', group, chown, readFile);
    const gid = lookupGroupId(group, () => groups);
    if (gid !== undefined) owner.gid = gid;
    else (owner.unknown ??= []).push(`no group ${JSON.stringify(group)}: it counts for nothing`);
    owner.parts.push({ name: `group ${group}`, value: gid === undefined ? 'unknown' : String(gid) });
  }
  return owner;
}

/** Digits that are too many are a name, which nobody has. */
function isId(text: string): boolean {
  return /^[0-9]+$/.test(text) && Number(text) <= 0xfffffffe;
}

async function file(path: string, name: string, chown: string, readFile: ReadFile | undefined): Promise<Uint8Array | undefined> {
  if (readFile) return await readFile(path);
  throw new SiruError('CONTEXT', `--chown=${chown}: ${JSON.stringify(name)} cannot be looked up: with --link there is no /${path} where the files go`, {
    hint: 'Use numbers: 1000:1000. With --link only they can work.',
  });
}
