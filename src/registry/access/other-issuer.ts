/** Tokens of another issuer: OpenID Connect providers, CI systems, token servers of the distribution protocol. */
import type { User } from '../hooks.ts';
import { tokenAlgorithms } from './configuration.ts';
import type { IssuerConfiguration } from './configuration.ts';
import { createKeySet } from './key-set.ts';
import { clockSkew } from './own-tokens.ts';

/** Groups of one user. */
const mostGroups = 1000;
/** Characters of a name that a token tells. */
const longestName = 255;

export interface OtherIssuer {
  issuer: string;
  /** Throws when it is not one that is good now. */
  verify(token: string): Promise<{ user: User; access: unknown; expires: number }>;
}

export function createOtherIssuer(configuration: IssuerConfiguration, onError: (error: unknown) => void): OtherIssuer {
  const { issuer, keys, audience, algorithms = tokenAlgorithms, user: userClaim = 'sub', groups: groupsClaim = 'groups', prefix = '' } = configuration;
  const keySet = createKeySet(keys, onError);
  return {
    issuer,
    async verify(token) {
      const { jwtVerify } = await import('jose');
      const { payload } = await jwtVerify(token, (header, whole) => keySet.find(header, whole), {
        issuer, audience, algorithms: [...algorithms], clockTolerance: clockSkew, requiredClaims: ['exp'],
      });
      const name = Object.hasOwn(payload, userClaim) ? payload[userClaim] : undefined;
      if (!isName(name)) throw new Error(`the token has no ${userClaim}`);
      const groups = Object.hasOwn(payload, groupsClaim) ? payload[groupsClaim] : [];
      return {
        user: { name: `${prefix}${name}`, groups: (Array.isArray(groups) ? groups : [groups]).slice(0, mostGroups).filter(isName).map((group) => `${prefix}${group}`) },
        access: payload.access,
        expires: payload.exp! * 1000,
      };
    },
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longestName && !/\p{Cc}/u.test(value);
}
