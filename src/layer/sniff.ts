/** What kind of archive some bytes begin. */
import { blockSize, checksums } from './tar-header.ts';

export type ArchiveKind = 'gzip' | 'zstd' | 'bzip2' | 'xz' | 'tar';

const marks: [ArchiveKind, readonly number[]][] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/**
 * By the first bytes (512 to know a tar): a compression, an uncompressed tar, or undefined. What a compression holds is
 * not known before it is opened.
 */
export function sniffCompression(bytes: Uint8Array): ArchiveKind | undefined {
  for (const [kind, mark] of marks) if (mark.every((byte, i) => bytes[i] === byte)) return kind;
  if (isSkippable(bytes)) return 'zstd';
  return isTar(bytes) ? 'tar' : undefined;
}

/** Skippable frames, which zstd:chunked and seekable tools put first: 0x184D2A50 to 5F. */
function isSkippable(bytes: Uint8Array): boolean {
  return (bytes[0]! & 0xf0) === 0x50 && bytes[1] === 0x2a && bytes[2] === 0x4d && bytes[3] === 0x18;
}

/** A header with a right checksum; the word `ustar` is missing in old tars. */
function isTar(bytes: Uint8Array): boolean {
  if (bytes.length < blockSize || bytes[0] === 0) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + 148, 8).toString('latin1');
  const digits = /^[ \0]*([0-7]+)[ \0]*$/.exec(text)?.[1];
  if (digits === undefined) return false;
  const { unsigned, signed } = checksums(bytes);
  const sum = Number.parseInt(digits, 8);
  return sum === unsigned || sum === signed;
}
