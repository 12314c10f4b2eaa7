/** What the text of a context means: a directory, standard input, a URL, a repository, an image. Pure. */
import { SiruError } from '../../base/errors.ts';
import { parseGitUrl, longestAddress, printable, type GitSource } from './git-url.ts';

export type ContextSpec =
  | { type: 'directory'; path: string }
  | { type: 'stdin' }
  /** An archive or a Dockerfile. */
  | { type: 'http'; url: string }
  | { type: 'git'; git: GitSource };

export type NamedSpec =
  | Exclude<ContextSpec, { type: 'stdin' }>
  | { type: 'image'; reference: string }
  /** An image in an OCI layout; with neither tag nor digest the one called latest, else the only one. */
  | { type: 'layout'; path: string; tag?: string; digest?: string };

/** The main context. `isDirectory` tells whether a path of this machine is one: a directory comes first. */
export function parseContext(text: string, isDirectory: (path: string) => boolean): ContextSpec {
  if (text === '-') return { type: 'stdin' };
  refuseUnclean(text);
  if (isDirectory(text)) return { type: 'directory', path: text };
  const git = parseGitUrl(text);
  if (git) return { type: 'git', git };
  if (isHttp(text)) return { type: 'http', url: text };
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(text)?.[1];
  if (scheme !== undefined) {
    throw new SiruError('CONTEXT', `the build context ${printable(text)}: ${scheme}:// is no kind of context`, {
      hint: scheme === 'docker-image' || scheme === 'oci-layout' ? 'An image can be a named context: --build-context NAME=VALUE.' : 'A context is a directory, - for standard input, an http(s) URL or a git repository.',
    });
  }
  return { type: 'directory', path: text };
}

/** The value of a named context. Throws CONTEXT, UNSUPPORTED. */
export function parseNamedContext(name: string, value: string): NamedSpec {
  refuseUnclean(value);
  const bad = (why: string, hint?: string): SiruError => new SiruError('CONTEXT', `the context ${name}=${printable(value)}: ${why}`, { hint });
  if (value.startsWith('docker-image://')) {
    const reference = value.slice('docker-image://'.length);
    if (reference === '') throw bad('it names no image');
    return { type: 'image', reference };
  }
  if (value.startsWith('oci-layout://')) return parseLayout(value.slice('oci-layout://'.length), bad);
  if (/^(?:target|input):/.test(value)) {
    throw new SiruError('UNSUPPORTED', `the context ${name}=${printable(value)} needs other targets of the same call, which a single build has not`, {
      hint: 'Build that target first and give its result: docker-image://NAME.',
    });
  }
  const git = parseGitUrl(value);
  if (git) return { type: 'git', git };
  if (isHttp(value)) return { type: 'http', url: value };
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(value)?.[1];
  if (scheme !== undefined) throw bad(`${scheme}:// is no kind of context`, 'A named context is a directory, docker-image://NAME, oci-layout://PATH, an http(s) URL or a git repository.');
  if (value === '') throw bad('it has no value');
  return { type: 'directory', path: value };
}

function parseLayout(text: string, bad: (why: string) => SiruError): NamedSpec {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const rest = at < 0 ? text : text.slice(0, at);
  // A colon before the last slash belongs to the path.
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (path === '') throw bad('it names no directory');
  if (tag === '' || digest === '') throw bad('there is nothing behind the last : or @');
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) throw bad(`${digest} is no sha256 digest`);
  return { type: 'layout', path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** True for the address of a file: http or https, and no repository. */
export function isHttp(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

function refuseUnclean(text: string): void {
  if (text.length > longestAddress) throw new SiruError('CONTEXT', `the build context has a name of ${text.length} characters; at most ${longestAddress} are taken`);
  if (text.includes('\0')) throw new SiruError('CONTEXT', 'the build context has a name with a NUL');
}
