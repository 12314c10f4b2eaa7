/** The group `access` of the configuration: who may do what, and how much. */
import type { GroupShape, Shape } from '../config/shape.ts';
import { patternFault } from './pattern.ts';

export interface RuleConfiguration {
  repositories: string[];
  users?: string[];
  groups?: string[];
  allow: ('pull' | 'push' | 'delete')[];
}

export interface IssuerConfiguration {
  issuer: string;
  keys: string;
  audience: string[];
  algorithms?: string[];
  user?: string;
  groups?: string;
  prefix?: string;
}

export interface TokensConfiguration {
  key?: string;
  service?: string;
  realm?: string;
  lifetime?: number;
  refresh?: number;
}

export interface QuotaConfiguration {
  repositories?: string[];
  namespaces?: string[];
  size: number;
}

export interface ImmutableConfiguration {
  repositories: string[];
  tags: string[];
}

export interface LimitsConfiguration {
  users?: number;
  anonymous?: number;
  failures?: number;
}

export interface AccessConfiguration {
  users?: string;
  anonymous?: 'none' | 'pull';
  plainPasswords?: boolean;
  groups?: Record<string, string[]>;
  rules?: RuleConfiguration[];
  tokens?: TokensConfiguration;
  issuers?: IssuerConfiguration[];
  immutable?: ImmutableConfiguration[];
  quotas?: QuotaConfiguration[];
  limits?: LimitsConfiguration;
  proxies?: string[];
}

/** None that is made of a secret that both sides know, and not `none`. */
export const tokenAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

const texts = (about: string, check?: (text: string) => string | undefined): Shape => ({ type: 'list', about, of: { type: 'text', about: '', ...(check && { check }) } });
const patterns = (about: string): Shape => texts(about, patternFault);
const perMinute = (about: string, standard?: string): Shape => ({ type: 'number', about, least: 1, most: 10_000_000, ...(standard !== undefined && { default: standard }) });

export const accessShape: GroupShape = {
  type: 'group',
  about: 'Who may do what, and how much. Without it everybody may do everything.',
  members: {
    users: { type: 'path', about: 'Password file with bcrypt hashes, as `siru registry user add` and `htpasswd -B` write it; read again when it changes.' },
    anonymous: { type: 'text', oneOf: ['none', 'pull'], about: 'What may be done without logging in, where the rules allow it.', default: 'none' },
    plainPasswords: { type: 'flag', about: 'Take passwords over http from other machines, too.', default: 'false' },
    groups: { type: 'map', about: 'Groups of users, for rules.', of: texts('Their names.') },
    rules: {
      type: 'list',
      about: 'The first rule that fits repository and user decides; where none fits, nothing is allowed.',
      of: {
        type: 'group',
        about: '',
        required: ['repositories', 'allow'],
        members: {
          repositories: patterns('Patterns: `*` within a component, `**` across them, `${user}` is the name of who asks.'),
          users: texts('Names; `*` is everybody who is logged in. Without users and groups the rule is for all.'),
          groups: texts('Names of groups.'),
          allow: { type: 'list', about: 'Any of pull, push (which includes pull) and delete; an empty list is nothing.', of: { type: 'text', about: '', oneOf: ['pull', 'push', 'delete'] } },
        },
      },
    },
    tokens: {
      type: 'group',
      about: 'The tokens that the registry gives for passwords, at `/token`.',
      members: {
        key: { type: 'path', about: 'PEM file with the private key that signs them: EC P-256, Ed25519 or RSA. It is made when it is not there.', default: '.siru/token-key.pem below the root' },
        service: { type: 'text', about: 'The name of the registry in tokens.', default: 'siru-registry' },
        realm: { type: 'text', about: 'Where clients are sent for a token, when it is not this server.', check: urlFault },
        lifetime: { type: 'duration', about: 'How long a token is good.', default: '5m' },
        refresh: { type: 'duration', about: 'How long a token is good that clients may keep in place of the password; none is given without this.' },
      },
    },
    issuers: {
      type: 'list',
      about: 'Others whose tokens (JWT) are taken.',
      of: {
        type: 'group',
        about: '',
        required: ['issuer', 'keys', 'audience'],
        members: {
          issuer: { type: 'text', about: 'The claim `iss` of its tokens.' },
          keys: { type: 'text', about: 'Its keys (JWKS): an https address, or the absolute path of a file.', check: keysFault },
          audience: texts('The claim `aud`: one of these.'),
          algorithms: { type: 'list', about: `Signatures that are taken, of ${tokenAlgorithms.join(', ')}; all of them when not given.`, of: { type: 'text', about: '', oneOf: tokenAlgorithms } },
          user: { type: 'text', about: 'The claim with the name of the user.', default: 'sub' },
          groups: { type: 'text', about: 'The claim with the groups.', default: 'groups' },
          prefix: { type: 'text', about: 'Stands before its names of users and groups, so that they are no others\'.' },
        },
      },
    },
    immutable: {
      type: 'list',
      about: 'Tags that neither move nor go.',
      of: {
        type: 'group',
        about: '',
        required: ['repositories', 'tags'],
        members: {
          repositories: patterns('Patterns of repositories.'),
          tags: texts('Patterns of tags; one with `!` before it takes tags out again.', (text) => patternFault(text.replace(/^!/, ''))),
        },
      },
    },
    quotas: {
      type: 'list',
      about: 'How many bytes there may be. All that fit hold.',
      of: {
        type: 'group',
        about: '',
        required: ['size'],
        members: {
          repositories: patterns('Each repository that fits may have the size.'),
          namespaces: patterns('Each namespace that fits may have the size: `team` is all of `team/...` together.'),
          size: { type: 'size', about: 'Bytes. A blob counts once in each repository that has it.' },
        },
      },
    },
    limits: {
      type: 'group',
      about: 'Requests a minute; a client may save up the requests of one minute.',
      members: {
        users: perMinute('Of one user.'),
        anonymous: perMinute('Of one address without login; IPv6 addresses count by their first 64 bits.'),
        failures: perMinute('Wrong passwords and tokens of one address.', '30'),
      },
    },
    proxies: texts('Addresses or networks (`10.0.0.0/8`) of proxies before the registry: what they say in X-Forwarded-For and X-Forwarded-Proto is believed.', networkFault),
  },
};

function urlFault(text: string): string | undefined {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? undefined : 'is no http address';
}

function keysFault(text: string): string | undefined {
  if (text.startsWith('/')) return undefined;
  if (!URL.canParse(text)) return 'is neither an https address nor an absolute path';
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return 'has a user name or a password in it';
  // What can be changed on the way is no key.
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)) ? undefined : 'is neither an https address nor an absolute path';
}

function networkFault(text: string): string | undefined {
  return /^[0-9a-fA-F:.]+(?:\/\d{1,3})?$/.test(text) ? undefined : 'is no address and no network';
}
