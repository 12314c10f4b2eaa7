/** What may be done with a repository, as bits. */
import type { User } from '../hooks.ts';
import type { AccessConfiguration } from './configuration.ts';
import { fits, parsePattern } from './pattern.ts';

export const rights = { pull: 1, push: 2, delete: 4 } as const;
export type Right = keyof typeof rights;
export const allRights = 7;

/** Decisions that are remembered. */
const mostDecisions = 20_000;

/** What this user may do with this repository. */
export type Decide = (user: User | undefined, repository: string) => number;

/** `knowsUsers`: there are passwords or tokens, so that somebody without a name is a stranger. */
export function createDecide({ rules, anonymous = 'none' }: AccessConfiguration, knowsUsers: boolean): Decide {
  const compiled = rules?.map(({ repositories, users, groups, allow }) => ({
    patterns: repositories.map(parsePattern),
    users: users && new Set(users),
    groups,
    bits: allow.reduce((bits, right) => bits | rights[right] | (right === 'push' ? rights.pull : 0), 0),
  }));
  const most = (user: User | undefined): number => (user !== undefined || !knowsUsers ? allRights : anonymous === 'pull' ? rights.pull : 0);
  if (compiled === undefined) return most;
  const decide = (user: User | undefined, repository: string): number => {
    const rule = compiled.find(({ patterns, users, groups }) =>
      ((users === undefined && groups === undefined) || (user !== undefined && (users?.has(user.name) || users?.has('*') || groups?.some((group) => user.groups.includes(group)))))
      && patterns.some((pattern) => fits(pattern, repository, user?.name)));
    return (rule?.bits ?? 0) & most(user);
  };
  const known = new Map<string, number>();
  return (user, repository) => {
    const key = JSON.stringify([user?.name, user?.groups, repository]);
    let bits = known.get(key);
    if (bits === undefined) {
      if (known.size >= mostDecisions) known.clear();
      known.set(key, (bits = decide(user, repository)));
    }
    return bits;
  };
}
