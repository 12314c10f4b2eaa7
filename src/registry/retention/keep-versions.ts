/** Which versions of a list of tags are kept: the newest majors, in each the newest minors, in each the newest patches. Pure. */
import { compareVersions, isPreRelease, isSemantic, parseVersion } from '../../oci/semver.ts';
import type { Version } from '../../oci/semver.ts';

export interface VersionLimits {
  majors?: number;
  minors?: number;
  patches?: number;
}

/** Lines such as `1.10` stay with the versions that they hold; a pre-release as long as no version is newer. A tag that is no version is not in the answer. */
export function keepVersions(tags: readonly string[], limits: VersionLimits): Map<string, boolean> {
  const all = tags.map((tag) => ({ tag, version: parseVersion(tag) })).filter((one): one is { tag: string; version: Version } => one.version !== undefined);
  const result = new Map<string, boolean>();
  for (const group of Map.groupBy(all, ({ version }) => schemeOf(version)).values()) {
    const whole = group.filter(({ version }) => isSemantic(version) && !isPreRelease(version)).sort((a, b) => compareVersions(b.version, a.version));
    const kept = newest(whole, 0, [limits.majors, limits.minors, limits.patches]);
    for (const { tag, version } of group) {
      if (isPreRelease(version)) result.set(tag, !whole.some((other) => compareVersions(other.version, version) > 0));
      else if (isSemantic(version)) result.set(tag, kept.has(tag));
      else {
        const within = whole.filter((other) => version.numbers.every((number, at) => number === other.version.numbers[at]));
        result.set(tag, within.length === 0 || within.some((other) => kept.has(other.tag)));
      }
    }
  }
  return result;
}

/** Of versions in order, those in the first `limits[0]` lines, and so on within each. */
function newest(versions: readonly { tag: string; version: Version }[], at: number, limits: readonly (number | undefined)[]): Set<string> {
  const limit = limits[at] ?? Infinity;
  const lines = [...Map.groupBy(versions, ({ version }) => version.numbers[at]!).values()].slice(0, limit);
  return new Set(lines.flatMap((line) => (at === 2 ? line.map(({ tag }) => tag) : [...newest(line, at + 1, limits)])));
}

/** What is counted together: `1.2.3` and `2.0.0-rc.1`, apart from it `1.2.3-alpine3.20`. */
function schemeOf(version: Version): string {
  const { prefix, suffix } = version;
  return `${prefix} ${suffix === undefined || isPreRelease(version) ? '' : suffix.replace(/[\d.]+/g, '')}`;
}
