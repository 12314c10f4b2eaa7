/** The registry's own tokens (JWT): made for a password, and read again. */
import { randomUUID } from 'node:crypto';
import type { TokenKey } from './token-key.ts';
import type { AccessClaim } from './scopes.ts';
import type { WatchedFile } from './watched-file.ts';

/** Whose token it is. */
export interface Holder {
  /** Undefined is anybody. */
  user: string | undefined;
  /** That another issuer told; those of the configuration are not in the token. */
  groups: readonly string[];
  /** The issuer that the user was known by; undefined is the password file. */
  from: string | undefined;
}

export interface OwnTokens {
  issuer: string;
  /** Milliseconds. */
  lifetime: number;
  /** Undefined when refresh tokens are not given. */
  refreshTime: number | undefined;
  issue(holder: Holder, access: readonly AccessClaim[], lifetime: number): Promise<string>;
  /** Good as long as `stamp` is the user's. */
  issueRefresh(user: string, stamp: string): Promise<string>;
  /** Throws when it is not one that is good now. */
  verify(token: string): Promise<VerifiedToken>;
  verifyRefresh(token: string): Promise<{ user: string; stamp: string }>;
}

export interface VerifiedToken extends Holder {
  access: unknown;
  /** Milliseconds since 1970. */
  expires: number;
}

/** Seconds by which clocks may differ. */
export const clockSkew = 30;

export interface OwnTokensOptions {
  key: WatchedFile<TokenKey>;
  service: string;
  lifetime: number;
  refreshTime: number | undefined;
}

export function createOwnTokens({ key, service, lifetime, refreshTime }: OwnTokensOptions): OwnTokens {
  const issuer = `siru:${service}`;
  const sign = async (typ: string, time: number, claims: Record<string, unknown>, user: string | undefined): Promise<string> => {
    const { SignJWT } = await import('jose');
    const { secret, algorithm } = key.get();
    const now = Math.floor(Date.now() / 1000);
    const token = new SignJWT(claims).setProtectedHeader({ alg: algorithm, typ }).setIssuer(issuer).setAudience(service)
      .setIssuedAt(now).setNotBefore(now).setExpirationTime(now + Math.ceil(time / 1000)).setJti(randomUUID());
    return (user === undefined ? token : token.setSubject(user)).sign(secret);
  };
  const read = async (token: string, typ: string): Promise<Record<string, unknown> & { exp?: number; sub?: string }> => {
    const { jwtVerify } = await import('jose');
    const { public: verifier, algorithm } = key.get();
    const { payload } = await jwtVerify(token, verifier, { issuer, audience: service, algorithms: [algorithm], clockTolerance: clockSkew, requiredClaims: ['exp', 'nbf'], typ });
    return payload;
  };
  return {
    issuer,
    lifetime,
    refreshTime,
    issue: ({ user, groups, from }, access, time) => sign('JWT', time, { access, ...(groups.length > 0 && { groups }), ...(from !== undefined && { from }) }, user),
    issueRefresh: (user, stamp) => sign('refresh', refreshTime ?? 0, { stamp }, user),
    async verify(token) {
      const { sub, exp, access, groups, from } = await read(token, 'JWT');
      return { user: sub, access, groups: Array.isArray(groups) ? groups.map(String) : [], from: typeof from === 'string' ? from : undefined, expires: exp! * 1000 };
    },
    async verifyRefresh(token) {
      const { sub, stamp } = await read(token, 'refresh');
      return { user: sub ?? '', stamp: String(stamp) };
    },
  };
}
