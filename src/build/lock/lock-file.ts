/**
 * The lock file: what the outside sources of a build were when they were locked. One source on a line, sorted, so that a change
 * is one line of a diff and two branches merge as text does:
 *
 *     siru-lock 1
 *     platforms linux/amd64 linux/arm64
 *     image alpine:3.20 linux/amd64 sha256:...
 *     image alpine:3.20 linux/arm64 sha256:...
 *     url https://example.org/tool-1.2.tar.gz sha256:...
 *     git https://example.org/app.git#main 2f0c... refs/heads/main
 *
 * Pure. docs/lock.md tells the form, docs/decisions/0014-the-lock-file.md why it is this one.
 */
import { SiruError, isSiruError } from '../../base/errors.ts';
import { isSha256, type Digest } from '../../oci/digest.ts';
import { formatPlatform, parsePlatform } from '../../oci/platform.ts';
import { familiarReference, parseReference } from '../../oci/reference.ts';
import { isCommit } from '../contexts/git-url.ts';

export type LockEntry = LockedImage | LockedUrl | LockedGit;

export interface LockedImage {
  kind: 'image';
  /** With its tag, as people write it: `alpine:3.20`. */
  name: string;
  /** `linux/amd64`. */
  platform: string;
  /** Of the manifest. */
  digest: Digest;
}

export interface LockedUrl {
  kind: 'url';
  name: string;
  digest: Digest;
}

export interface LockedGit {
  kind: 'git';
  /** The address, and behind `#` the branch or tag. */
  name: string;
  commit: string;
  /** Full name of the ref that led there, and the tag's own object, for builds that keep `.git`. */
  ref?: string;
  tag?: string;
}

export interface Lock {
  /** That the targets were locked for. */
  platforms: string[];
  entries: LockEntry[];
}

/** Most bytes and lines of a lock file, and most bytes of a line. */
export const largestLock: number = 4 << 20;
export const mostLockLines = 20_000;
export const longestLockLine = 16384;

const first = 'siru-lock 1';

/** The entry of a source in a lock: two with the same key say the same, or contradict each other. */
export function keyOf(entry: Pick<LockedImage, 'kind' | 'name' | 'platform'> | Pick<LockedUrl | LockedGit, 'kind' | 'name'>): string {
  return entry.kind === 'image' ? `image ${entry.name} ${entry.platform}` : `${entry.kind} ${entry.name}`;
}

/** What an entry says of its source, as the file has it. */
export function valueOf(entry: LockEntry): string {
  if (entry.kind !== 'git') return entry.digest;
  return [entry.commit, ...(entry.ref === undefined ? [] : [entry.ref]), ...(entry.tag === undefined ? [] : [entry.tag])].join(' ');
}

export function formatLock({ platforms, entries }: Lock): string {
  const order = ['image', 'url', 'git'];
  const compare = (a: LockEntry, b: LockEntry): number => order.indexOf(a.kind) - order.indexOf(b.kind) || (keyOf(a) < keyOf(b) ? -1 : 1);
  const lines = [first, `platforms ${platforms.join(' ')}`, ...[...entries].sort(compare).map((entry) => `${keyOf(entry)} ${valueOf(entry)}`)];
  return `${lines.join('\n')}\n`;
}

/** `file` is how errors call it. Throws LOCK with the line. */
export function parseLock(bytes: Uint8Array, file: string): Lock {
  if (bytes.length > largestLock) throw new SiruError('LOCK', `${file} has more than the ${largestLock} bytes that a lock file may have`, { hint: anew });
  const lines = readText(bytes, file).split('\n');
  const end = lines.pop();
  if (lines.length > mostLockLines) throw new SiruError('LOCK', `${file} has more than ${mostLockLines} lines`, { hint: anew });
  const fail = (number: number, problem: string, hint: string = anew): never => {
    throw new SiruError('LOCK', `${file}:${number}: ${problem}`, { hint });
  };
  if (lines[0] !== first) {
    if (lines[0]?.startsWith('siru-lock ')) fail(1, `made by another Siru: this one reads ${JSON.stringify(first)}`, 'Take that Siru, or write the file anew: siru lock.');
    fail(1, `no lock file: it does not begin with ${JSON.stringify(first)}`, `${anew} If it is another tool's: --no-lock.`);
  }
  if (end !== '') fail(lines.length + 1, 'the last line has no end: the file was cut off');
  const lock: Lock = { platforms: [], entries: [] };
  const seen = new Map<string, { value: string; number: number }>();
  for (const [i, line] of lines.entries()) {
    if (i === 0 || line === '' || line.startsWith('#')) continue;
    const number = i + 1;
    if (line.length > longestLockLine) fail(number, `longer than ${longestLockLine} characters`);
    if (/^(?:<{7}|={7}|>{7}|\|{7})/.test(line)) fail(number, 'a conflict that was not resolved', 'Keep the lines of both sides and run siru lock, which removes what is not needed.');
    const words = line.split(' ');
    if (words[0] === 'platforms') {
      if (lock.platforms.length > 0) fail(number, 'platforms stand here for the second time');
      lock.platforms = words.slice(1);
      if (lock.platforms.length === 0 || !lock.platforms.every(isPlatform)) fail(number, 'platforms are written as linux/amd64, with one space between');
      continue;
    }
    const entry = entryOf(words, (problem) => fail(number, problem));
    const before = seen.get(keyOf(entry));
    const value = valueOf(entry);
    if (before && before.value !== value) fail(number, `${keyOf(entry)} is ${value}, and in line ${before.number} it is ${before.value}`, 'Keep the right one, or renew it: siru lock --update, with its name.');
    if (before) continue;
    seen.set(keyOf(entry), { value, number });
    lock.entries.push(entry);
  }
  if (lock.platforms.length === 0) fail(lines.length, 'there is no line with platforms');
  return lock;
}

const anew = 'Correct it, take it from the repository again, or write it anew: siru lock.';

function readText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SiruError('LOCK', `${file} is no text`, { hint: anew, cause });
  }
}

function entryOf(words: string[], fail: (problem: string) => never): LockEntry {
  const [kind, name = '', ...rest] = words;
  switch (kind) {
    case 'image': {
      const [platform, digest] = rest;
      if (rest.length !== 2) fail('an image is written: image NAME:TAG PLATFORM sha256:DIGEST');
      if (!isImageName(name)) fail(`${quoted(name)} is no name of an image with its tag`);
      if (!isPlatform(platform!)) fail(`${quoted(platform!)} is no platform such as linux/amd64`);
      return { kind, name, platform: platform!, digest: sha256Of(digest!, fail) };
    }
    case 'url':
      if (rest.length !== 1) fail('a file is written: url ADDRESS sha256:DIGEST');
      if (!/^https?:\/\//.test(name)) fail(`${quoted(name)} is no http address`);
      return { kind, name, digest: sha256Of(rest[0]!, fail) };
    case 'git': {
      const [commit, ref, tag] = rest;
      if (rest.length < 1 || rest.length > 3) fail('a repository is written: git ADDRESS COMMIT, and behind it the ref and the object of a tag');
      if (name === '') fail('the address is missing');
      if (!isCommit(commit)) fail(`${quoted(commit!)} is no whole commit`);
      if (ref !== undefined && !/^refs\/[^\0- ~^:?*[\\\x7f]+$/.test(ref)) fail(`${quoted(ref)} is no whole name of a ref`);
      if (tag !== undefined && !isCommit(tag)) fail(`${quoted(tag)} is no object of a tag`);
      return { kind, name, commit: commit!, ...(ref === undefined ? {} : { ref }), ...(tag === undefined ? {} : { tag }) };
    }
    default:
      return fail(`${quoted(kind ?? '')} is nothing that a lock file holds: image, url, git, platforms`);
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

function sha256Of(text: string, fail: (problem: string) => never): Digest {
  return isSha256(text as Digest) ? (text as Digest) : fail(`${quoted(text)} is no digest: sha256: and 64 hexadecimal digits`);
}

function isPlatform(text: string): boolean {
  try {
    return formatPlatform(parsePlatform(text)) === text;
  } catch (error) {
    if (!isSiruError(error)) throw error;
    return false;
  }
}

function isImageName(text: string): boolean {
  try {
    const reference = parseReference(text);
    return reference.tag !== undefined && reference.digest === undefined && familiarReference(reference) === text;
  } catch (error) {
    if (!isSiruError(error)) throw error;
    return false;
  }
}
