/**
 * Versions as tags write them: semantic versions (semver.org, 2.0.0), shortened to a line (`1.10`, `1`), with a `v` before
 * them, with `_` for the `+` that a tag cannot have, and with the name of a variant behind them (`1.10.5-alpine`). Pure.
 */

export interface Version {
  prefix: '' | 'v';
  /** Major, minor and patch, as far as they are given; decimal digits. */
  numbers: readonly string[];
  /** What stands behind the hyphen: a pre-release by the letter of semver, a variant by the custom of images. */
  suffix?: string;
  /** Build metadata. It has no part in the order. */
  build?: string;
}

export type Change = 'same' | 'patch' | 'minor' | 'major' | 'older';

const longest = 128;
const form = /^(v?)(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:[+_]([0-9A-Za-z.-]+))?$/;
/** First words of suffixes that are no variants. */
const preRelease = /^(?:\d+|(?:alpha|beta|rc|pre|preview|prerelease|dev|devel|snapshot|nightly|canary|next|edge|milestone|test|ea|cr|m|a|b)[-.]?\d*)$/i;

/** Undefined for a tag that is no version. */
export function parseVersion(tag: string): Version | undefined {
  const match = tag.length > longest ? null : form.exec(tag);
  if (!match) return undefined;
  const [, prefix, major, minor, patch, suffix, build] = match;
  const numbers = [major, minor, patch].filter((number) => number !== undefined);
  return { prefix: prefix as Version['prefix'], numbers, ...(suffix !== undefined && { suffix }), ...(build !== undefined && { build }) };
}

/** As a tag. */
export function formatVersion({ prefix, numbers, suffix, build }: Version): string {
  return `${prefix}${numbers.join('.')}${suffix === undefined ? '' : `-${suffix}`}${build === undefined ? '' : `_${build}`}`;
}

/** True for three numbers without idle zeros and whatever stands behind them: a semantic version. */
export function isSemantic({ numbers, suffix }: Version): boolean {
  const sound = (text: string): boolean => text.length === 1 || !text.startsWith('0');
  return numbers.length === 3 && numbers.every(sound) && (suffix ?? 'x').split('.').every((part) => part !== '' && (!/^\d+$/.test(part) || sound(part)));
}

/** By semver's order: negative when `a` is the older one. Numbers that are not given count as 0, build metadata not at all. */
export function compareVersions(a: Version, b: Version): number {
  for (let at = 0; at < 3; at++) {
    const order = compareNumbers(a.numbers[at] ?? '0', b.numbers[at] ?? '0');
    if (order !== 0) return order;
  }
  return compareSuffixes(a.suffix, b.suffix);
}

function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+(?=.)/, ''), b.replace(/^0+(?=.)/, '')];
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
}

function compareSuffixes(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const [left, right] = [a.split('.'), b.split('.')];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [one, other] = [left[at], right[at]];
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    const numeric = [/^\d+$/.test(one), /^\d+$/.test(other)];
    const order = numeric[0] && numeric[1] ? compareNumbers(one, other)
      : numeric[0] !== numeric[1] ? (numeric[0] ? -1 : 1)
      : one < other ? -1 : one > other ? 1 : 0;
    if (order !== 0) return order;
  }
  return 0;
}

/** By how much the second differs from the first. */
export function changeBetween(from: Version, to: Version): Change {
  const order = compareVersions(from, to);
  if (order === 0) return 'same';
  if (order > 0) return 'older';
  const first = [0, 1].find((at) => compareNumbers(from.numbers[at] ?? '0', to.numbers[at] ?? '0') !== 0);
  return first === 0 ? 'major' : first === 1 ? 'minor' : 'patch';
}

export interface Followers {
  /** Tags that this version moves: of `1.10`, `1` and `latest` those of whose line it is the newest. */
  tags: string[];
  /** Those that stay, each with the tag that is newer. */
  stay: { tag: string; newer: string }[];
}

/**
 * Which tags follow a version, given the tags that there are. Undefined for a pre-release, which moves nothing. A tag of a
 * line counts as a version of it: `1.11` alone keeps `1.10.5` from becoming the latest.
 */
export function followersOf(version: Version, existing: Iterable<string>): Followers | undefined {
  if (version.suffix !== undefined) return undefined;
  const newer = new Map<string, Version>();
  for (const tag of existing) {
    const other = parseVersion(tag);
    if (!other || other.suffix !== undefined || (other.numbers.length === 3 && !isSemantic(other))) continue;
    if (isOtherScheme(version, other) || !isBeyond(other, version)) continue;
    newer.set(tag, other);
  }
  const followers: Followers = { tags: [], stay: [] };
  for (const length of [2, 1, 0]) {
    const line = version.numbers.slice(0, length);
    const tag = length === 0 ? 'latest' : `${version.prefix}${line.join('.')}`;
    const ahead = [...newer].filter(([, { numbers }]) => line.every((number, at) => number === numbers[at]));
    const [first] = ahead.sort(([, a], [, b]) => compareVersions(b, a) || b.numbers.length - a.numbers.length);
    if (first) followers.stay.push({ tag, newer: first[0] });
    else followers.tags.push(tag);
  }
  return followers;
}

/** True when `other`, which may be a line, is newer than `version` and does not hold it. */
function isBeyond(other: Version, version: Version): boolean {
  const numbers = version.numbers.slice(0, other.numbers.length);
  return compareVersions({ prefix: '', numbers: other.numbers }, { prefix: '', numbers }) > 0;
}

/** Dates and build numbers beside versions: `20260301` is no successor of `3`. */
function isOtherScheme(one: Version, other: Version): boolean {
  return (one.numbers[0]!.length >= 4) !== (other.numbers[0]!.length >= 4);
}

/** `alpine` of `-alpine3.20`; undefined where there is no suffix or it is a pre-release. */
function variantOf({ suffix }: Version): string | undefined {
  if (suffix === undefined || isPreRelease({ suffix })) return undefined;
  return suffix.replace(/[\d.]+/g, '');
}

export function isPreRelease({ suffix }: Pick<Version, 'suffix'>): boolean {
  return suffix !== undefined && preRelease.test(suffix.split(/[.-]/)[0]!);
}

/** Tags that are comparable with one: the same prefix, as many numbers, the same variant; pre-releases only for one. */
export function alike(version: Version, other: Version): boolean {
  return version.prefix === other.prefix && version.numbers.length === other.numbers.length && variantOf(version) === variantOf(other)
    && (isPreRelease(version) || !isPreRelease(other)) && !isOtherScheme(version, other);
}

/** The newest tag that is a patch, a minor and a major step beyond `tag`, of those that are like it. */
export function newerTags(tag: string, existing: Iterable<string>): Partial<Record<'patch' | 'minor' | 'major', string>> {
  const version = parseVersion(tag);
  const newest: Partial<Record<'patch' | 'minor' | 'major', [string, Version]>> = {};
  for (const other of version ? existing : []) {
    const candidate = parseVersion(other);
    if (!candidate || !alike(version!, candidate)) continue;
    const change = changeBetween(version!, candidate);
    if (change === 'same' || change === 'older') continue;
    const best = newest[change];
    if (!best || compareVersions(best[1], candidate) < 0) newest[change] = [other, candidate];
  }
  return Object.fromEntries(Object.entries(newest).map(([change, [other]]) => [change, other]));
}

/** Tags that may be the exact version behind a tag of a line, or behind one that is no version (`latest`), newest first. */
export function exactTags(tag: string, existing: Iterable<string>): string[] {
  const line = parseVersion(tag);
  const found: [string, Version][] = [];
  for (const other of existing) {
    const candidate = parseVersion(other);
    if (!candidate || candidate.numbers.length !== 3 || isPreRelease(candidate)) continue;
    if (line ? !within(line, candidate) : candidate.suffix !== undefined) continue;
    found.push([other, candidate]);
  }
  return found.sort(([a, left], [b, right]) => compareVersions(right, left) || (a < b ? -1 : 1)).map(([other]) => other);
}

function within(line: Version, { prefix, numbers, suffix }: Version): boolean {
  return line.prefix === prefix && variantOf(line) === variantOf({ prefix, numbers, suffix }) && line.numbers.every((number, at) => number === numbers[at]);
}
