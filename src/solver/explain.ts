/** Why a step was not reused: its named parts beside those that the same place had before. Pure. */
import type { Entry } from '../layer/entry.ts';
import type { KeyPart } from '../store/store.ts';
import type { Reason } from './step.ts';

/** Gives the entries of a listing (KeyPart.listing), sorted by path, or undefined when it was collected. */
export type ReadListing = (digest: string) => Iterable<Entry> | undefined;

/**
 * The changes from `before` to `after`, the likeliest cause first: the instruction itself, then what it reads, then its
 * surroundings, and last what it stands on, which is only a consequence of a miss further up.
 */
export function explainMiss(before: readonly KeyPart[], after: readonly KeyPart[], readListing: ReadListing): Reason[] {
  const old = new Map(before.map((part) => [part.name, part]));
  const reasons: Reason[] = [];
  for (const part of after) {
    const previous = old.get(part.name);
    old.delete(part.name);
    if (previous?.value === part.value) continue;
    reasons.push(...reasonsOf(part.name, previous, part, readListing));
  }
  for (const part of old.values()) reasons.push(...reasonsOf(part.name, part, undefined, readListing));
  return reasons.sort((a, b) => rank(a.part) - rank(b.part));
}

function rank(part: string): number {
  if (part === 'instruction' || part === 'command') return 0;
  if (part.startsWith('files')) return 1;
  if (part === 'parent') return 9;
  if (asksBelow(part)) return 8;
  return 2;
}

/** Parts that are answers of the layers below: when they change, something below did. */
export function asksBelow(part: string): boolean {
  return part === 'parent' || /^(?:destination|directory|user|group) ./.test(part);
}

function reasonsOf(part: string, before: KeyPart | undefined, after: KeyPart | undefined, readListing: ReadListing): Reason[] {
  if (before?.listing && after?.listing) {
    const old = readListing(before.listing);
    const now = readListing(after.listing);
    const changes = old && now ? compareListings(old, now) : [];
    if (changes.length > 0) return changes.map((change) => ({ part, ...change }));
    return [{ part, before: before.value, after: after.value, text: `${part} changed` }];
  }
  const reason: Reason = { part, text: textOf(part, before?.value, after?.value) };
  if (before) reason.before = before.value;
  if (after) reason.after = after.value;
  return [reason];
}

function textOf(part: string, before: string | undefined, after: string | undefined): string {
  if (part === 'parent') return 'what it stands on changed';
  if (part === 'command' || part === 'instruction') return 'the instruction changed';
  const old = membersOf(before);
  const now = membersOf(after);
  if (before === undefined) return now ? `${part} is new` : `${part} ${brief(after!)} is new`;
  if (after === undefined) return old ? `${part} is gone` : `${part} ${brief(before)} is gone`;
  if (old && now) return `${part}: ${memberChanges(old, now).join(', ')}`;
  return `${part} ${brief(before)} -> ${brief(after)}`;
}

/** The members of a value that is a JSON object, each as text. */
function membersOf(value: string | undefined): Map<string, string> | undefined {
  if (!value?.startsWith('{')) return undefined;
  try {
    const members = Object.entries(JSON.parse(value) as object);
    return new Map(members.map(([name, member]) => [name, typeof member === 'string' ? member : name === 'mode' ? Number(member).toString(8).padStart(4, '0') : JSON.stringify(member)]));
  } catch {
    return undefined; // any text may begin so
  }
}

function memberChanges(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    return old === now ? [] : [textOf(name, old, now)];
  });
}

/** A value short enough for a line: digests by their first 12 digits, long texts cut, control characters escaped. */
function brief(value: string): string {
  const digest = /^sha256:([0-9a-f]{12})[0-9a-f]{52}$/.exec(value);
  if (digest) return digest[1]!;
  const shown = value.length > 60 ? `${value.slice(0, 57)}...` : value;
  return shown === '' || /[\s\p{Cc}]/u.test(shown) ? JSON.stringify(shown) : shown;
}

/** A change of a file, before it is known which part of a key it belongs to. */
export type FileChange = Omit<Reason, 'part'>;

/** Walks two sorted lists of entries side by side and tells each difference that counts for a key. */
export function compareListings(before: Iterable<Entry>, after: Iterable<Entry>): FileChange[] {
  const changes: FileChange[] = [];
  const old = before[Symbol.iterator]();
  const now = after[Symbol.iterator]();
  let a = old.next();
  let b = now.next();
  while (!a.done || !b.done) {
    if (!a.done && (b.done || a.value.path < b.value.path)) {
      changes.push({ ...described(a.value, 'before'), what: 'removed', path: a.value.path, text: `${shownPath(a.value)} is gone` });
      a = old.next();
    } else if (!b.done && (a.done || b.value.path < a.value.path)) {
      changes.push({ ...described(b.value, 'after'), what: 'added', path: b.value.path, text: `${shownPath(b.value)} is new` });
      b = now.next();
    } else if (!a.done && !b.done) {
      changes.push(...compareEntries(a.value, b.value));
      a = old.next();
      b = now.next();
    }
  }
  return changes;
}

const shownPath = ({ path }: Entry): string => (path === '' ? '.' : path);
const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/** What an entry that is on one side alone is: its content, or its type. */
function described({ digest, type }: Entry, side: 'before' | 'after'): Partial<FileChange> {
  return { [side]: digest ?? type };
}

/** The ways in which two entries of one path differ, the weightiest first. */
function compareEntries(before: Entry, after: Entry): FileChange[] {
  const path = shownPath(after);
  const at = { path: after.path };
  if (before.type !== after.type) return [{ ...at, what: 'type', before: before.type, after: after.type, text: `${path} was a ${before.type}, is a ${after.type}` }];
  const changes: FileChange[] = [];
  if (before.digest !== after.digest || before.size !== after.size) {
    changes.push({ ...at, what: 'content', before: before.digest, after: after.digest, text: `${path} changed` });
  }
  if (before.link !== after.link) changes.push({ ...at, what: 'link', before: before.link, after: after.link, text: `${path} links to ${after.link} instead of ${before.link}` });
  if (before.mode !== after.mode) {
    const [old, now] = [octal(before.mode), octal(after.mode)];
    changes.push({ ...at, what: 'mode', before: old, after: now, text: `mode of ${path} ${old} -> ${now}` });
  }
  if (before.uid !== after.uid || before.gid !== after.gid) {
    const [old, now] = [`${before.uid}:${before.gid}`, `${after.uid}:${after.gid}`];
    changes.push({ ...at, what: 'owner', before: old, after: now, text: `owner of ${path} ${old} -> ${now}` });
  }
  if ((before.xattrs || after.xattrs) && xattrText(before) !== xattrText(after)) changes.push({ ...at, what: 'attributes', text: `extended attributes of ${path} changed` });
  return changes;
}

function xattrText(entry: Entry): string {
  return Object.entries(entry.xattrs ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${Buffer.from(value).toString('base64')}`)
    .join();
}
