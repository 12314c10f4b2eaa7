/**
 * Names as strings and as bytes. UTF-8 is decoded; each byte that is not part of valid UTF-8 becomes a lone surrogate,
 * U+DC00 plus the byte (Python's "surrogateescape"), so that every name survives the round trip.
 */
import { isUtf8 } from 'node:buffer';

/** Bytes to a string. */
export function decodePath(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  const part = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  if (isUtf8(part)) return part.toString('utf8');
  let text = '';
  let at = 0;
  while (at < part.length) {
    const length = sequenceLength(part, at);
    if (length === 0) text += String.fromCharCode(0xdc00 + part[at++]!);
    else {
      text += part.toString('utf8', at, at + length);
      at += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence that begins at `at`, or 0. */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  return length > 0 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

/** A string to bytes. */
export function encodePath(path: string): Buffer {
  if (path.isWellFormed()) return Buffer.from(path, 'utf8');
  const pieces: Buffer[] = [];
  let start = 0;
  for (let at = 0; at < path.length; at++) {
    const unit = path.charCodeAt(at);
    if (unit >= 0xd800 && unit < 0xdc00 && (path.charCodeAt(at + 1) & 0xfc00) === 0xdc00) at++; // a pair
    else if (unit >= 0xdc80 && unit <= 0xdcff) {
      pieces.push(Buffer.from(path.slice(start, at), 'utf8'), Buffer.from([unit - 0xdc00]));
      start = at + 1;
    }
  }
  pieces.push(Buffer.from(path.slice(start), 'utf8'));
  return Buffer.concat(pieces);
}

/** A path as node:fs must be given it: the string itself, or bytes where the string holds bytes that are not UTF-8. */
export function fsPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : encodePath(path);
}
