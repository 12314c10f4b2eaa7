/** From a request to who asks: passwords, the registry's own tokens, and those of other issuers. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isSiruError } from '../../base/errors.ts';
import type { User } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import { BoundedMap } from './bounded-map.ts';
import type { ClientAddresses } from './client-address.ts';
import { networkOf } from './client-address.ts';
import { parseAuthorization } from './credentials.ts';
import type { OtherIssuer } from './other-issuer.ts';
import type { OwnTokens } from './own-tokens.ts';
import type { PasswordChecker } from './passwords.ts';
import type { RateLimit } from './rate-limit.ts';
import { scopesOf } from './scopes.ts';
import type { Scopes } from './scopes.ts';

/** Tokens that were verified and are remembered until they end. */
const mostTokens = 10_000;

/** Milliseconds after which a token is verified again. */
const longestTrust = 600_000;

export interface Identity {
  /** Undefined is anybody. */
  user: User | undefined;
  /** What a token reaches; undefined is all that the user may. */
  scopes: Scopes | undefined;
  /** The issuer that the user was known by; undefined is the password file. */
  from: string | undefined;
  /** Milliseconds since 1970 when this ends; undefined for a password. */
  expires: number | undefined;
  /** True for a token of the registry's own. */
  own: boolean;
}

export interface Identities {
  /** Throws UNAUTHORIZED for what is wrong, without saying what. */
  identify(request: IncomingMessage): Promise<Identity>;
  /** The same for a name and a password, or a token of another issuer in its place: what docker can send of one. */
  login(request: IncomingMessage, name: string, password: string): Promise<Identity>;
  userOf(name: string): User;
}

export interface IdentitiesOptions {
  passwords: PasswordChecker | undefined;
  own: OwnTokens | undefined;
  others: readonly OtherIssuer[];
  groups: Readonly<Record<string, readonly string[]>>;
  addresses: ClientAddresses;
  plainPasswords: boolean;
  failures: RateLimit;
  /** Headers that tell how to log in. */
  challenge: (request: IncomingMessage) => Record<string, string>;
}

interface Verified {
  identity: Identity;
  until: number;
}

export const anybody: Identity = { user: undefined, scopes: undefined, from: undefined, expires: undefined, own: false };

export function createIdentities(options: IdentitiesOptions): Identities {
  const { passwords, own, others, addresses, failures } = options;
  const tokens = new BoundedMap<string, Verified>(mostTokens);
  const groupsOf = new Map<string, string[]>();
  for (const [group, names] of Object.entries(options.groups)) for (const name of names) groupsOf.set(name, [...(groupsOf.get(name) ?? []), group]);
  const userOf = (name: string, more: readonly string[] = []): User => ({ name, groups: [...(groupsOf.get(name) ?? []), ...more] });

  const refuse = (request: IncomingMessage, message: string): Refusal => {
    failures.take(networkOf(addresses.addressOf(request)));
    return new Refusal('UNAUTHORIZED', message, { headers: options.challenge(request) });
  };

  const login = async (request: IncomingMessage, name: string, password: string): Promise<Identity> => {
    if (!options.plainPasswords && !addresses.isPrivate(request)) {
      throw new Refusal('DENIED', 'this registry takes passwords over https only');
    }
    if (others.length > 0 && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(password)) {
      const identity = await byToken(request, password);
      if (identity.own) throw refuse(request, 'a token of this registry is no password');
      return identity;
    }
    if (passwords === undefined) throw refuse(request, 'this registry takes tokens only');
    if (!passwords.isRemembered(name, password)) failures.look(networkOf(addresses.addressOf(request)));
    if (!(await passwords.check(name, password))) throw refuse(request, 'the user name or the password is wrong');
    return { ...anybody, user: userOf(name) };
  };

  const verify = async (token: string): Promise<Identity & { expires: number }> => {
    const { decodeJwt } = await import('jose');
    const { iss } = decodeJwt(token);
    if (own !== undefined && iss === own.issuer) {
      const { user, access, groups, from, expires } = await own.verify(token);
      return { own: true, user: user === undefined ? undefined : userOf(user, groups), scopes: scopesOf(access), from, expires };
    }
    const other = others.find(({ issuer }) => issuer === iss);
    if (other === undefined) throw new Error('unknown issuer');
    const { user, access, expires } = await other.verify(token);
    return { own: false, user: userOf(user.name, user.groups), scopes: access === undefined ? undefined : scopesOf(access), from: other.issuer, expires };
  };

  const byToken = async (request: IncomingMessage, token: string): Promise<Identity> => {
    const key = createHash('sha256').update(token).digest('base64');
    let found = tokens.get(key);
    if (found === undefined || found.until <= Date.now()) {
      tokens.delete(key);
      failures.look(networkOf(addresses.addressOf(request)));
      try {
        const identity = await verify(token);
        // Not for ever: a key of the issuer may go before its tokens do.
        found = { identity, until: Math.min(identity.expires, Date.now() + longestTrust) };
      } catch (error) {
        if (isSiruError(error)) throw error;
        throw refuse(request, 'the token is not good: another issuer, another registry, or its time is over');
      }
      tokens.set(key, found);
    }
    // A user who was removed is out at once.
    const { identity } = found;
    if (identity.own && identity.user !== undefined && identity.from === undefined && !passwords?.has(identity.user.name)) throw refuse(request, 'the user of the token is not known any more');
    return identity;
  };

  return {
    userOf,
    login,
    async identify(request) {
      const header = request.headers.authorization;
      if (header === undefined) return anybody;
      const credentials = parseAuthorization(header);
      if (credentials === undefined) throw refuse(request, 'the Authorization header is neither Basic nor Bearer');
      if (credentials.kind === 'token') return byToken(request, credentials.token);
      return login(request, credentials.name, credentials.password);
    },
  };
}
