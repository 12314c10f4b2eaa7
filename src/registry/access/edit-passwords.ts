/** Adding users to a password file, and taking them out. The file is replaced as a whole: a server that reads it sees one or the other. */
import { chmodSync, chownSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { isUserName, parsePasswords, withPassword } from './password-file.ts';

/** 2 to this power rounds of bcrypt: about a tenth of a second. */
const cost = 11;
/** Bytes of a password that bcrypt reads. */
const mostPasswordBytes = 72;

/** True when the name was there: then it has another password now. Throws USAGE, CONFIG. */
export async function setPassword(path: string, name: string, password: string): Promise<boolean> {
  if (!isUserName(name)) throw new SiruError('USAGE', `${JSON.stringify(name)} is no user name`, { hint: 'no spaces, no colon, at most 255 characters' });
  if (password === '' || Buffer.byteLength(password) > mostPasswordBytes) throw new SiruError('USAGE', `a password has 1 to ${mostPasswordBytes} bytes`);
  const { hash } = await import('bcryptjs');
  const hashed = await hash(password, cost);
  const text = readText(path) ?? '';
  const known = namesOf(path, text).includes(name);
  replace(path, withPassword(text, name, hashed));
  return known;
}

/** False when there is no such user. Throws CONFIG. */
export function removeUser(path: string, name: string): boolean {
  const text = readText(path);
  if (text === undefined || !namesOf(path, text).includes(name)) return false;
  replace(path, withPassword(text, name, undefined));
  return true;
}

/** For a file that must be there. Throws CONFIG. */
export function readUsers(path: string): string[] {
  const text = readText(path);
  if (text === undefined) throw new SiruError('CONFIG', `there is no password file ${path}`, { hint: `siru registry user add NAME --users ${path} makes it` });
  return namesOf(path, text);
}

/** None for a file that is not there. Throws CONFIG. */
export function listUsers(path: string): string[] {
  return namesOf(path, readText(path) ?? '');
}

function namesOf(path: string, text: string): string[] {
  try {
    return [...parsePasswords(text).keys()];
  } catch (error) {
    throw new SiruError('CONFIG', `${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Undefined when it is not there. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new SiruError('CONFIG', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function replace(path: string, text: string): void {
  const before = statSync(path, { throwIfNoEntry: false });
  const target = before ? realpathSync(path) : path;
  const draft = `${target}.${process.pid}.partial`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
    if (before) {
      chmodSync(draft, before.mode & 0o777);
      if (process.getuid?.() === 0) chownSync(draft, before.uid, before.gid);
    }
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new SiruError('USAGE', `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}
