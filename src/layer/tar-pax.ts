/** The records of a PAX extended header: `<length> <key>=<value>\n`. */
import { SiruError } from '../base/errors.ts';
import { decodePath } from './path-bytes.ts';
import { xattrPrefix } from './tar-header.ts';

/** Largest value of an extended attribute (XATTR_SIZE_MAX). */
export const largestXattr = 65_536;

/** What extended headers say of the next member. */
export interface PaxValues {
  path?: string;
  linkpath?: string;
  uid?: number;
  gid?: number;
  size?: number;
  mtime?: number;
  xattrs?: Record<string, Uint8Array>;
  /** A sparse file in one of GNU's PAX forms. */
  sparse?: boolean;
}

export interface PaxState extends PaxValues {
  /** From global headers: for all members that follow. */
  global: PaxValues;
}

export function createPaxState(): PaxState {
  return { global: {} };
}

/** Reads all records. Unknown keys are ignored, as POSIX wants. Throws LAYER. */
export function parsePaxRecords(bytes: Buffer): PaxValues {
  const values: PaxValues = {};
  let at = 0;
  while (at < bytes.length) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 || blank - at > 7 ? '' : bytes.toString('latin1', at, blank);
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, blank);
    if (!/^[1-9]\d*$/.test(digits) || end > bytes.length || equals < 0 || equals >= end || bytes[end - 1] !== 0x0a) {
      throw wrong('a record does not have the length that it says');
    }
    take(values, decodePath(bytes, blank + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return values;
}

function take(values: PaxValues, key: string, value: Buffer): void {
  if (key.startsWith(xattrPrefix)) {
    const name = key.slice(xattrPrefix.length);
    // Every name has a namespace (`user.`); this also keeps names out that mean something to JavaScript.
    if (!name.includes('.') || name.length > 255 || name.includes('\0')) throw wrong(`no extended attribute can have the name ${JSON.stringify(name.slice(0, 300))}`);
    if (value.length > largestXattr) throw wrong(`the attribute ${JSON.stringify(name)} has ${value.length} bytes, more than the ${largestXattr} that Linux takes`);
    (values.xattrs ??= {})[name] = Buffer.from(value);
    return;
  }
  if (key.startsWith('GNU.sparse.')) {
    values.sparse = true;
    return;
  }
  // An empty value takes an earlier one back: the header's field counts.
  if (value.length === 0) return;
  switch (key) {
    case 'path':
    case 'linkpath':
      values[key] = decodePath(value);
      break;
    case 'uid':
    case 'gid':
    case 'size':
      values[key] = number(key, value, /^-?\d+$/);
      break;
    case 'mtime':
      values.mtime = Math.floor(number(key, value, /^-?\d+(?:\.\d*)?$/));
      break;
  }
}

function number(key: string, value: Buffer, form: RegExp): number {
  const text = value.toString('latin1', 0, 40);
  const parsed = Number(text);
  if (value.length > 40 || !form.test(text) || Math.abs(parsed) > Number.MAX_SAFE_INTEGER) {
    throw wrong(`${key} is ${JSON.stringify(text)}`);
  }
  return parsed;
}

function wrong(why: string): SiruError {
  return new SiruError('LAYER', `the tar is malformed: in an extended header ${why}`);
}
