/** What registries answer when they refuse, in words for people. */
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import type { ErrorCode, ErrorOptions } from '../base/errors.ts';
import { rateLimitText } from './rate-limit.ts';
import type { RateLimit } from './rate-limit.ts';

/** One entry of the error document (OCI distribution spec, "Error Codes"). */
export interface ServerError {
  code: string;
  message: string;
}

/** A registry's refusal. `code` is NOT_FOUND for 404, AUTH for 401 and 403, UNSUPPORTED for what it does not delete, else REGISTRY. */
export class RegistryError extends SiruError {
  /** HTTP status. */
  readonly status: number;
  /** What the server said, if it spoke the specification's form. */
  readonly errors: readonly ServerError[];
  /** Without user, password and signed query. */
  readonly url: string;
  /** The header: seconds, or a date. */
  readonly retryAfter?: string;

  constructor(code: ErrorCode, message: string, about: { status: number; errors: readonly ServerError[]; url: string; retryAfter?: string }, options: ErrorOptions = {}) {
    super(code, message, options);
    this.name = 'RegistryError';
    this.status = about.status;
    this.errors = about.errors;
    this.url = about.url;
    this.retryAfter = about.retryAfter;
  }
}

/** What a request was about, for messages. */
export interface Subject {
  /** The registry as the user names it. */
  registry: string;
  action: 'pull' | 'push' | 'list' | 'delete' | 'ping';
  /** `library/alpine`. */
  repository?: string;
  /** `manifest 3.20`, `blob sha256:...`. */
  what?: string;
  /** What the reply said of the registry's limit, and of when to come back. */
  rate?: RateLimit;
  retryAfter?: string;
}

const publicParameters = new Set(['n', 'last', 'digest', 'mount', 'from', 'service', 'scope', 'ns', 'tag']);

/** A URL that may be shown: no user information, and of the query only what the specification names. */
export function redactUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  shown.hash = '';
  for (const name of new Set(url.searchParams.keys())) if (!publicParameters.has(name)) shown.searchParams.set(name, 'xxx');
  return shown.href;
}

/** The list of errors in a reply's body; empty when it has another form. Text of strangers: cut and without control characters. */
export function parseServerErrors(body: Buffer): ServerError[] {
  try {
    const { errors } = JSON.parse(body.toString('utf8')) as { errors?: unknown };
    if (!Array.isArray(errors)) return [];
    return errors.slice(0, 8).map((error: { code?: unknown; message?: unknown }) => ({
      code: clean(typeof error?.code === 'string' ? error.code : 'UNKNOWN', 64),
      message: clean(typeof error?.message === 'string' ? error.message : '', 300),
    }));
  } catch {
    return [];
  }
}

function clean(text: string, length: number): string {
  // oxlint-disable-next-line no-control-regex -- they could drive the reader's terminal
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, length);
}

/** The error for a reply whose status says no. */
export function refusal(subject: Subject, status: number, errors: readonly ServerError[], url: URL): RegistryError {
  const about = { status, errors, url: redactUrl(url), retryAfter: subject.retryAfter };
  const { registry, repository, what, action } = subject;
  const name = repository === undefined ? registry : `${registry}/${repository}`;
  const said = errors.map((error) => error.message || error.code).join('; ');
  const tail = said === '' ? '' : ` (${said})`;
  const codes = new Set(errors.map((error) => error.code));

  if (status === 401 || status === 403 || codes.has('DENIED') || codes.has('UNAUTHORIZED')) {
    const login = `log in with: siru login${registry === 'docker.io' ? '' : ` ${registry}`}`;
    if (action === 'ping') return new RegistryError('AUTH', `registry ${registry} refuses these credentials${tail}`, about, { hint: 'check the user name and the password or token' });
    return new RegistryError('AUTH', `${action} access to ${name} denied${tail}`, about, {
      hint: action === 'pull' ? `the repository may not exist, or needs a login: ${login}` : login,
    });
  }
  if (status === 404) {
    if (codes.has('NAME_UNKNOWN')) {
      return new RegistryError('NOT_FOUND', `registry ${registry} has no repository ${repository}`, about, { hint: 'check the spelling of the name' });
    }
    const thing = what === undefined ? `nothing at ${about.url}` : `no ${what}${repository === undefined ? '' : ` in ${repository}`}`;
    return new RegistryError('NOT_FOUND', `registry ${registry} has ${thing}`, about, { hint: 'check the spelling of the name and the tag' });
  }
  if (status === 429) {
    return new RegistryError('REGISTRY', `registry ${registry} takes no more requests for now${subject.rate ? `: ${rateLimitText(subject.rate)}` : ''}${tail}`, about, {
      hint: 'its rate limit is used up: wait, log in for a higher limit, or configure a mirror',
    });
  }
  if (action === 'delete' && (status === 400 || status === 405)) {
    return new RegistryError('UNSUPPORTED', `registry ${registry} does not delete ${what ?? 'this'}${tail}`, about, {
      hint: 'it may be set up to delete nothing, or take a digest only: NAME@sha256:..., which takes all tags of that image with it',
    });
  }
  const doing = what === undefined ? action : `${action} of ${what}`;
  return new RegistryError('REGISTRY', `registry ${registry} answered ${status} to the ${doing}${repository === undefined ? '' : ` in ${repository}`}${tail}`, about, {
    hint: status >= 500 ? 'the fault is on the side of the registry: try again later' : undefined,
  });
}

const networkWords: Record<string, [string, string | undefined]> = {
  ECONNREFUSED: ['nothing listens there', 'is the server running, and is the port right?'],
  ECONNRESET: ['the connection was cut', undefined],
  EPIPE: ['the connection was cut', undefined],
  ETIMEDOUT: ['no answer in time', 'check the network and the proxy settings (HTTPS_PROXY, NO_PROXY)'],
  EHOSTUNREACH: ['no way to the host', 'check the network and the proxy settings (HTTPS_PROXY, NO_PROXY)'],
  ENETUNREACH: ['no way to the network', 'check the network and the proxy settings (HTTPS_PROXY, NO_PROXY)'],
  ENOTFOUND: ['no such host', 'check the name of the host; behind a firewall, configure a mirror or a proxy'],
  EAI_AGAIN: ['its name cannot be resolved now', 'check the network; behind a firewall, configure a mirror or a proxy'],
  EPROTO: ['it does not speak TLS', 'to allow plain HTTP for this host, set "insecure": true for it in the configuration file'],
};

/** The error for a request that got no answer; `proxy` is the URL of the one on the way. */
export function unreachable(url: URL, error: unknown, proxy?: string): SiruError {
  const errno = codeOf(error);
  const [words, hint] = networkWords[errno ?? ''] ?? [tunnelWords(error, errno) ?? (messageOf(error) || errno || 'unknown failure'), hintOf(errno, url)];
  const way = proxy !== undefined && errno !== undefined && !isCertificateCode(errno) ? ` by the proxy ${new URL(proxy).host}` : '';
  return new SiruError('NETWORK', `cannot reach ${url.host}${way}: ${words}`, { cause: error, hint });
}

function tunnelWords(error: unknown, errno: string | undefined): string | undefined {
  if (errno !== 'ERR_PROXY_TUNNEL') return undefined;
  const status = (error as { statusCode?: number }).statusCode;
  return status === undefined ? 'it opens no tunnel' : `it answered ${status}`;
}

function hintOf(errno: string | undefined, url: URL): string | undefined {
  if (errno === undefined) return undefined;
  if (errno === 'ERR_PROXY_TUNNEL') return 'check HTTPS_PROXY (http://user:password@host:port where it asks for them) and NO_PROXY';
  if (isCertificateCode(errno)) return `put the certificate authority into certs.d/${url.host}/ca.crt, install it on this machine, or name it in NODE_EXTRA_CA_CERTS`;
  if (/^ERR_SSL_.*_ALERT_.*(?:CERTIFICATE|HANDSHAKE_FAILURE)/.test(errno)) {
    return `it wants a certificate from this machine: put it into certs.d/${url.host}/client.cert and its key into client.key`;
  }
  return undefined;
}

/** The code of a failed connection: an errno, or one of OpenSSL's and Node's names. */
export function codeOf(error: unknown): string | undefined {
  const code = errnoOf(error) ?? (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** True when TLS worked but the certificate is not trusted by any authority known so far. */
export function isCertificateCode(code: string): boolean {
  return /^(?:SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_|CERT_)/.test(code);
}
