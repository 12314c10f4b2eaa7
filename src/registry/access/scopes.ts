/** Scopes of tokens: `repository:team/app:pull,push`, `registry:catalog:*`, and the claim `access` with the same. */
import { isRepositoryName } from '../names.ts';
import { allRights, rights } from './rights.ts';

/** Scopes of one token. */
export const mostScopes = 100;

/** What a token reaches. */
export interface Scopes {
  repositories: ReadonlyMap<string, number>;
  catalog: boolean;
}

/** An entry of the claim `access`. */
export interface AccessClaim {
  type: string;
  name: string;
  actions: string[];
}

/** What was asked for: parameters `scope`, each with one or several between spaces. What is not understood is left out. */
export function parseScopes(given: readonly string[]): AccessClaim[] {
  const claims: AccessClaim[] = [];
  for (const text of given.flatMap((one) => one.split(' ')).filter(Boolean).slice(0, mostScopes)) {
    const first = text.indexOf(':');
    const last = text.lastIndexOf(':');
    if (first < 0 || last === first) continue;
    claims.push({ type: text.slice(0, first).replace(/\(.*\)$/, ''), name: text.slice(first + 1, last), actions: text.slice(last + 1).split(',') });
  }
  return claims;
}

/** Reads the claim `access` of a token that was verified. */
export function scopesOf(claim: unknown): Scopes {
  const repositories = new Map<string, number>();
  let catalog = false;
  for (const entry of Array.isArray(claim) ? claim.slice(0, mostScopes) : []) {
    const { type, name, actions } = (entry ?? {}) as Partial<Record<keyof AccessClaim, unknown>>;
    if (typeof name !== 'string' || !Array.isArray(actions)) continue;
    if (type === 'registry' && name === 'catalog' && actions.includes('*')) catalog = true;
    if (type === 'repository' && isRepositoryName(name)) repositories.set(name, (repositories.get(name) ?? 0) | bitsOf(actions));
  }
  return { repositories, catalog };
}

/** What of it is allowed, as the claim of a token. */
export function grant(asked: readonly AccessClaim[], may: { repository: (name: string) => number; catalog: boolean }): AccessClaim[] {
  const granted: AccessClaim[] = [];
  for (const { type, name, actions } of asked) {
    if (type === 'registry' && name === 'catalog' && may.catalog && actions.includes('*')) granted.push({ type, name, actions: ['*'] });
    if (type !== 'repository' || !isRepositoryName(name)) continue;
    const bits = bitsOf(actions) & may.repository(name);
    if (bits !== 0) granted.push({ type, name, actions: Object.entries(rights).filter(([, bit]) => bits & bit).map(([right]) => right) });
  }
  return granted;
}

function bitsOf(actions: readonly unknown[]): number {
  return actions.reduce<number>((bits, action) => bits | (action === '*' ? allRights : typeof action === 'string' && Object.hasOwn(rights, action) ? rights[action as keyof typeof rights] : 0), 0);
}
