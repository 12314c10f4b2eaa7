/**
 * The fixed form of tar: field places, numbers and checksums of the 512-byte header. The same for reading and writing.
 */
import { SiruError } from '../base/errors.ts';

export const blockSize = 512;

/** Type letters. */
export const typeFlag = {
  file: 0x30, // '0'
  hardlink: 0x31,
  symlink: 0x32,
  char: 0x33,
  block: 0x34,
  dir: 0x35,
  fifo: 0x36,
  contiguous: 0x37,
  pax: 0x78, // 'x'
  paxGlobal: 0x67, // 'g'
  gnuLongName: 0x4c, // 'L'
  gnuLongLink: 0x4b, // 'K'
  gnuSparse: 0x53, // 'S'
} as const;

/** Prefix of PAX records that carry extended attributes. */
export const xattrPrefix = 'SCHILY.xattr.';

/** Bytes from the end of `size` bytes to the next whole block. */
export function padding(size: number): number {
  const rest = size % blockSize;
  return rest === 0 ? 0 : blockSize - rest;
}

/** Sum of the header's bytes with the checksum field taken as blanks; some old programs added signed bytes. */
export function checksums(block: Uint8Array, at = 0): { unsigned: number; signed: number } {
  let unsigned = 0;
  let high = 0;
  for (let i = at; i < at + blockSize; i++) {
    const byte = block[i]!;
    unsigned += byte;
    high += byte >>> 7;
  }
  for (let i = at + 148; i < at + 156; i++) {
    unsigned += 32 - block[i]!;
    high -= block[i]! >>> 7;
  }
  return { unsigned, signed: unsigned - 256 * high };
}

/**
 * A number field: octal text, or base 256 when the first bit is set (GNU). Throws LAYER when it is neither, or too large
 * to be exact.
 */
export function parseNumber(block: Uint8Array, at: number, length: number, what: string): number {
  const lead = block[at]!;
  if (lead & 0x80) {
    // Two's complement, big endian; the first bit only marks the form, the second is the sign.
    let value = lead & 0x40 ? (lead & 0x7f) - 0x80 : lead & 0x7f;
    for (let i = at + 1; i < at + length; i++) value = value * 256 + block[i]!;
    if (!Number.isSafeInteger(value)) throw new SiruError('LAYER', `a tar header has a ${what} that is too large`);
    return value;
  }
  let i = at;
  const end = at + length;
  while (i < end && (block[i] === 32 || block[i] === 0)) i++;
  let value = 0;
  for (; i < end; i++) {
    const digit = block[i]! - 48;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < end; i++) {
    if (block[i] !== 32 && block[i] !== 0) throw new SiruError('LAYER', `a tar header has a ${what} that is no number`);
  }
  if (!Number.isSafeInteger(value)) throw new SiruError('LAYER', `a tar header has a ${what} that is too large`);
  return value;
}

/** Whether a number fits an octal field of `length` bytes with its closing NUL. */
export function fitsOctal(value: number, length: number): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

/** Writes octal digits and a NUL; what does not fit is written as 0, because a PAX record says it. */
export function writeOctal(block: Uint8Array, at: number, length: number, value: number): void {
  let rest = fitsOctal(value, length) ? value : 0;
  let i = at + length - 1;
  block[i--] = 0;
  // Bit operations as long as 32 bits are enough.
  while (rest > 0x7fffffff) {
    block[i--] = 48 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
  for (; i >= at; i--) {
    block[i] = 48 + (rest & 7);
    rest >>>= 3;
  }
}
