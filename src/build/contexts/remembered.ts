/**
 * What steps found in a directory, remembered between builds beside its stat table: the digest of the listing of a COPY, for
 * one. It is told again when all that the step looked at is as it was: each path that it looked up has the same entry, and
 * each directory that it went through shows what the table has.
 */
import type { Digest } from '../../oci/digest.ts';
import type { KeyPart } from '../../store/store.ts';
import type { FileFound, Kept, Walk } from './directory-walk.ts';

export interface Remembered {
  /** Key parts beside the listing. */
  parts: KeyPart[];
  /** Digest of the listing. */
  files: Digest;
}

export interface TreeMemory {
  /** What was kept under this key, if it would be found again. */
  recall(key: string): Remembered | undefined;
  /** Notes what is looked at. */
  watch<T>(look: () => T): { value: T; seen: Seen };
  keep(key: string, seen: Seen, remembered: Remembered): void;
}

/** What was looked at: paths, found or not, and directories. */
export interface Seen {
  paths: Set<string>;
  directories: Set<string>;
}

interface Answer extends Remembered {
  key: string;
  /** Each path with its entry as a text. */
  paths: [string, string][];
  directories: string[];
}

/** Most answers of one directory that are kept; the last that were used first. */
const mostAnswers = 200;
/** Most characters of all of them. */
const mostText = 8 * 1024 * 1024;

export interface Watched extends TreeMemory {
  /** What the walk says, noted when somebody watches. */
  lookup: (path: string) => FileFound | undefined;
  children: (path: string) => FileFound[];
  /** What goes with the new table. */
  text(kept: Kept): string;
}

/** `text` is what text() gave for the table that the walk knows. */
export function createMemory(walk: Walk, text: () => string): Watched {
  let watching: Seen | undefined;
  let answers: Map<string, Answer> | undefined;
  const fresh = new Set<string>();
  const all = (): Map<string, Answer> => (answers ??= read(text()));

  /** Undefined for an entry of which not all is known by its row. */
  function describe(found: FileFound | undefined): string | undefined {
    if (!found) return '';
    const { entry, inode } = found;
    const { type, mode, size, link, xattrs } = entry;
    const digest = type === 'file' ? walk.digestOf(found) : undefined;
    if (xattrs || (type === 'file' && digest === undefined)) return undefined;
    return JSON.stringify([type, mode, size, link ?? '', digest ?? '', inode ?? '']);
  }

  return {
    lookup(path) {
      watching?.paths.add(path);
      return walk.lookup(path);
    },
    children(path) {
      watching?.directories.add(path);
      return walk.children(path);
    },
    watch(look) {
      const outer = watching;
      watching = { paths: new Set(), directories: new Set() };
      try {
        const value = look();
        return { value, seen: watching };
      } finally {
        watching = outer;
      }
    },
    recall(key) {
      const answer = all().get(key);
      if (!answer || fresh.has(key)) return undefined;
      for (const [path, entry] of answer.paths) if (describe(walk.lookup(path)) !== entry) return undefined;
      for (const path of answer.directories) if (!walk.unchanged(path)) return undefined;
      const { parts, files } = answer;
      // The last that was used is the last one in the map.
      all().delete(key);
      all().set(key, answer);
      return { parts, files };
    },
    keep(key, { paths, directories }, remembered) {
      const described: [string, string][] = [];
      for (const path of paths) {
        const entry = describe(walk.lookup(path));
        if (entry === undefined) return;
        described.push([path, entry]);
      }
      all().delete(key);
      all().set(key, { key, paths: described, directories: [...directories].sort(), ...remembered });
      fresh.add(key);
      walk.noteNews();
    },
    text({ whole, same }) {
      const kept: string[] = [];
      let length = 0;
      for (const answer of [...all().values()].reverse()) {
        const valid = fresh.has(answer.key) ? whole : same;
        if (!answer.directories.every((path) => valid.has(path))) continue;
        const line = JSON.stringify(answer);
        if (kept.length === mostAnswers || (length += line.length) > mostText) break;
        kept.push(line);
      }
      return `[${kept.reverse().join(',')}]`;
    },
  };
}

function read(text: string): Map<string, Answer> {
  try {
    return new Map((JSON.parse(text) as Answer[]).map((answer) => [answer.key, answer]));
  } catch {
    return new Map(); // only time depends on it
  }
}
