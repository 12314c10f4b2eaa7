/** `/token`: a token for a password, as distribution's token protocol and OAuth 2 have it. */
import { answerJson, readBody } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { RouteGroup, User } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import { onlyMethods } from '../routes/methods.ts';
import { anybody } from './identity.ts';
import type { Identities, Identity } from './identity.ts';
import type { OwnTokens } from './own-tokens.ts';
import type { PasswordChecker } from './passwords.ts';
import type { Decide } from './rights.ts';
import { grant, parseScopes } from './scopes.ts';

/** Bytes of a form. */
const largestForm = 65_536;

export interface TokenPageOptions {
  own: OwnTokens;
  service: string;
  identities: Identities;
  /** Undefined when only tokens of other issuers are taken for one. */
  passwords: PasswordChecker | undefined;
  decide: Decide;
  mayList: (user: User | undefined) => boolean;
  /** Throws TOOMANYREQUESTS. */
  count: (exchange: Exchange, user: User | undefined) => void;
}

export function createTokenPage({ own, service, identities, passwords, decide, mayList, count }: TokenPageOptions): RouteGroup {
  const wrongService = (asked: string | null): void => {
    if (asked !== null && asked !== '' && asked !== service) throw new Refusal('DENIED', `this is the token server of ${service}`);
  };
  const answerToken = async (exchange: Exchange, { user, scopes, from, expires }: Identity, asked: readonly string[], refresh: boolean): Promise<void> => {
    exchange.user = user;
    count(exchange, user);
    // What a token of another issuer does not reach, one for it does not either, nor for longer.
    const narrowed = (name: string): number => (scopes === undefined ? decide(user, name) : decide(user, name) & (scopes.repositories.get(name) ?? 0));
    const access = grant(parseScopes(asked), { repository: narrowed, catalog: mayList(user) && (scopes?.catalog ?? true) });
    const lifetime = Math.max(1000, Math.min(own.lifetime, (expires ?? Infinity) - Date.now()));
    const token = await own.issue({ user: user?.name, groups: from === undefined ? [] : user?.groups ?? [], from }, access, lifetime);
    const stamp = from === undefined && user ? passwords?.stamp(user.name) : undefined;
    answerJson(exchange, 200, {
      token,
      access_token: token,
      expires_in: Math.ceil(lifetime / 1000),
      issued_at: new Date().toISOString(),
      ...(refresh && own.refreshTime !== undefined && user && stamp !== undefined && { refresh_token: await own.issueRefresh(user.name, stamp) }),
    }, { 'cache-control': 'no-store' });
  };
  const byForm = async (exchange: Exchange): Promise<void> => {
    const form = new URLSearchParams((await readBody(exchange, largestForm, 'form')).toString('utf8'));
    wrongService(form.get('service'));
    const scopes = form.getAll('scope');
    const grantType = form.get('grant_type');
    if (grantType === 'password') {
      const identity = await identities.login(exchange.request, form.get('username') ?? '', form.get('password') ?? '');
      return answerToken(exchange, identity, scopes, form.get('access_type') === 'offline');
    }
    if (grantType !== 'refresh_token') throw new Refusal('UNSUPPORTED', 'grant_type is neither password nor refresh_token', { status: 400 });
    const refused = new Refusal('UNAUTHORIZED', 'the refresh token is not good: log in again');
    const { user, stamp } = await own.verifyRefresh(form.get('refresh_token') ?? '').catch(() => {
      throw refused;
    });
    if (passwords === undefined || stamp !== passwords.stamp(user)) throw refused;
    return answerToken(exchange, { ...anybody, user: identities.userOf(user) }, scopes, form.get('access_type') === 'offline');
  };
  return {
    name: 'token',
    matches: (path) => path === '/token',
    async handle(exchange) {
      onlyMethods(exchange, ['GET', 'POST']);
      if (exchange.method === 'POST') return byForm(exchange);
      const { query, request } = exchange;
      wrongService(query.get('service'));
      const identity = await identities.identify(request);
      // Else one token would be good for ever.
      if (identity.own) throw new Refusal('DENIED', 'tokens are given for passwords');
      return answerToken(exchange, identity, query.getAll('scope'), query.get('offline_token') === 'true');
    },
  };
}
