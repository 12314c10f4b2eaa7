/** `/token`: a token for a password, as distribution's token protocol and OAuth 2 have it. */
import { answerJson, readBody } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { RouteGroup, User } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import { onlyMethods } from '../routes/methods.ts';
import type { Identities } from './identity.ts';
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
  passwords: PasswordChecker;
  decide: Decide;
  mayList: (user: User | undefined) => boolean;
  /** Throws TOOMANYREQUESTS. */
  count: (exchange: Exchange, user: User | undefined) => void;
}

export function createTokenPage({ own, service, identities, passwords, decide, mayList, count }: TokenPageOptions): RouteGroup {
  const wrongService = (asked: string | null): void => {
    if (asked !== null && asked !== '' && asked !== service) throw new Refusal('DENIED', `this is the token server of ${service}`);
  };
  const answerToken = async (exchange: Exchange, user: User | undefined, scopes: readonly string[], refresh: boolean): Promise<void> => {
    exchange.user = user;
    count(exchange, user);
    const access = grant(parseScopes(scopes), { repository: (name) => decide(user, name), catalog: mayList(user) });
    const token = await own.issue(user?.name, access);
    const stamp = user && passwords.stamp(user.name);
    answerJson(exchange, 200, {
      token,
      access_token: token,
      expires_in: Math.ceil(own.lifetime / 1000),
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
      const user = await identities.login(exchange.request, form.get('username') ?? '', form.get('password') ?? '');
      return answerToken(exchange, user, scopes, form.get('access_type') === 'offline');
    }
    if (grantType !== 'refresh_token') throw new Refusal('UNSUPPORTED', 'grant_type is neither password nor refresh_token', { status: 400 });
    const refused = new Refusal('UNAUTHORIZED', 'the refresh token is not good: log in again');
    const { user, stamp } = await own.verifyRefresh(form.get('refresh_token') ?? '').catch(() => {
      throw refused;
    });
    if (stamp !== passwords.stamp(user)) throw refused;
    return answerToken(exchange, identities.userOf(user), scopes, form.get('access_type') === 'offline');
  };
  return {
    name: 'token',
    matches: (path) => path === '/token',
    async handle(exchange) {
      onlyMethods(exchange, ['GET', 'POST']);
      if (exchange.method === 'POST') return byForm(exchange);
      const { query, request } = exchange;
      wrongService(query.get('service'));
      const { user, scopes } = await identities.identify(request);
      // A token is no way to a wider one.
      if (scopes !== undefined) throw new Refusal('DENIED', 'tokens are given for passwords');
      return answerToken(exchange, user, query.getAll('scope'), query.get('offline_token') === 'true');
    },
  };
}
