/** Why a step was not reused: its named parts beside those that the same place had before. Pure. */
import { isSiruError } from '../base/errors.ts';
import type { Entry } from '../layer/entry.ts';
import type { Toc } from '../layer/toc-contract.ts';
import { tocDifferences } from '../layer/toc-differences.ts';
import type { KeyPart } from '../store/store.ts';
import type { Reason } from './step.ts';

/** Gives the entries of a listing (KeyPart.listing), sorted by path, or undefined when it was collected. */
export type ReadListing = (digest: string) => Toc | undefined;

/**
 * The changes from `before` to `after`, the likeliest cause first: the instruction itself, then what it reads, then its
 * surroundings, and last what it stands on, which is only a consequence of a miss further up.
 */
export function explainMiss(before: readonly KeyPart[], after: readonly KeyPart[], readListing: ReadListing): Reason[] {
  return explainChanges(before, after, readListing).reasons;
}

/** The same with at most `mostFiles` files of each part, and how many more files changed. */
export function explainChanges(before: readonly KeyPart[], after: readonly KeyPart[], readListing: ReadListing, mostFiles: number = Infinity): { reasons: Reason[]; unlisted: number } {
  const old = new Map(before.map((part) => [part.name, part]));
  const groups: { part: string; reasons: Reason[]; unlisted: number }[] = [];
  const compare = (part: string, previous: KeyPart | undefined, now: KeyPart | undefined): void => void groups.push({ part, ...reasonsOf(part, previous, now, readListing, mostFiles) });
  for (const part of after) {
    const previous = old.get(part.name);
    old.delete(part.name);
    if (previous?.value !== part.value) compare(part.name, previous, part);
  }
  for (const part of old.values()) compare(part.name, part, undefined);
  groups.sort((a, b) => rank(a.part) - rank(b.part));
  return { reasons: groups.flatMap(({ reasons }) => reasons), unlisted: groups.reduce((sum, { unlisted }) => sum + unlisted, 0) };
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

function reasonsOf(part: string, before: KeyPart | undefined, after: KeyPart | undefined, readListing: ReadListing, mostFiles: number): { reasons: Reason[]; unlisted: number } {
  if (before?.listing && after?.listing) {
    const old = readListing(before.listing);
    const now = readListing(after.listing);
    const changes = old && now && compareListings(part, old, now, mostFiles);
    if (changes && changes.reasons.length > 0) return changes;
    return { reasons: [{ part, before: before.value, after: after.value, text: `${part} changed` }], unlisted: 0 };
  }
  const reason: Reason = { part, text: textOf(part, before?.value, after?.value) };
  if (before) reason.before = before.value;
  if (after) reason.after = after.value;
  return { reasons: [reason], unlisted: 0 };
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

/** Each difference of two listings that counts for a key. A listing that is damaged tells nothing. */
function compareListings(part: string, before: Toc, after: Toc, most: number): { reasons: Reason[]; unlisted: number } | undefined {
  const reasons: Reason[] = [];
  try {
    const differences = tocDifferences(before, after, most);
    for (;;) {
      const next = differences.next();
      if (next.done) return { reasons, unlisted: next.value };
      const [old, now] = next.value;
      if (old && now) compareEntries(part, old, now, reasons);
      else if (old) reasons.push({ part, text: `${shownPath(old)} is gone`, path: old.path, what: 'removed', before: contentOf(old) });
      else if (now) reasons.push({ part, text: `${shownPath(now)} is new`, path: now.path, what: 'added', after: contentOf(now) });
    }
  } catch (error) {
    if (!isSiruError(error)) throw error;
    return undefined;
  }
}

const shownPath = ({ path }: Entry): string => (path === '' ? '.' : path);
const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
/** What an entry that is on one side alone is: its content, or its type. */
const contentOf = ({ digest, type }: Entry): string => digest ?? type;

/** Adds the ways in which two entries of one path differ, the weightiest first. A tree may differ in every file: no more objects than needed. */
function compareEntries(part: string, before: Entry, after: Entry, changes: Reason[]): void {
  const { path } = after;
  const shown = shownPath(after);
  const add = (what: Reason['what'], old: string | undefined, now: string | undefined, text: string): void => void changes.push({ part, text, path, what, before: old, after: now });
  if (before.type !== after.type) return add('type', before.type, after.type, `${shown} was a ${before.type}, is a ${after.type}`);
  if (before.digest !== after.digest || before.size !== after.size) add('content', before.digest, after.digest, `${shown} changed`);
  if (before.link !== after.link) add('link', before.link, after.link, `${shown} links to ${after.link} instead of ${before.link}`);
  if (before.mode !== after.mode) {
    const [old, now] = [octal(before.mode), octal(after.mode)];
    add('mode', old, now, `mode of ${shown} ${old} -> ${now}`);
  }
  if (before.uid !== after.uid || before.gid !== after.gid) {
    const [old, now] = [`${before.uid}:${before.gid}`, `${after.uid}:${after.gid}`];
    add('owner', old, now, `owner of ${shown} ${old} -> ${now}`);
  }
  if ((before.xattrs || after.xattrs) && xattrText(before) !== xattrText(after)) add('attributes', undefined, undefined, `extended attributes of ${shown} changed`);
}

function xattrText(entry: Entry): string {
  return Object.entries(entry.xattrs ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${Buffer.from(value).toString('base64')}`)
    .join();
}
