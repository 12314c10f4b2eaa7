/** Who may do what, from the configuration: the hook for the app, and the page for tokens. */
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { SiruError } from '../../base/errors.ts';
import type { Access, Question, RouteGroup, User } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import type { Repositories } from '../storage.ts';
import { createChallenge, firstQuestion } from './challenge.ts';
import { createClientAddresses, networkOf } from './client-address.ts';
import type { AccessConfiguration } from './configuration.ts';
import { anybody, createIdentities } from './identity.ts';
import type { Identity } from './identity.ts';
import { createImmutable } from './immutable-tags.ts';
import { createOtherIssuer } from './other-issuer.ts';
import { createOwnTokens } from './own-tokens.ts';
import { openPasswords } from './passwords.ts';
import { createQuotas } from './quota.ts';
import { createRateLimit } from './rate-limit.ts';
import { createDecide, rights } from './rights.ts';
import { openTokenKey } from './token-key.ts';
import { createTokenPage } from './token-page.ts';

export interface OpenAccessOptions {
  configuration: AccessConfiguration;
  /** Of the content; the key of tokens lies below it. */
  root: string;
  usage: Repositories['usage'];
  /** Told of what goes wrong in the background. */
  onError: (error: unknown) => void;
}

export interface OpenedAccess {
  access: Access;
  groups: RouteGroup[];
}

const defaultService = 'siru-registry';
const defaultLifetime = 300_000;
const defaultFailures = 30;

/** Throws CONFIG. */
export function openAccess({ configuration, root, usage, onError }: OpenAccessOptions): OpenedAccess {
  const { users, issuers = [], anonymous = 'none', tokens = {}, limits = {} } = configuration;
  const knowsUsers = users !== undefined || issuers.length > 0;
  const { service = defaultService } = tokens;
  const addresses = createClientAddresses(configuration.proxies);
  const challenge = createChallenge({ realm: tokens.realm, service, addresses });
  const passwords = users === undefined ? undefined : openPasswords(users, onError);
  const own = knowsUsers ? createOwnTokens({
    key: openTokenKey(tokens.key ?? join(root, '.siru/token-key.pem'), onError), service, lifetime: tokens.lifetime ?? defaultLifetime, refreshTime: tokens.refresh,
  }) : undefined;
  if (own && issuers.some(({ issuer }) => issuer === own.issuer)) throw new SiruError('CONFIG', `${own.issuer} is the issuer of this registry's own tokens`);
  const decide = createDecide(configuration, knowsUsers);
  const mayList = (user: User | undefined): boolean => user !== undefined || !knowsUsers || anonymous === 'pull';
  const byUser = createRateLimit(limits.users, 'requests of one user');
  const byAddress = createRateLimit(limits.anonymous, 'requests without login');
  const count = (request: IncomingMessage, user: User | undefined): void => (user === undefined ? byAddress.take(networkOf(addresses.addressOf(request))) : byUser.take(user.name));
  const identities = createIdentities({
    passwords, own, addresses, challenge,
    others: issuers.map((issuer) => createOtherIssuer(issuer, onError)),
    groups: configuration.groups ?? {},
    plainPasswords: configuration.plainPasswords ?? false,
    failures: createRateLimit(limits.failures ?? defaultFailures, 'wrong logins'),
  });
  const quotas = createQuotas(configuration.quotas, usage);
  const immutable = createImmutable(configuration.immutable);
  const known = new WeakMap<IncomingMessage, Identity>();

  const mayReach = ({ action, repository }: Question, scopes: Identity['scopes']): boolean => {
    if (scopes === undefined || action === 'ping') return true;
    return action === 'catalog' ? scopes.catalog : ((scopes.repositories.get(repository!) ?? 0) & rights[action]) !== 0;
  };
  const may = ({ user, action, repository, request }: Question, hasToken: boolean): boolean => {
    const isKnown = user !== undefined || hasToken || !knowsUsers;
    // Without a token or a password the base tells clients how to log in, also where pulling needs none. A list is another one
    // for each user, so that clients are asked there, too; browsers are not, which have a page for it.
    if (action === 'ping' || (action === 'catalog' && !isKnown && !request.headers.accept?.includes('text/html'))) return isKnown;
    return action === 'catalog' ? mayList(user) : (decide(user, repository!) & rights[action]) !== 0;
  };
  const access: Access = {
    hasUsers: knowsUsers,
    async identify(request) {
      const identity = knowsUsers ? await identities.identify(request) : anybody;
      count(request, identity.user);
      known.set(request, identity);
      return identity.user;
    },
    allow(question) {
      const { user, request, action, repository } = question;
      const scopes = known.get(request)?.scopes;
      if (!may(question, scopes !== undefined)) {
        if (user !== undefined || !knowsUsers) throw new Refusal('DENIED', `${user?.name ?? 'nobody'} may not ${wordOf(action)}${repository === undefined ? '' : ` ${repository}`}`);
        throw new Refusal('UNAUTHORIZED', firstQuestion, { headers: challenge(request, question) });
      }
      if (!mayReach(question, scopes)) throw new Refusal('UNAUTHORIZED', 'the token is for something else', { headers: challenge(request, question, 'insufficient_scope') });
    },
    addressOf: (request) => addresses.addressOf(request),
    sees: (user, repository) => (decide(user, repository) & rights.pull) !== 0,
    ...(immutable && {
      changeTag({ repository, tag, before, to }) {
        if (before !== to && immutable(repository, tag)) throw new Refusal('DENIED', `the tag ${tag} of ${repository} is immutable`, { detail: { tag, digest: before } });
      },
    }),
    ...(quotas && { reserve: ({ repository, bytes }) => quotas.reserve(repository, bytes) }),
  };
  const groups: RouteGroup[] = own === undefined ? [] : [createTokenPage({
    own, service, identities, passwords, decide, mayList, count: ({ request }, user) => count(request, user),
  })];
  return { access, groups };
}

function wordOf(action: Question['action']): string {
  return { ping: 'use', pull: 'pull from', push: 'push to', delete: 'delete from', catalog: 'list' }[action];
}
