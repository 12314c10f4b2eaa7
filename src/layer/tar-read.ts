/**
 * Reads a tar that is pushed in, chunk by chunk, and tells its members as they come: USTAR, PAX, GNU and old V7 forms.
 * Knows nothing of layers (whiteouts are ordinary members here). What it is given is hostile: every size is bounded, every
 * path is made relative, and one with `..` is refused.
 */
import { SiruError } from '../base/errors.ts';
import { decodePath } from './path-bytes.ts';
import { createPaxState, parsePaxRecords, type PaxState } from './tar-pax.ts';
import { blockSize, checksums, padding, parseNumber, typeFlag } from './tar-header.ts';

export type MemberType = 'file' | 'dir' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';

/** A member of a tar. Paths and times are in the form of entry.ts. */
export interface TarMember {
  path: string;
  type: MemberType;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  /** Target of a symbolic link as written, or cleaned path that a hard link names. */
  link?: string;
  xattrs?: Record<string, Uint8Array>;
  major?: number;
  minor?: number;
  /** Where the content begins in the tar. */
  offset: number;
}

export interface TarHandler {
  member(member: TarMember): void;
  /** The next piece of the member's content. The bytes are valid only during the call. */
  content?(bytes: Uint8Array, member: TarMember): void;
  /** After the last piece; also for members without content. */
  end?(member: TarMember): void;
}

export interface TarReader {
  push(chunk: Uint8Array): void;
  /** No more chunks. Throws LAYER when the tar ended too early. */
  end(): void;
}

/** Longest path or link target in bytes: the kernel takes no longer ones. */
const longestPath = 4096;
/** Largest PAX header or GNU long name; Go's reader has the same bound. */
const largestSpecial = 1 << 20;
/** Most bytes of names, links and attributes in one tar: whoever reads it keeps them in memory. */
export const mostMetadata: number = 512 * 2 ** 20;
const largestId = 4294967294;
/** Beyond all file systems; larger times are cut to this. */
const latest = 2 ** 40;

const memberTypes = new Map<number, MemberType>([
  [0, 'file'],
  [typeFlag.file, 'file'],
  [typeFlag.contiguous, 'file'],
  [typeFlag.hardlink, 'hardlink'],
  [typeFlag.symlink, 'symlink'],
  [typeFlag.char, 'char'],
  [typeFlag.block, 'block'],
  [typeFlag.dir, 'dir'],
  [typeFlag.fifo, 'fifo'],
]);

/** A reader that tells `handler` what it finds. All calls are made from within push and end. */
export function createTarReader(handler: TarHandler): TarReader {
  let state: 'header' | 'special' | 'content' | 'padding' | 'ended' = 'header';
  /** Bytes of the tar before the current chunk, and those of the block that the last chunk began. */
  let position = 0;
  const block = Buffer.allocUnsafe(blockSize);
  let held = 0;
  let zeroBlocks = 0;
  /** What is left of content or padding. */
  let left = 0;
  let member: TarMember | undefined;
  let special = { flag: 0, bytes: Buffer.alloc(0), used: 0 };
  let pax: PaxState = createPaxState();
  let longName: string | undefined;
  let longLink: string | undefined;
  let metadata = 0;

  /** Takes a header block; `start` is where its content begins. */
  function header(bytes: Buffer, at: number, start: number): void {
    if (isZero(bytes, at)) {
      if (++zeroBlocks === 2) state = 'ended';
      return;
    }
    if (zeroBlocks > 0) throw malformed('there is something behind its end mark');
    const sum = parseNumber(bytes, at + 148, 8, 'checksum');
    const { unsigned, signed } = checksums(bytes, at);
    if (sum !== unsigned && sum !== signed) throw malformed(`the header at byte ${start - blockSize} has a wrong checksum (is it a tar at all?)`);
    const flag = bytes[at + 156]!;
    if (flag === typeFlag.pax || flag === typeFlag.paxGlobal || flag === typeFlag.gnuLongName || flag === typeFlag.gnuLongLink) {
      const size = parseNumber(bytes, at + 124, 12, 'size');
      if (size < 0 || size > largestSpecial) throw malformed(`an extended header has ${size} bytes, more than 1 MiB`);
      special = { flag, bytes: Buffer.allocUnsafe(size), used: 0 };
      state = 'special';
      if (size === 0) finishSpecial();
      return;
    }
    member = memberOf(bytes, at, flag, start);
    pax = { ...createPaxState(), global: pax.global };
    longName = longLink = undefined;
    special.used = 0;
    metadata += metadataOf(member);
    if (metadata > mostMetadata) throw malformed(`its names, links and attributes take more than ${mostMetadata} bytes`);
    handler.member(member);
    left = member.size;
    if (left > 0) state = 'content';
    else handler.end?.(member);
  }

  function memberOf(bytes: Buffer, at: number, flag: number, offset: number): TarMember {
    const raw = pax.path ?? longName ?? nameOf(bytes, at);
    let type = memberTypes.get(flag);
    if (flag === typeFlag.gnuSparse || pax.sparse) {
      throw new SiruError('UNSUPPORTED', `the tar holds a GNU sparse file: ${quote(raw)}`, { hint: 'Make the tar without --sparse.' });
    }
    if (type === undefined) throw malformed(`${quote(raw)} has the unknown type ${JSON.stringify(String.fromCharCode(flag))}`);
    if (type === 'file' && raw.endsWith('/')) type = 'dir'; // V7 knew no directories
    const path = cleanPath(raw);
    if (path === '' && type !== 'dir') throw malformed(`the root of it is a ${type}`);
    const number = (what: 'uid' | 'gid' | 'size' | 'mtime', field: number, length: number): number =>
      pax[what] ?? pax.global[what] ?? parseNumber(bytes, at + field, length, what);
    const uid = number('uid', 108, 8);
    const gid = number('gid', 116, 8);
    const size = type === 'file' ? number('size', 124, 12) : 0;
    const mtime = number('mtime', 136, 12);
    if (uid < 0 || uid > largestId || gid < 0 || gid > largestId) throw malformed(`${quote(path)} belongs to ${uid}:${gid}`);
    if (size < 0) throw malformed(`${quote(path)} has a negative size`);
    const result: TarMember = {
      path,
      type,
      mode: parseNumber(bytes, at + 100, 8, 'mode') & 0o7777,
      uid,
      gid,
      size,
      mtime: Math.max(-latest, Math.min(latest, mtime)),
      offset,
    };
    if (type === 'symlink' || type === 'hardlink') {
      const link = pax.linkpath ?? longLink ?? text(bytes, at + 157, 100);
      if (link === '') throw malformed(`the link ${quote(path)} leads nowhere`);
      if (link.length > longestPath || link.includes('\0')) throw malformed(`the link ${quote(path)} has a target that no system takes`);
      result.link = type === 'hardlink' ? cleanPath(link) : link;
    }
    if (type === 'char' || type === 'block') {
      result.major = parseNumber(bytes, at + 329, 8, 'device number');
      result.minor = parseNumber(bytes, at + 337, 8, 'device number');
      if (!(result.major >= 0 && result.major < 4096 && result.minor >= 0 && result.minor < 1048576)) {
        throw malformed(`the device ${quote(path)} has the number ${result.major}:${result.minor}`);
      }
    }
    if (pax.xattrs) result.xattrs = pax.xattrs;
    return result;
  }

  function finishSpecial(): void {
    const { flag, bytes } = special;
    if (flag === typeFlag.pax) pax = { ...parsePaxRecords(bytes), global: pax.global };
    else if (flag === typeFlag.paxGlobal) {
      // Only what makes sense for many members at once; a path for all of them does not.
      const { uid, gid, mtime } = parsePaxRecords(bytes);
      const given = Object.entries({ uid, gid, mtime }).filter(([, value]) => value !== undefined);
      pax.global = { ...pax.global, ...Object.fromEntries(given) };
    } else {
      const name = decodePath(bytes.subarray(0, bytes.indexOf(0) < 0 ? bytes.length : bytes.indexOf(0)));
      if (flag === typeFlag.gnuLongName) longName = name;
      else longLink = name;
    }
    left = padding(bytes.length);
    state = left > 0 ? 'padding' : 'header';
  }

  return {
    push(given) {
      const chunk = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
      let at = 0;
      while (at < chunk.length) {
        switch (state) {
          case 'ended':
            at = chunk.length; // what follows is nobody's
            break;
          case 'header': {
            if (held === 0 && chunk.length - at >= blockSize) {
              at += blockSize;
              header(chunk, at - blockSize, position + at);
              break;
            }
            const part = Math.min(blockSize - held, chunk.length - at);
            chunk.copy(block, held, at, at + part);
            held += part;
            at += part;
            if (held === blockSize) {
              held = 0;
              header(block, 0, position + at);
            }
            break;
          }
          case 'special': {
            const part = Math.min(special.bytes.length - special.used, chunk.length - at);
            chunk.copy(special.bytes, special.used, at, at + part);
            special.used += part;
            at += part;
            if (special.used === special.bytes.length) finishSpecial();
            break;
          }
          case 'content': {
            const part = Math.min(left, chunk.length - at);
            handler.content?.(chunk.subarray(at, at + part), member!);
            left -= part;
            at += part;
            if (left > 0) break;
            handler.end?.(member!);
            left = padding(member!.size);
            state = left > 0 ? 'padding' : 'header';
            break;
          }
          case 'padding': {
            const part = Math.min(left, chunk.length - at);
            left -= part;
            at += part;
            if (left === 0) state = 'header';
            break;
          }
        }
      }
      position += chunk.length;
    },
    end() {
      // A tar may lack its end mark, and the padding of its last member.
      if (state === 'ended' || (state === 'header' && held === 0) || (state === 'padding' && special.used === 0)) return;
      const where = state === 'content' ? `, within ${quote(member!.path)}, ${left} bytes short` : '';
      throw malformed(`it ends after ${position} bytes${where}`);
    },
  };
}

function metadataOf({ path, link, xattrs }: TarMember): number {
  let bytes = path.length + (link?.length ?? 0);
  for (const name in xattrs) bytes += name.length + xattrs[name]!.length;
  return bytes;
}

/** A tar that breaks the rules. */
export function malformed(why: string): SiruError {
  return new SiruError('LAYER', `the tar is malformed: ${why}`, {
    hint: 'It was damaged on the way, or made by a program with a fault or with bad intent.',
  });
}

function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path);
}

function isZero(bytes: Buffer, at: number): boolean {
  if (bytes[at] !== 0) return false;
  for (let i = at + 1; i < at + blockSize; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** A text field that ends with a NUL or with the field. */
function text(bytes: Buffer, at: number, length: number): string {
  let end = at;
  while (end < at + length && bytes[end] !== 0) end++;
  return decodePath(bytes, at, end);
}

/** Name and, in POSIX tars, its prefix. In GNU's form other things stand in the prefix's place. */
function nameOf(bytes: Buffer, at: number): string {
  const name = text(bytes, at, 100);
  if (bytes[at + 345] === 0 || bytes.toString('latin1', at + 257, at + 263) !== 'ustar\0') return name;
  const star = bytes.toString('latin1', at + 508, at + 512) === 'tar\0';
  return `${text(bytes, at + 345, star ? 131 : 155)}/${name}`;
}

/**
 * A path of a tar, relative to the root: without slashes at its ends, empty parts and `.`. Throws LAYER for `..`, which no
 * honest tar needs, and for what no system takes.
 */
function cleanPath(raw: string): string {
  if (raw.length > longestPath) throw malformed(`a path of ${raw.length} bytes is longer than any system takes`);
  if (raw.includes('\0')) throw malformed(`a path holds a NUL: ${quote(raw)}`);
  if (!/^\/|\/\/|\/$|^\.\.?(?:\/|$)|\/\.\.?(?:\/|$)/.test(raw)) return raw;
  const parts: string[] = [];
  for (const part of raw.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw malformed(`a path would leave the root: ${quote(raw)}`);
  }
  return parts.join('/');
}
