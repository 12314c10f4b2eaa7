/**
 * Digests of a build context, remembered between builds: what `lstat` said of a file when it was hashed, and the digest.
 * One binary file per context directory.
 *
 * A row may be trusted only when no change can have gone unnoticed, so rows are kept only for files that were *settled*:
 * their ctime and mtime were older than the moment they were looked at by more than the file system's clock can hide (see
 * `isSettled`). A later change then must give another ctime, which no program can set. The others are hashed again by the
 * next build. (git calls such entries racy.) What no stat table sees is a program that keeps writing through a memory map
 * to a page that was dirty before.
 *
 *     0   "SIRUSTAT", u32 version, u32 number of directories, u32 number of rows, u32 bytes of the names
 *     24  SHA-256 of all that follows
 *     56  digest of the rules that say what is shown
 *     88  u32 bytes of the answers, u32 0
 *     96  per directory: u32 first row, u32 number of rows, u32 1 when the rows are all that it shows
 *     ..  per row: 6 f64: device, inode, size, mtime and ctime in milliseconds, mode (from a multiple of 8)
 *     ..  per row: 32 bytes of digest
 *     ..  per row: u8 flags
 *     ..  paths of the directories, then names of the rows, each followed by NUL
 *     ..  answers (see remembered.ts), as JSON
 */
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { decodePath, encodePath } from '../../layer/path-bytes.ts';

const magic = 'SIRUSTAT';
const version = 2;
const hashedFrom = 56;
const headerSize = 96;
const directorySize = 12;
export const columns = 6;

export const rowFlags: { readonly digest: number; readonly noXattrs: number; readonly names: number } = {
  /** The digest is known. */
  digest: 1,
  /** The file was asked for extended attributes and has none. Setting one changes the ctime. */
  noXattrs: 2,
  /** The file has several names. Giving it another one changes the ctime. */
  names: 4,
};

/** Rows as they are in memory and in the file. */
export interface StatRows {
  numbers: Float64Array;
  digests: Buffer;
  flags: Uint8Array;
}

export interface StatTable extends StatRows {
  /** Where the rows of a directory stand; their names ascend. `whole`: they are all that it shows, as long as its own row is the same. */
  directories: Map<string, { start: number; count: number; whole: boolean }>;
  /** Name of each row, from `firstName` on. */
  names: string[];
  firstName: number;
  /** Hexadecimal digest of the rules that were in force. */
  rules: string;
  /** Written as it came; '' for none. */
  answers(): string;
}

/** True when the row stands for the same file in the same state. */
export function sameStat(table: StatRows, row: number, stat: Stats): boolean {
  const { numbers } = table;
  const at = row * columns;
  return (
    numbers[at + 4] === stat.ctimeMs &&
    numbers[at + 3] === stat.mtimeMs &&
    numbers[at + 2] === stat.size &&
    numbers[at + 1] === stat.ino &&
    numbers[at] === stat.dev &&
    numbers[at + 5] === stat.mode
  );
}

/** The same for the columns of a row. */
export function sameNumbers({ numbers }: StatRows, row: number, values: Float64Array): boolean {
  const at = row * columns;
  // What a change alters comes first.
  return numbers[at + 4] === values[4] && numbers[at + 3] === values[3] && numbers[at + 2] === values[2] && numbers[at + 1] === values[1] && numbers[at] === values[0] && numbers[at + 5] === values[5];
}

/** Margin in milliseconds on file systems whose clock is the kernel's (it ticks at least every 10 ms). */
const fineMargin = 100;
/** Margin elsewhere: FAT counts in 2 seconds, servers' clocks differ a little. */
const coarseMargin = 2500;

/**
 * Whether a file that was looked at at the time `looked` (milliseconds) can be trusted to get another ctime by any later
 * change. `fine` says that the file system is local and takes its times from the kernel's clock; a ctime on the full
 * second is taken for a coarse one all the same. Times in the future are never settled.
 */
export function isSettled(mtimeMs: number, ctimeMs: number, looked: number, fine: boolean): boolean {
  const margin = fine && ctimeMs % 1000 !== 0 ? fineMargin : coarseMargin;
  return ctimeMs < looked - margin && mtimeMs < looked - margin;
}

/** A table from its file; undefined when there is none or it is damaged. */
export function readStatTable(file: string): StatTable | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return undefined;
  }
  if (bytes.length < headerSize || bytes.toString('latin1', 0, 8) !== magic || bytes.readUInt32LE(8) !== version) return undefined;
  const directoryCount = bytes.readUInt32LE(12);
  const rowCount = bytes.readUInt32LE(16);
  const nameBytes = bytes.readUInt32LE(20);
  const places = layOut(directoryCount, rowCount, nameBytes);
  if (places.end + bytes.readUInt32LE(88) !== bytes.length) return undefined;
  if (!hash('sha256', bytes.subarray(hashedFrom), 'buffer').equals(bytes.subarray(24, hashedFrom))) return undefined;
  const names = nameBytes === 0 ? [] : decodePath(bytes, places.names, places.end - 1).split('\0');
  if (names.length !== directoryCount + rowCount) return undefined;
  const directories: StatTable['directories'] = new Map();
  for (let i = 0; i < directoryCount; i++) {
    const at = headerSize + i * directorySize;
    const start = bytes.readUInt32LE(at);
    const count = bytes.readUInt32LE(at + 4);
    if (start + count > rowCount) return undefined;
    directories.set(names[i]!, { start, count, whole: bytes.readUInt32LE(at + 8) === 1 });
  }
  const digests = bytes.subarray(places.digests, places.flags);
  return {
    numbers: numbersIn(bytes, places.numbers, rowCount * columns),
    digests,
    flags: bytes.subarray(places.flags, places.names),
    directories,
    names,
    firstName: directoryCount,
    rules: bytes.toString('hex', hashedFrom, hashedFrom + 32),
    answers: () => bytes.toString('utf8', places.end),
  };
}

/** The numbers without a copy where their place allows it. */
function numbersIn(bytes: Buffer, at: number, count: number): Float64Array {
  const place = bytes.byteOffset + at;
  if (place % 8 === 0) return new Float64Array(bytes.buffer, place, count);
  return new Float64Array(bytes.buffer.slice(place, place + count * 8));
}

function layOut(directories: number, rows: number, nameBytes: number): { numbers: number; digests: number; flags: number; names: number; end: number } {
  const numbers = Math.ceil((headerSize + directories * directorySize) / 8) * 8;
  const digests = numbers + rows * columns * 8;
  const flags = digests + rows * 32;
  const names = flags + rows;
  return { numbers, digests, flags, names, end: names + nameBytes };
}

/** Rows of one directory that are to be kept: `rows[i]` of `from[i]` under the name `names[i]`, ascending. */
export interface KeptDirectory {
  path: string;
  whole: boolean;
  names: string[];
  from: StatRows[];
  rows: number[];
}

/** Writes a table, whole or not at all. `temporary` is a path on the same file system. */
export function writeStatTable(file: string, temporary: string, kept: readonly KeptDirectory[], { rules, answers }: { rules: string; answers: string }): void {
  const rowCount = kept.reduce((sum, { rows }) => sum + rows.length, 0);
  const lists = [kept.map(({ path }) => path), ...kept.map(({ names }) => names)].filter((list) => list.length > 0);
  const text = Buffer.concat(lists.map((list) => encodePath(`${list.join('\0')}\0`)));
  const places = layOut(kept.length, rowCount, text.length);
  const answered = Buffer.from(answers, 'utf8');
  const bytes = Buffer.alloc(places.end + answered.length);
  const numbers = new Float64Array(rowCount * columns);
  let row = 0;
  for (const [i, { from: tables, rows, whole }] of kept.entries()) {
    const at = headerSize + i * directorySize;
    bytes.writeUInt32LE(row, at);
    bytes.writeUInt32LE(rows.length, at + 4);
    bytes.writeUInt32LE(whole ? 1 : 0, at + 8);
    for (const [j, source] of rows.entries()) {
      const from = tables[j]!;
      for (let c = 0; c < columns; c++) numbers[row * columns + c] = from.numbers[source * columns + c]!;
      from.digests.copy(bytes, places.digests + row * 32, source * 32, source * 32 + 32);
      bytes[places.flags + row] = from.flags[source]!;
      row++;
    }
  }
  Buffer.from(numbers.buffer).copy(bytes, places.numbers);
  text.copy(bytes, places.names);
  answered.copy(bytes, places.end);
  bytes.write(rules, hashedFrom, 'hex');
  bytes.writeUInt32LE(answered.length, 88);
  bytes.write(magic, 0, 'latin1');
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(kept.length, 12);
  bytes.writeUInt32LE(rowCount, 16);
  bytes.writeUInt32LE(text.length, 20);
  hash('sha256', bytes.subarray(hashedFrom), 'buffer').copy(bytes, 24);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(temporary, bytes);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Rows that grow. */
export interface GrowingRows extends StatRows {
  /** Adds a row without digest and returns its number. */
  add(stat: Stats): number;
}

export function createRows(): GrowingRows {
  let count = 0;
  const rows: GrowingRows = {
    numbers: new Float64Array(columns * 256),
    digests: Buffer.alloc(32 * 256),
    flags: new Uint8Array(256),
    add(stat) {
      if (count === rows.flags.length) {
        const { numbers, digests, flags } = rows;
        rows.numbers = new Float64Array(numbers.length * 2);
        rows.numbers.set(numbers);
        rows.digests = Buffer.alloc(digests.length * 2);
        rows.digests.set(digests);
        rows.flags = new Uint8Array(flags.length * 2);
        rows.flags.set(flags);
      }
      const at = count * columns;
      const { numbers } = rows;
      numbers[at] = stat.dev;
      numbers[at + 1] = stat.ino;
      numbers[at + 2] = stat.size;
      numbers[at + 3] = stat.mtimeMs;
      numbers[at + 4] = stat.ctimeMs;
      numbers[at + 5] = stat.mode;
      return count++;
    },
  };
  return rows;
}
