/** Who we are to a registry: answers to Basic and Bearer challenges, with the tokens of one client kept by host and scope. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { parseChallenges } from './challenge.ts';
import type { Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { parseServerErrors, refusal } from './errors.ts';
import { checkTarget } from './hosts.ts';
import { parseTarget, readDocument } from './transport.ts';
import type { HttpRequest, HttpResponse, Transport } from './transport.ts';

export interface Authorizer {
  /** The header for the next request to this host, as far as it is known without being asked. */
  header(host: string, scopes: readonly string[], context: Context): Promise<string | undefined>;
  /**
   * Answers the challenges of a 401. Undefined when nothing more can be done: no credentials for Basic, or the header that
   * was refused is the best there is.
   */
  answer(host: string, response: HttpResponse, scopes: readonly string[], refused: string | undefined, context: Context): Promise<string | undefined>;
}

export interface AuthorizerOptions {
  transport: Transport;
  credentials: (host: string) => Promise<Credentials | undefined>;
  /** The registry's name as the user knows it, for messages. */
  nameOf: (host: string) => string;
  unverified: (host: string) => boolean;
}

interface Token {
  value: string;
  /** Milliseconds since 1970. */
  expires: number;
}

interface HostState {
  basic?: string;
  bearer?: { challenge: Challenge; from: URL };
  tokens: Map<string, Promise<Token>>;
}

const documentLimit = 64 * 1024;

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const hosts = new Map<string, HostState>();
  const stateOf = (host: string): HostState => {
    let state = hosts.get(host);
    if (!state) hosts.set(host, (state = { tokens: new Map() }));
    return state;
  };

  const tokenFor = async (host: string, state: HostState, scopes: readonly string[], context: Context): Promise<string> => {
    const key = [...scopes].sort().join(' ');
    const known = state.tokens.get(key);
    if (known) {
      const token = await known;
      if (token.expires > Date.now()) return token.value;
      if (state.tokens.get(key) === known) state.tokens.delete(key);
      else return await tokenFor(host, state, scopes, context);
    }
    // Requests at the same time that need the same token wait for one answer.
    const { challenge, from } = state.bearer!;
    const fetched = fetchToken(challenge, from, host, scopes, options, context);
    state.tokens.set(key, fetched);
    fetched.catch(() => state.tokens.delete(key));
    return (await fetched).value;
  };

  return {
    async header(host, scopes, context) {
      const state = hosts.get(host);
      if (state?.basic !== undefined) return state.basic;
      return state?.bearer ? `Bearer ${await tokenFor(host, state, scopes, context)}` : undefined;
    },

    async answer(host, response, scopes, refused, context) {
      const state = stateOf(host);
      const challenges = [response.headers['www-authenticate'] ?? ''].flatMap(parseChallenges);
      const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm !== undefined);
      if (bearer) {
        state.bearer = { challenge: bearer, from: response.url };
        const wanted = scopes.length > 0 ? scopes : (bearer.parameters.scope ?? '').split(' ').filter(Boolean);
        const key = [...wanted].sort().join(' ');
        // The token that was just refused may have run out before its time: one fresh one, never a second.
        if (refused !== undefined) state.tokens.delete(key);
        const header = `Bearer ${await tokenFor(host, state, wanted, context)}`;
        return header === refused ? undefined : header;
      }
      if (challenges.some(({ scheme }) => scheme === 'basic')) {
        const credentials = await options.credentials(host);
        if (!credentials || credentials.kind !== 'password') return undefined;
        const header = basicHeader(credentials.username, credentials.password);
        if (header === refused) return undefined;
        state.basic = header;
        return header;
      }
      return undefined;
    },
  };
}

function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Asks the token server of a Bearer challenge (distribution's token specification, and OAuth 2 for identity tokens). */
async function fetchToken(challenge: Challenge, from: URL, host: string, scopes: readonly string[], options: AuthorizerOptions, context: Context): Promise<Token> {
  const realm = parseTarget(challenge.parameters.realm!, from);
  checkTarget(from, realm, 'its token server');
  const credentials = await options.credentials(host);
  const service = challenge.parameters.service ?? '';
  const headers: Record<string, string> = { accept: 'application/json' };
  const request: HttpRequest = { method: 'GET', url: realm, headers, unverified: options.unverified(host) };
  if (credentials?.kind === 'identity') {
    const form = new URLSearchParams({ grant_type: 'refresh_token', service, client_id: 'siru', refresh_token: credentials.token });
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    request.method = 'POST';
    headers['content-type'] = 'application/x-www-form-urlencoded';
    request.body = Buffer.from(form.toString());
  } else {
    if (service !== '') realm.searchParams.set('service', service);
    for (const scope of scopes) realm.searchParams.append('scope', scope);
    if (credentials) {
      realm.searchParams.set('account', credentials.username);
      headers.authorization = basicHeader(credentials.username, credentials.password);
    }
  }
  const asked = Date.now();
  const response = await options.transport.send(request, context);
  const body = await readDocument(response, documentLimit, 'the token', context);
  if (response.status !== 200) {
    // Denied is denied whichever of the two servers says so; all else is told as the token server's own fault.
    throw refusal({ registry: options.nameOf(host), action: 'ping', what: 'request for a token' }, response.status, parseServerErrors(body), response.url);
  }
  let reply: { token?: unknown; access_token?: unknown; expires_in?: unknown };
  try {
    reply = JSON.parse(body.toString('utf8')) as typeof reply;
  } catch (cause) {
    throw new SiruError('REGISTRY', `the token server ${realm.host} answered no JSON`, { cause });
  }
  const value = reply?.token ?? reply?.access_token;
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) throw new SiruError('REGISTRY', `the token server ${realm.host} gave no token`);
  // 60 s is the specification's default; a tenth is kept back for the way.
  const seconds = typeof reply.expires_in === 'number' && reply.expires_in > 0 ? reply.expires_in : 60;
  return { value, expires: asked + seconds * 900 };
}
