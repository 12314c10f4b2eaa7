/** Who `USER`, `docker run -u` and `--chown` mean, by the passwd and group files of an image. Pure. */
import { SiruError } from '../base/errors.ts';

export interface ResolvedUser {
  uid: number;
  gid: number;
  /** All groups of the process, the primary one first. */
  groups: number[];
  /** Home directory; `/` when the user has no entry. */
  home: string;
  /** Name of the user's entry, when there is one. */
  name?: string;
}

/** Gives the bytes of a regular file of the image by absolute path, links followed inside the image; undefined when there is none. */
export type ReadImageFile = (path: string) => Uint8Array | undefined;

const largestFile = 10 * 1024 * 1024;
/** The kernel keeps 4294967295 for "no id"; docker takes none above the signed range. */
const largestId = 2147483647;

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

/**
 * The numbers of `user`, `user:group`, `uid` or `uid:gid`; '' means root.
 *
 * A user that is named alone gets the primary group and all groups that list it; with a group, only that group. Digits are
 * an id and never a name; one without an entry stands for itself with group 0. Throws NOT_FOUND for a name that the image does not have.
 */
export function resolveUser(text: string, readFile: ReadImageFile): ResolvedUser {
  const colon = text.indexOf(':');
  const userText = (colon < 0 ? text : text.slice(0, colon)) || '0';
  const groupText = colon < 0 ? '' : text.slice(colon + 1);
  const number = idOf(userText);
  const entry = readPasswd(readFile).find((candidate) => (number === undefined ? candidate.name === userText : candidate.uid === number));
  const uid = number ?? entry?.uid;
  if (uid === undefined) {
    throw new SiruError('NOT_FOUND', `the image has no user ${JSON.stringify(userText)} in /etc/passwd`, {
      hint: 'Create it in an earlier step, or give its number.',
    });
  }
  let gid = entry?.gid ?? 0;
  let groups: number[] = [];
  if (groupText !== '') {
    const found = idOf(groupText) ?? readGroups(readFile).find((candidate) => candidate.name === groupText)?.gid;
    if (found === undefined) {
      throw new SiruError('NOT_FOUND', `the image has no group ${JSON.stringify(groupText)} in /etc/group`, {
        hint: 'Create it in an earlier step, or give its number.',
      });
    }
    gid = found;
  } else if (entry) {
    groups = readGroups(readFile).filter(({ members }) => members.includes(entry.name)).map((group) => group.gid);
  }
  const user: ResolvedUser = { uid, gid, groups: [...new Set([gid, ...groups])], home: entry?.home || '/' };
  if (entry) user.name = entry.name;
  return user;
}

/** The ids of a user by name, or undefined when the image does not have it. */
export function lookupUserId(name: string, readFile: ReadImageFile): { uid: number; gid: number } | undefined {
  const entry = readPasswd(readFile).find((candidate) => candidate.name === name);
  return entry && { uid: entry.uid, gid: entry.gid };
}

/** The id of a group by name, or undefined when the image does not have it. */
export function lookupGroupId(name: string, readFile: ReadImageFile): number | undefined {
  return readGroups(readFile).find((candidate) => candidate.name === name)?.gid;
}

function idOf(text: string): number | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const id = Number(text);
  if (id > largestId) throw new SiruError('NOT_FOUND', `${text} is no id: the largest one is ${largestId}`);
  return id;
}

function readPasswd(readFile: ReadImageFile): PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const [name, , uid, gid, , home] of linesOf('/etc/passwd', readFile)) {
    const [user, group] = [numberOf(uid), numberOf(gid)];
    if (name !== undefined && user !== undefined && group !== undefined) entries.push({ name, uid: user, gid: group, home: home ?? '' });
  }
  return entries;
}

function readGroups(readFile: ReadImageFile): GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const [name, , gid, members] of linesOf('/etc/group', readFile)) {
    const group = numberOf(gid);
    if (name !== undefined && group !== undefined) entries.push({ name, gid: group, members: (members ?? '').split(',') });
  }
  return entries;
}

/** The id of a field; undefined for what is none, so that a damaged line means nobody instead of root. */
function numberOf(field: string | undefined): number | undefined {
  return field !== undefined && /^[0-9]+$/.test(field) && Number(field) <= largestId ? Number(field) : undefined;
}

function linesOf(path: string, readFile: ReadImageFile): string[][] {
  const bytes = readFile(path);
  if (!bytes) return [];
  if (bytes.length > largestFile) {
    throw new SiruError('LAYER', `${path} of the image has ${bytes.length} bytes; at most ${largestFile} are read of it`);
  }
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '').map((line) => line.split(':'));
}
