/**
 * Addresses of git repositories as `ADD`, contexts and named contexts take them: the repository, and behind `#` or `?`
 * what to take of it. Pure.
 *
 *     https://example.org/app.git#v1.2:docs       the tag or branch v1.2, its directory docs
 *     git@example.org:team/app.git?branch=main    by ssh
 */
import { SiruError } from '../../base/errors.ts';

export interface GitSource {
  /** The address for git, without user and password. */
  remote: string;
  /** For messages and logs; without anything secret. */
  shown: string;
  scheme: 'http' | 'https' | 'ssh' | 'git';
  /** `host` or `host:port`. */
  host: string;
  /** `user:password` of an http address, decoded. */
  userinfo?: string;
  /** Branch, tag, full ref or commit; the default branch when not given. */
  ref?: string;
  /** Directory inside the repository, without slashes at its ends; absent for all of it. */
  subdir?: string;
  /** The commit, or the beginning of its name, that the ref has to lead to. Hexadecimal. */
  checksum?: string;
  keepGitDir?: boolean;
  /** False leaves submodules out. */
  submodules?: boolean;
  /** What time the files get. */
  mtime?: 'checkout' | 'commit';
  /** Ask for the commit of `checksum` itself, wherever the ref leads by now. */
  fetchByCommit?: boolean;
  /** `github.com/...`, which could be a directory as well: contexts take it, ADD does not. */
  ambiguous?: boolean;
}

/** Longest address that is looked at. */
export const longestAddress = 8192;

const protocol = /^([a-zA-Z0-9]+):\/\//;
/** As ssh and scp write it. */
const scp = /^([a-zA-Z0-9_.+-]+)@([a-zA-Z0-9.-]+):([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

/**
 * Undefined for what is no address of a repository: an http URL is one when its path ends with `.git`. Throws CONTEXT for
 * one that is an address and says something that makes no sense.
 */
export function parseGitUrl(text: string): GitSource | undefined {
  if (text.length > longestAddress || /^\.\.?\//.test(text)) return undefined;
  if (text.startsWith('github.com/')) {
    return { ...fromUrl(`https://${text}`, true)!, ambiguous: true };
  }
  if (protocol.test(text)) return fromUrl(text);
  const found = scp.exec(text);
  if (!found) return undefined;
  const [, user, host, path, query, fragment] = found as unknown as [string, string, string, string, string | undefined, string | undefined];
  // git would take the host for an option of ssh.
  if (host.startsWith('-') || user.startsWith('-')) throw wrong(text, 'its host or user begins with a hyphen');
  const remote = `${user}@${host}:${path}`;
  return withOptions({ remote, shown: printable(remote), scheme: 'ssh', host }, query, fragment);
}

/** `any` path will do; else http needs one that ends with `.git`. */
function fromUrl(text: string, any = false): GitSource | undefined {
  const scheme = protocol.exec(text)![1]!.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https' && scheme !== 'ssh' && scheme !== 'git') return undefined;
  const [address, query, fragment] = splitAddress(text);
  if ((scheme === 'http' || scheme === 'https') && !any && !address.endsWith('.git')) return undefined;
  if (!URL.canParse(address)) throw wrong(text, 'it is no URL');
  const url = new URL(address);
  const { username, password } = url;
  // Of ssh the user is part of the address and nothing secret.
  const user = scheme === 'ssh' && username !== '' ? `${username}@` : '';
  const path = url.pathname === '/' && !address.endsWith('/') ? '' : url.pathname;
  const remote = `${scheme}://${user}${url.host}${path}`;
  if (url.host === '' || url.host.startsWith('-') || username.startsWith('-')) throw wrong(text, 'its host or user is missing or begins with a hyphen');
  const source: GitSource = { remote, shown: printable(remote), scheme, host: url.host };
  if (scheme !== 'ssh' && (username !== '' || password !== '')) source.userinfo = `${decoded(username)}:${decoded(password)}`;
  return withOptions(source, query, fragment);
}

function splitAddress(text: string): [address: string, query: string | undefined, fragment: string | undefined] {
  const hash = text.indexOf('#');
  const fragment = hash < 0 ? undefined : text.slice(hash + 1);
  const rest = hash < 0 ? text : text.slice(0, hash);
  const mark = rest.indexOf('?');
  return [mark < 0 ? rest : rest.slice(0, mark), mark < 0 ? undefined : rest.slice(mark + 1), fragment];
}

function withOptions(source: GitSource, query: string | undefined, fragment: string | undefined): GitSource {
  const result: GitSource = { ...source };
  if (/\p{Cc}/u.test(`${source.remote}${query ?? ''}${fragment ?? ''}`)) throw wrong(source.shown, 'it holds a control character');
  if (fragment !== undefined && fragment !== '') {
    const text = decoded(fragment);
    const colon = text.indexOf(':');
    const ref = colon < 0 ? text : text.slice(0, colon);
    if (ref !== '') result.ref = ref;
    if (colon >= 0 && colon + 1 < text.length) result.subdir = text.slice(colon + 1);
  }
  if (query) readQuery(result, query);
  checkOptions(result);
  return result;
}

function readQuery(source: GitSource, query: string): void {
  const parameters = new URLSearchParams(query);
  const { shown } = source;
  let tag: string | undefined;
  let branch: string | undefined;
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name);
    if (values.length > 1) throw wrong(shown, `query ${JSON.stringify(name)} has multiple values`);
    const value = values[0]!;
    const flag = name === 'submodules' || name === 'keep-git-dir' || name === 'fetch-by-commit';
    if (value === '' && !flag) throw wrong(shown, `query ${JSON.stringify(name)} has no value`);
    switch (name) {
      case 'ref':
        source.ref = sameOr(source.ref, value, 'ref', shown);
        break;
      case 'tag':
        tag = value.startsWith('refs/tags/') ? value : `refs/tags/${value}`;
        break;
      case 'branch':
        branch = value.startsWith('refs/heads/') ? value : `refs/heads/${value}`;
        break;
      case 'subdir':
        source.subdir = sameOr(source.subdir, value, 'subdir', shown);
        break;
      case 'checksum':
      case 'commit':
        source.checksum = sameOr(source.checksum, value, 'checksum', shown);
        break;
      case 'keep-git-dir':
        source.keepGitDir = truth(value, name, shown);
        break;
      case 'submodules':
        source.submodules = truth(value, name, shown);
        break;
      case 'fetch-by-commit':
        source.fetchByCommit = truth(value, name, shown);
        break;
      case 'mtime':
        if (value !== 'checkout' && value !== 'commit') throw wrong(shown, `invalid mtime value: ${JSON.stringify(value)}`);
        source.mtime = value;
        break;
      default:
        throw wrong(shown, `unexpected query ${JSON.stringify(name)}`);
    }
  }
  if (tag !== undefined && branch !== undefined) throw wrong(shown, 'branch conflicts with tag');
  const wanted = tag ?? branch;
  if (wanted !== undefined) source.ref = sameOr(source.ref, wanted, 'ref', shown);
}

/** `refs/heads/a` without what is no name of a ref, so that nothing else can hide in it. */
const refForm = /^(?![-+/.])(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|\/$|\.$))[^\0- ~^:?*[\\\x7f]+$/;

function checkOptions(source: GitSource): void {
  const { shown, checksum } = source;
  if (checksum !== undefined) {
    if (!/^[0-9a-fA-F]{1,64}$/.test(checksum)) throw wrong(shown, `invalid checksum ${JSON.stringify(checksum)}: expected a commit in hexadecimal`);
    source.checksum = checksum.toLowerCase();
    source.ref ??= source.checksum;
  }
  if (source.fetchByCommit && !isCommit(source.checksum)) throw wrong(shown, 'fetch-by-commit needs the whole commit: add commit=');
  if (source.ref !== undefined && !refForm.test(source.ref)) throw wrong(shown, `${JSON.stringify(source.ref)} is no name of a branch, a tag or a commit`);
  if (source.subdir !== undefined) {
    const parts = source.subdir.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw wrong(shown, `the subdirectory ${JSON.stringify(source.subdir)} leads out of the repository`);
    if (parts.length === 0) delete source.subdir;
    else source.subdir = parts.join('/');
  }
}

/** True for the whole name of a commit, of SHA-1 or SHA-256. */
export function isCommit(text: string | undefined): boolean {
  return text !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** False for an address that names its commit itself. */
export function asksServer({ ref, fetchByCommit }: GitSource): boolean {
  return !fetchByCommit && !isCommit(ref);
}

function sameOr(before: string | undefined, value: string, what: string, shown: string): string {
  if (before !== undefined && before !== value) throw wrong(shown, `${what} conflicts: ${JSON.stringify(before)} vs ${JSON.stringify(value)}`);
  return value;
}

function truth(value: string, name: string, shown: string): boolean {
  const flag = value === '' || flagValue(value);
  if (flag === undefined) throw wrong(shown, `invalid ${name} value: ${JSON.stringify(value)}`);
  return flag;
}

/** As Go reads booleans; undefined for other words. */
export function flagValue(text: string): boolean | undefined {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  return /^(?:0|f|false)$/i.test(text) ? false : undefined;
}

/** Percent signs decoded; a text with a lone one stands for itself. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * An address as people may see it: no user and password, also where the password has a `/`, `?` or `#` that ends the host by
 * the rules (a colon without a port behind it tells), and nothing that moves a terminal's cursor.
 */
export function printable(address: string): string {
  return address.replace(/^([a-zA-Z0-9+.-]+:\/\/)(?:[^/?#]*@|[^/?#@:]*:(?!\d+(?:[/?#]|$))[^@]*@)/, '$1').replace(/\p{Cc}/gu, '?');
}

function wrong(text: string, why: string): SiruError {
  return new SiruError('CONTEXT', `the git address ${printable(text)}: ${why}`, {
    hint: 'It has the form https://HOST/PATH.git#REF:DIRECTORY, or https://HOST/PATH.git?ref=REF&subdir=DIRECTORY.',
  });
}
