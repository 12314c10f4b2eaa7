/** What `siru lock` did, for people. Pure. */
import { keyOf, valueOf } from '../build/lock/lock-file.ts';
import type { LockReport } from '../build/lock/lock.ts';

/** A line for each entry that is other than it was, as a diff shows them. */
export function lockLines({ added, changed, removed }: LockReport): string {
  const lines = [
    ...changed.map(({ before, after }) => `~ ${keyOf(after)}\n    ${valueOf(before)} -> ${valueOf(after)}`),
    ...added.map((entry) => `+ ${keyOf(entry)} ${valueOf(entry)}`),
    ...removed.map((entry) => `- ${keyOf(entry)}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

export function summary({ file, entries, added, changed, removed, written, platforms }: LockReport): string {
  const counts = [[added.length, 'new'], [changed.length, 'changed'], [removed.length, 'removed'], [entries.length - added.length - changed.length, 'as before']] as const;
  const told = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`).join(', ');
  return `${file}: ${told === '' ? 'the build takes nothing from outside' : told}, for ${platforms.join(', ')}${written ? '' : '; nothing to write'}`;
}

export function missingText({ file, missing }: LockReport): string {
  return [`${file} does not have all that the build takes from outside:`, ...missing.map((key) => `  ${key}`)].join('\n');
}
