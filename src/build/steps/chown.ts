/** `--chown`: who owns what a COPY makes. Names are looked up in the passwd and group files of the destination. */
import { SiruError } from '../../base/errors.ts';
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
    const fields = await find('etc/passwd', user, written, readFile);
    if (fields) {
      owner.uid = number(fields[2] ?? '', written);
      owner.gid = number(fields[3] ?? '', written);
    }
    owner.parts.push({ name: `user ${user}`, value: fields ? `${owner.uid}:${owner.gid}` : 'unknown' });
  }
  if (isNumber(group)) owner.gid = number(group, written);
  else if (group !== '') {
    const fields = await find('etc/group', group, written, readFile);
    if (fields) owner.gid = number(fields[2] ?? '', written);
    owner.parts.push({ name: `group ${group}`, value: fields ? String(owner.gid) : 'unknown' });
  }
  return owner;
}

function isNumber(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

function number(text: string, written: string): number {
  const value = Number(text);
  if (isNumber(text) && value <= 0xfffffffe) return value;
  throw new SiruError('CONTEXT', `${written}: ${JSON.stringify(text)} is no id`);
}

async function find(file: string, name: string, written: string, readFile: ReadFile): Promise<string[] | undefined> {
  const bytes = await readFile(file);
  if (!bytes) {
    throw new SiruError('CONTEXT', `${written}: ${JSON.stringify(name)} cannot be looked up: there is no /${file} where the files go`, {
      hint: 'Use numbers: --chown=1000:1000. With --link, and on scratch, only numbers can work.',
    });
  }
  for (const line of Buffer.from(bytes).toString('utf8').split('\n')) {
    const fields = line.trim().split(':');
    if (fields[0] === name && fields.length >= 3) return fields;
  }
  return undefined;
}
