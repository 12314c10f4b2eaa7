/**
 * Python's compiled files say in their header how old their source was (PEP 552). When the source is set back to another
 * time, Python would compile it again at each start, and the old time would stay in the layer.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { Stats } from 'node:fs';

const headerSize = 16;

/** Name of the source of a compiled file, and whether it lies one directory up; undefined for what is none. */
export function sourceOf(name: string, directory: string): { name: string; above: boolean } | undefined {
  if (!name.endsWith('.pyc')) return undefined;
  if (directory !== '__pycache__') return { name: `${name.slice(0, -1)}`, above: false };
  // app.cpython-312.opt-1.pyc
  const module = /^(.+?)\.[A-Za-z][\w]*-?\d+[\w-]*(?:\.opt-\w+)?\.pyc$/.exec(name)?.[1];
  return module === undefined ? undefined : { name: `${module}.py`, above: true };
}

/** Writes the new time of the source into the compiled file, if what it says now is the source as it was. */
export function setSourceTime(file: string | Buffer, source: Pick<Stats, 'mtimeMs' | 'size'>, seconds: number): void {
  const fd = openSync(file, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const header = Buffer.alloc(headerSize);
    if (readSync(fd, header, 0, headerSize, 0) < headerSize) return;
    const isTimed = header[2] === 0x0d && header[3] === 0x0a && header.readUInt32LE(4) === 0;
    if (!isTimed || header.readUInt32LE(8) !== Math.floor(source.mtimeMs / 1000) % 2 ** 32 || header.readUInt32LE(12) !== source.size % 2 ** 32) return;
    header.writeUInt32LE(seconds % 2 ** 32, 8);
    writeSync(fd, header, 8, 4, 8);
  } finally {
    closeSync(fd);
  }
}
