/** Reads the binary table of contents of a layer without parsing it as a whole; see toc-format.ts for the form. */
import type { Entry, LayerSummary } from './entry.ts';
import type { Toc } from './toc-contract.ts';
import { Cursor, damaged } from './toc-cursor.ts';
import { headerSize, magic, perBlock, version } from './toc-format.ts';

export { createTocBuilder, encodeToc, type TocBuilder } from './toc-write.ts';

/**
 * Opens a table of contents. The bytes must not change afterwards. Throws STORE when they are no table, or were cut or
 * damaged; damage inside is found, if it shows at all, when the entries there are read.
 */
export function openToc(bytes: Uint8Array): Toc {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < headerSize || buffer.toString('latin1', 0, 7) !== magic) throw damaged('it does not begin as one');
  if (buffer[7] !== version) throw damaged(`version ${buffer[7]}, not ${version}`);
  const count = buffer.readUInt32LE(8);
  const blocks = buffer.readUInt32LE(12);
  const index = buffer.readUInt32LE(16);
  const end = buffer.readUInt32LE(20);
  if (end !== buffer.length || index < headerSize || index + blocks * 4 !== end || blocks !== Math.ceil(count / perBlock)) {
    throw damaged('its sizes do not fit together');
  }
  const summary: LayerSummary = {
    diffId: `sha256:${buffer.toString('hex', 48, 80)}`,
    size: buffer.readDoubleLE(32),
    treeDigest: `sha256:${buffer.toString('hex', 80, 112)}`,
    entries: count,
  };
  if (buffer[24] === 1) summary.newest = buffer.readDoubleLE(40);

  const startOf = (block: number): number => {
    const start = buffer.readUInt32LE(index + block * 4);
    if (start < headerSize || start >= index) throw damaged('a block begins outside');
    return start;
  };
  const cursorAt = (block: number): Cursor => new Cursor(buffer, startOf(block), index);

  /** For the search alone. */
  const probe = new Cursor(buffer, headerSize, index);
  /** The first path of a block. */
  const firstPath = (block: number): string => {
    probe.jump(startOf(block));
    probe.readPath();
    return probe.path;
  };

  /** Position just before the first entry whose path is not less than `path`: the entry itself, and what follows. */
  function* from(path: string): Generator<Entry, undefined> {
    // The last block whose first path is <= path holds it, or the entry is the first of the next block.
    let low = 0;
    let high = blocks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (firstPath(middle) <= path) low = middle + 1;
      else high = middle;
    }
    let block = Math.max(0, low - 1);
    let found = path === '';
    let before: string | undefined;
    for (; block < blocks; block++) {
      const cursor = cursorAt(block);
      const here = Math.min(perBlock, count - block * perBlock);
      for (let i = 0; i < here; i++) {
        cursor.readPath();
        if (!found && cursor.path < path) {
          cursor.readFields();
          continue;
        }
        found = true;
        // Searches go on from what they found; without this they could go round in a damaged table.
        if (before !== undefined && cursor.path <= before) throw damaged('its paths do not ascend');
        before = cursor.path;
        cursor.readFields();
        yield cursor.entry();
      }
    }
    return undefined;
  }

  function lookup(path: string): Entry | undefined {
    for (const entry of from(path)) return entry.path === path ? entry : undefined;
    return undefined;
  }

  function* below(path: string): Generator<Entry, undefined> {
    if (path === '') {
      for (const entry of from('')) if (entry.path !== '') yield entry;
      return undefined;
    }
    const prefix = `${path}/`;
    for (const entry of from(prefix)) {
      if (!entry.path.startsWith(prefix)) return undefined;
      yield entry;
    }
    return undefined;
  }

  function* children(path: string): Generator<Entry, undefined> {
    const prefix = path === '' ? '' : `${path}/`;
    let start: string | undefined = prefix;
    while (start !== undefined) {
      let next: string | undefined;
      for (const entry of from(start)) {
        if (!entry.path.startsWith(prefix)) return undefined;
        const slash = entry.path.indexOf('/', prefix.length);
        if (slash < 0) {
          if (entry.path !== path) yield entry;
        } else {
          // All that lies below a subdirectory is contiguous, and '0' comes right after '/'.
          next = `${entry.path.slice(0, slash)}0`;
          break;
        }
      }
      start = next;
    }
    return undefined;
  }

  return { summary, bytes: buffer, lookup, children, below, from, [Symbol.iterator]: () => from('') };
}
