/** `--chown`: who owns what a COPY makes. Names are looked up in the passwd and group files of the destination. */
import { SiruError } from '../../base/errors.ts';
import { lookupGroupId, lookupUserId } from '../../runtime/users.ts';
import type { KeyPart } from '../../store/store.ts';

export interface Owner {
  uid: number;
  gid: number;
  /** The look-ups that the numbers came from. */
  parts: KeyPart[];
}

type ReadFile = (path: string) => Promise<Uint8Array | undefined>;

/**
 * A number stands for itself, and alone also for the group. A name stands for its passwd entry with its primary group; a
 * name that the file lacks counts as 0, as it does for BuildKit. Throws CONTEXT when there is no file to look into; `flag`
 * is for its message.
 */
export async function resolveChown(chown: string, readFile: ReadFile, flag = '--chown='): Promise<Owner> {
  const written = flag + chown;
  const colon = chown.indexOf(':');
  const user = colon < 0 ? chown : chown.slice(0, colon);
  const group = colon < 0 ? '' : chown.slice(colon + 1);
  const owner: Owner = { uid: 0, gid: 0, parts: [] };
  if (isNumber(user)) owner.uid = owner.gid = number(user, written);
  else if (user !== '') {
    const passwd = await file('etc/passwd', user, written, readFile);
    const ids = lookupUserId(user, () => passwd);
    Object.assign(owner, ids);
    owner.parts.push({ name: `user ${user}`, value: ids ? `${ids.uid}:${ids.gid}` : 'unknown' });
  }
  if (isNumber(group)) owner.gid = number(group, written);
  else if (group !== '') {
    const groups = await file('etc/group', group, written, readFile);
    const gid = lookupGroupId(group, () => groups);
    if (gid !== undefined) owner.gid = gid;
    owner.parts.push({ name: `group ${group}`, value: gid === undefined ? 'unknown' : String(gid) });
  }
  return owner;
}

function isNumber(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

function number(text: string, written: string): number {
  const value = Number(text);
  if (value <= 0xfffffffe) return value;
  throw new SiruError('CONTEXT', `${written}: ${text} is no id: the largest one is 4294967294`);
}

async function file(path: string, name: string, written: string, readFile: ReadFile): Promise<Uint8Array> {
  const bytes = await readFile(path);
  if (bytes) return bytes;
  throw new SiruError('CONTEXT', `${written}: ${JSON.stringify(name)} cannot be looked up: there is no /${path} where the files go`, {
    hint: 'Use numbers: 1000:1000. With --link, and on scratch, only numbers can work.',
  });
}
