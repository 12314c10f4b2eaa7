/** Random layers for property tests: sorted lists of entries as contexts, tars and overlay directories give them. */
import fc from 'fast-check';
import type { Entry, EntryType } from './entry.ts';

const special = ['a', 'a-b', 'a.c', 'a0', 'ü', '日本', '😀', '\udcff', 'x\udc80y', 'b', 'UPPER', ' ', '\n', 'n'.repeat(120), '-', '..a'];

export const nameArbitrary: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...special) },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 12 }).map((text) => text.replace(/[/\0]/g, '_')).filter((text) => text !== '.' && text !== '..' && !text.startsWith('.wh.')) },
);

export const pathArbitrary: fc.Arbitrary<string> = fc.array(nameArbitrary, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));

const xattrsArbitrary: fc.Arbitrary<Record<string, Uint8Array> | undefined> = fc.option(
  fc.dictionary(
    fc.constantFrom('user.a', 'user.b', 'security.capability', 'user.ü'),
    fc.uint8Array({ maxLength: 40 }).map((bytes): Uint8Array => Buffer.from(bytes)),
    { minKeys: 1, noNullPrototype: true },
  ),
  { nil: undefined, freq: 4 },
);

/** Bytes of a file, mostly short. */
export function contentOf(entry: Entry): Buffer {
  return Buffer.alloc(entry.size, `${entry.path}\n`);
}

export interface ArbitraryOptions {
  /** Types that may occur. */
  types?: EntryType[];
  /** With digests and offsets, as in a table of contents. */
  table?: boolean;
  /** Largest id and whether times may lie before 1970. */
  plain?: boolean;
}

/** A sorted list without duplicates. Parents may be missing; what lies below an entry that is no directory is left out. */
export function entriesArbitrary(options: ArbitraryOptions = {}): fc.Arbitrary<Entry[]> {
  const { types = ['file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo', 'whiteout'], table = true, plain = false } = options;
  const id = plain ? fc.integer({ min: 0, max: 60000 }) : fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4294967294 }));
  const mtime = plain ? fc.integer({ min: 0, max: 2 ** 31 }) : fc.oneof(fc.constant(1700000000), fc.integer({ min: -(2 ** 33), max: 2 ** 34 }));
  const one = fc.record({
    path: pathArbitrary,
    type: fc.constantFrom(...types, 'dir' as const, 'dir' as const),
    mode: fc.oneof(fc.constant(0o644), fc.integer({ min: 0, max: 0o7777 })),
    uid: id,
    gid: id,
    size: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })),
    mtime,
    link: fc.oneof(pathArbitrary, fc.constantFrom('../x', '/etc', 'l'.repeat(150), '.')),
    xattrs: xattrsArbitrary,
    digest: fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 64, maxLength: 64 }),
    offset: fc.integer({ min: 0, max: 2 ** 40 }),
    major: fc.integer({ min: 0, max: 4095 }),
    minor: fc.integer({ min: 0, max: 1048575 }),
    opaque: fc.boolean(),
  });
  return fc.array(one, { maxLength: 40 }).map((list) => {
    const byPath = new Map<string, Entry>();
    for (const raw of list) {
      const entry: Entry = { path: raw.path, type: raw.type, mode: raw.mode, uid: raw.uid, gid: raw.gid, size: 0, mtime: raw.mtime };
      if (entry.type === 'whiteout') entry.mode = entry.uid = entry.gid = entry.mtime = 0;
      if (entry.type === 'file') {
        entry.size = raw.size;
        if (table) {
          entry.digest = `sha256:${raw.digest.map((digit) => digit.toString(16)).join('')}`;
          entry.offset = raw.offset;
        }
      }
      if (entry.type === 'symlink' || entry.type === 'hardlink') entry.link = raw.link;
      if (raw.xattrs && entry.type !== 'whiteout') entry.xattrs = raw.xattrs;
      if (entry.type === 'char' || entry.type === 'block') Object.assign(entry, { major: raw.major, minor: raw.minor });
      if (entry.type === 'dir' && raw.opaque) entry.opaque = true;
      byPath.set(entry.path, entry);
    }
    const sorted = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    return sorted.filter(({ path }) => {
      for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
        const above = byPath.get(path.slice(0, at));
        if (above && above.type !== 'dir') return false;
      }
      return true;
    });
  });
}
