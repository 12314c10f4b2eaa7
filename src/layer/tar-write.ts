/**
 * Writes the headers of a tar: USTAR where everything fits, else a PAX record for just the values that do not. The bytes
 * are those that Go's archive/tar makes of the same values, because most layers in the world were written by it.
 */
import { SiruError } from '../base/errors.ts';
import type { Entry } from './entry.ts';
import { encodePath } from './path-bytes.ts';
import { blockSize, fitsOctal, padding, typeFlag, writeOctal, xattrPrefix } from './tar-header.ts';

/** What readers of this and other tools accept at most (Go: 1 MiB). */
const largestPax = 1 << 20;

/** A header to write: names are the bytes of the tar (a directory's ends with a slash). */
export interface HeaderFields {
  name: string;
  link: string;
  type: keyof typeof typeFlag;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  major: number;
  minor: number;
  xattrs?: Record<string, Uint8Array> | undefined;
}

/** Most bytes that `writeHeader` needs for these values. */
export function headerRoom(fields: HeaderFields): number {
  let room = 4 * blockSize + 200 + 3 * (fields.name.length + fields.link.length);
  for (const name in fields.xattrs) room += 3 * name.length + fields.xattrs[name]!.length + 64;
  return room;
}

/** Writes the header blocks into `out` at `at` and returns where they end. */
export function writeHeader(out: Buffer, at: number, fields: HeaderFields): number {
  if (fields.name.length <= 100 && fields.link.length <= 100 && simple(fields) && isAscii(fields.name) && isAscii(fields.link)) {
    out.fill(0, at, at + blockSize);
    out.write(fields.name, at, 100, 'latin1');
    if (fields.link !== '') out.write(fields.link, at + 157, 100, 'latin1');
    return finish(out, at, fields, typeFlag[fields.type]);
  }
  return writeLong(out, at, fields);
}

/** True when numbers and attributes need no PAX record. */
function simple(fields: HeaderFields): boolean {
  return (
    fields.xattrs === undefined &&
    fitsOctal(fields.uid, 8) &&
    fitsOctal(fields.gid, 8) &&
    fitsOctal(fields.size, 12) &&
    fitsOctal(fields.mtime, 12)
  );
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** The fields that follow the names, and the checksum. */
function finish(out: Buffer, at: number, fields: HeaderFields, flag: number): number {
  writeOctal(out, at + 100, 8, fields.mode);
  writeOctal(out, at + 108, 8, fields.uid);
  writeOctal(out, at + 116, 8, fields.gid);
  writeOctal(out, at + 124, 12, fields.size);
  writeOctal(out, at + 136, 12, fields.mtime);
  out[at + 156] = flag;
  out.write('ustar\u000000', at + 257, 8, 'latin1');
  if (flag !== typeFlag.pax) {
    writeOctal(out, at + 329, 8, fields.major);
    writeOctal(out, at + 337, 8, fields.minor);
  }
  let sum = 256; // the checksum field counts as eight blanks
  for (let i = at; i < at + blockSize; i++) sum += out[i]!;
  writeOctal(out, at + 148, 7, sum);
  out[at + 155] = 32;
  return at + blockSize;
}

function writeLong(out: Buffer, at: number, fields: HeaderFields): number {
  const name = encodePath(fields.name);
  const link = encodePath(fields.link);
  const records = paxRecords(fields, name, link);
  const split = records.length === 1 && records[0]![0] === 'path' ? splitName(name) : undefined;
  if (split) {
    out.fill(0, at, at + blockSize);
    split.name.copy(out, at);
    split.prefix.copy(out, at + 345);
    link.copy(out, at + 157);
    return finish(out, at, fields, typeFlag[fields.type]);
  }
  const end = writePax(out, at, name, records);
  out.fill(0, end, end + blockSize);
  writeText(out, end, name);
  writeText(out, end + 157, link);
  return finish(out, end, fields, typeFlag[fields.type]);
}

/** The values that the header cannot hold, in the order of their keys. */
function paxRecords(fields: HeaderFields, name: Buffer, link: Buffer): [string, Uint8Array][] {
  const records: [string, Uint8Array][] = [];
  const number = (key: string, value: number, room: number): void => {
    if (!fitsOctal(value, room)) records.push([key, Buffer.from(String(value))]);
  };
  if (!plain(name)) records.push(['path', name]);
  if (!plain(link)) records.push(['linkpath', link]);
  number('uid', fields.uid, 8);
  number('gid', fields.gid, 8);
  number('size', fields.size, 12);
  number('mtime', fields.mtime, 12);
  for (const key in fields.xattrs) {
    if (key === '' || /[=\0]/.test(key)) throw new SiruError('LAYER', `a tar cannot hold an extended attribute of the name ${JSON.stringify(key)}`);
    records.push([`${xattrPrefix}${key}`, fields.xattrs[key]!]);
  }
  return records.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** True when a name fits its field. */
function plain(name: Buffer): boolean {
  return name.length <= 100 && name.every((byte) => byte < 128);
}

/** Divides a long name between the fields `prefix` and `name`, at the last slash that leaves both in bounds. */
function splitName(name: Buffer): { prefix: Buffer; name: Buffer } | undefined {
  if (name.length <= 100 || !name.every((byte) => byte < 128)) return undefined;
  let length = name.length;
  if (length > 156) length = 156;
  else if (name[length - 1] === 0x2f) length--;
  const slash = name.lastIndexOf(0x2f, length - 1);
  const rest = name.length - slash - 1;
  if (slash <= 0 || rest > 100 || rest === 0 || slash > 155) return undefined;
  return { prefix: name.subarray(0, slash), name: name.subarray(slash + 1) };
}

/** A name as far as the field holds it, without what is not ASCII; the whole stands in a PAX record. */
function writeText(out: Buffer, at: number, name: Buffer): void {
  const ascii = Buffer.from(name.filter((byte) => byte < 128));
  let length = Math.min(100, ascii.length);
  // Readers that know no PAX would take a file for a directory if the cut ended in a slash.
  if (ascii.length > 100) while (length > 0 && ascii[length - 1] === 0x2f) length--;
  ascii.copy(out, at, 0, length);
}

function writePax(out: Buffer, at: number, name: Buffer, records: [string, Uint8Array][]): number {
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  if (body.length > largestPax) {
    throw new SiruError('LAYER', `the extended attributes and names of ${JSON.stringify(name.toString().slice(0, 200))} exceed 1 MiB, more than a tar may hold`);
  }
  out.fill(0, at, at + blockSize);
  paxName(name).copy(out, at);
  const header: HeaderFields = { name: '', link: '', type: 'pax', mode: 0, uid: 0, gid: 0, size: body.length, mtime: 0, major: 0, minor: 0 };
  const start = finish(out, at, header, typeFlag.pax);
  body.copy(out, start);
  const end = start + body.length;
  out.fill(0, end, end + padding(body.length));
  return end + padding(body.length);
}

/** `dir/PaxHeaders.0/file`, as far as the field holds it. */
function paxName(name: Buffer): Buffer {
  const slash = name.lastIndexOf(0x2f);
  const dir = name.toString('latin1', 0, slash + 1);
  const joined = `${dir === './' ? '' : dir}PaxHeaders.0/${name.toString('latin1', slash + 1)}`;
  return Buffer.from(joined.replace(/[\x80-\xff]/g, '').slice(0, 100).replace(/\/+$/, ''), 'latin1');
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const head = encodePath(` ${key}=`);
  const rest = head.length + value.length + 1;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), head, value, Buffer.from('\n')]);
}

/** The header fields of an entry. */
export function fieldsOf(entry: Entry): HeaderFields {
  const { path, type, mode, uid, gid, mtime, xattrs } = entry;
  if (type === 'whiteout') {
    const slash = path.lastIndexOf('/') + 1;
    const name = `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
    return { name, link: '', type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtime: 0, major: 0, minor: 0 };
  }
  return {
    name: type === 'dir' ? (path === '' ? './' : `${path}/`) : path,
    link: entry.link ?? '',
    type,
    mode,
    uid,
    gid,
    size: type === 'file' ? entry.size : 0,
    mtime,
    major: entry.major ?? 0,
    minor: entry.minor ?? 0,
    xattrs: xattrs && Object.keys(xattrs).length > 0 ? xattrs : undefined,
  };
}
