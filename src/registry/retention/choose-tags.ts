/** Which tags of a repository go, and why the others stay. Pure. */
import { parseVersion } from '../../oci/semver.ts';
import { fits, parsePattern } from '../access/pattern.ts';
import { keepVersions } from './keep-versions.ts';
import type { RetentionPolicy, RetentionRule } from './policy.ts';

export interface TagFacts {
  name: string;
  pushed: number;
  /** Of the tag, or by digest of what it leads to. */
  pulled: number | undefined;
}

/** Undefined for a tag that no rule speaks of, and that stays; else whether it is kept, and by what. */
export interface Choice {
  keep: boolean;
  why: string;
}

export function policyFor(policies: readonly RetentionPolicy[], repository: string): RetentionPolicy | undefined {
  return policies.find(({ repositories }) => repositories.some((text) => fits(parsePattern(text), repository)));
}

export function chooseTags(tags: readonly TagFacts[], rules: readonly RetentionRule[], now: number): Map<string, Choice> {
  const choices = new Map<string, Choice>();
  for (const rule of rules) {
    const patterns = rule.tags?.map(parsePattern);
    const spoken = tags.filter(({ name }) => patterns === undefined || patterns.some((pattern) => fits(pattern, name)));
    for (const [name, why] of judge(rule, spoken, now)) {
      if (choices.get(name)?.keep) continue;
      choices.set(name, why === undefined ? { keep: false, why: 'no rule keeps it' } : { keep: true, why });
    }
  }
  return choices;
}

/** What keeps each tag that the rule speaks of, if anything. */
function judge(rule: RetentionRule, tags: readonly TagFacts[], now: number): Map<string, string | undefined> {
  const { newest, pushed, pulled, majors, minors, patches } = rule;
  const ofVersions = majors !== undefined || minors !== undefined || patches !== undefined;
  const ofTimes = newest !== undefined || pushed !== undefined || pulled !== undefined;
  // A rule that counts versions only has nothing to say of `latest`.
  const spoken = ofVersions && !ofTimes ? tags.filter(({ name }) => parseVersion(name) !== undefined) : tags;
  const result = new Map<string, string | undefined>(spoken.map(({ name }) => [name, ofVersions || ofTimes ? undefined : 'its rule keeps all']));
  const keep = (name: string, why: string): void => void result.set(name, why);
  if (newest !== undefined) {
    const order = spoken.toSorted((a, b) => b.pushed - a.pushed || (a.name < b.name ? 1 : -1));
    for (const { name } of order.slice(0, newest)) keep(name, `one of the newest ${newest}`);
  }
  for (const tag of spoken) {
    if (pushed !== undefined && now - tag.pushed <= pushed) keep(tag.name, 'pushed lately');
    if (pulled !== undefined && now - Math.max(tag.pushed, tag.pulled ?? 0) <= pulled) keep(tag.name, 'pulled lately');
  }
  if (ofVersions) {
    const versions = keepVersions(spoken.map(({ name }) => name), { ...(majors !== undefined && { majors }), ...(minors !== undefined && { minors }), ...(patches !== undefined && { patches }) });
    for (const [name, kept] of versions) if (kept) keep(name, 'one of the newest versions');
  }
  return result;
}
