/**
 * The binary form of a table of contents. All fixed numbers are little endian.
 *
 *     0   "SIRUTOC" and the version byte
 *     8   u32 number of entries
 *     12  u32 number of blocks
 *     16  u32 where the block index begins (records begin at 128)
 *     20  u32 where the file ends
 *     24  u8 1 if `newest` is there, 7 bytes zero
 *     32  f64 size of the tar, f64 newest
 *     48  32 bytes diff ID, 32 bytes tree digest, zero up to 128
 *
 * Records stand in blocks of 16. In a block each record shares a prefix of its path with the one before and gives mtime
 * and offset as differences; the first of a block stands for itself. The index is one u32 per block: where it begins.
 *
 * A record: u8 type | flags; path (shared length, rest); varints for mode, uid, gid unless `same`; mtime; size for a file;
 * digest (32 bytes); offset; link; xattrs (count, then name and value each with its length); major and minor. Varints are
 * LEB128; differences are zigzag.
 */
import type { EntryType } from './entry.ts';

export const magic = 'SIRUTOC';
export const version = 1;
export const headerSize = 128;
export const perBlock = 16;

export const types: readonly EntryType[] = ['file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo', 'whiteout'];
export const typeMask = 0x07;

export const flags: {
  readonly opaque: number;
  readonly digest: number;
  readonly offset: number;
  readonly xattrs: number;
  readonly same: number;
} = {
  opaque: 0x08,
  digest: 0x10,
  offset: 0x20,
  xattrs: 0x40,
  /** Mode, uid and gid are those of the record before in the block. */
  same: 0x80,
};
