/** Image references: `[domain/]path[:tag][@digest]` (grammar of distribution/reference). */
import { SiruError } from '../base/errors.ts';
import type { Digest } from './digest.ts';

export interface Reference {
  /** `docker.io`, `localhost:5000`, ... */
  domain: string;
  /** `library/alpine`. */
  path: string;
  tag?: string;
  digest?: Digest;
}

export const defaultDomain = 'docker.io';
export const defaultTag = 'latest';

/** Longest path of a repository, in characters. */
export const maxPathLength = 255;
/** Longest text that is looked at: a host name, a path, a tag and the longest digest, with room to spare. */
const maxTextLength = 2048;

const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = String.raw`(?:${domainComponent}(?:\.${domainComponent})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`;
const pathComponent = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const path = `${pathComponent}(?:/${pathComponent})*`;
const tag = String.raw`[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}`;
const digest = String.raw`[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}`;

// Compiled at the first use: importing this file costs nothing.
let compiled: { reference: RegExp; name: RegExp; domain: RegExp; tag: RegExp } | undefined;
const grammar = (): NonNullable<typeof compiled> =>
  (compiled ??= {
    reference: new RegExp(`^(?:(${domain})/)?(${path})(?::(${tag}))?(?:@(${digest}))?$`),
    name: new RegExp(`^(?:(${domain})/)?(${path})$`),
    domain: new RegExp(`^${domain}$`),
    tag: new RegExp(`^${tag}$`),
  });

/** Hex digits of the digests that a reference may carry. */
const digestLengths: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };

/**
 * Reads a reference as docker's commands do: without a registry it is on docker.io, and one name alone is in `library/`.
 * No tag is added. Throws REFERENCE.
 */
export function parseReference(text: string): Reference {
  if (isBareId(text)) {
    throw wrong(text, 'it is an image ID, not a name', 'A name may not be 64 hexadecimal digits; add a registry before it, or use the ID where an image is asked for.');
  }
  const [host, rest] = splitDomain(text);
  return parseQualified(`${host}/${rest}`, text);
}

/** Like parseReference(), with the tag `latest` when there is neither tag nor digest. Throws REFERENCE. */
export function parseReferenceWithTag(text: string): Reference {
  const reference = parseReference(text);
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: defaultTag } : reference;
}

/** A reference exactly as written: nothing is added, and `domain` is empty when no registry is named. Throws REFERENCE. */
export function parseBareReference(text: string): Reference {
  return parseQualified(text, text);
}

/** A reference, or the digest that an image ID of 64 hexadecimal digits (or `sha256:` with them) means. Throws REFERENCE. */
export function parseReferenceOrId(text: string): Reference | Digest {
  if (isBareId(text)) return `sha256:${text}`;
  if (text.startsWith('sha256:') && isBareId(text.slice(7))) return text as Digest;
  return parseReference(text);
}

/** `domain/path[:tag][@digest]`. */
export function formatReference(reference: Reference): string {
  return `${reference.domain === '' ? '' : `${reference.domain}/`}${reference.path}${suffix(reference)}`;
}

/** As people write it: `docker.io/` and `library/` left out wherever parseReference() puts them back. */
export function familiarReference(reference: Reference): string {
  return `${familiarName(reference)}${suffix(reference)}`;
}

/** The familiar form without tag and digest, as the column REPOSITORY shows it. */
export function familiarName({ domain: host, path: name }: Reference): string {
  const full = host === '' ? name : `${host}/${name}`;
  if (host !== defaultDomain) return full;
  const short = /^library\/[^/]+$/.test(name) ? name.slice('library/'.length) : name;
  const [backHost, backName] = splitDomain(short);
  return !isBareId(short) && backHost === host && backName === name ? short : full;
}

/** Without the tag when there is a digest: the digest decides, the tag is only a remark. */
export function withoutIdleTag(reference: Reference): Reference {
  if (reference.digest === undefined || reference.tag === undefined) return reference;
  const { tag: _tag, ...rest } = reference;
  return rest;
}

/** The host of the registry's API: Docker Hub's differs from its name. */
export function registryHost(reference: Pick<Reference, 'domain'>): string {
  return reference.domain === defaultDomain ? 'registry-1.docker.io' : reference.domain;
}

/** True for `host[:port]` as references allow it. */
export function isDomain(text: string): boolean {
  return text.length <= maxTextLength && grammar().domain.test(text);
}

export function isTag(text: string): boolean {
  return grammar().tag.test(text);
}

/** Splits a name without tag and digest at the place where the grammar sees a domain; undefined when it is no name. */
export function splitName(text: string): { domain: string; path: string } | undefined {
  const match = text.length <= maxTextLength ? grammar().name.exec(text) : null;
  return match ? { domain: match[1] ?? '', path: match[2]! } : undefined;
}

function suffix({ tag: label, digest: pin }: Reference): string {
  return `${label === undefined ? '' : `:${label}`}${pin === undefined ? '' : `@${pin}`}`;
}

function isBareId(text: string): boolean {
  return /^[a-f0-9]{64}$/.test(text);
}

/** Where the registry ends, by docker's rule: a first part that looks like a host is one. */
function splitDomain(text: string): [host: string, rest: string] {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isHost = slash >= 0 && (first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first);
  const host = !isHost || first === 'index.docker.io' ? defaultDomain : first;
  const rest = isHost ? text.slice(slash + 1) : text;
  return [host, host === defaultDomain && !rest.includes('/') ? `library/${rest}` : rest];
}

function parseQualified(text: string, original: string): Reference {
  if (original === '') throw wrong(original, 'it is empty', 'Name an image, as in alpine:3.20 or registry.example.com/team/app:1.0.');
  if (text.length > maxTextLength) throw wrong(original, `it is longer than ${maxTextLength} characters`);
  const match = grammar().reference.exec(text);
  if (!match) throw explain(text, original);
  const [, host = '', name = '', label, pin] = match;
  if (name.length > maxPathLength) throw wrong(original, `its repository name is longer than ${maxPathLength} characters`);
  const reference: Reference = { domain: host, path: name };
  if (label !== undefined) reference.tag = label;
  if (pin !== undefined) reference.digest = checkDigest(pin, original);
  return reference;
}

function checkDigest(text: string, original: string): Digest {
  const [algorithm = '', hex = ''] = text.split(':');
  const length = digestLengths[algorithm];
  if (length === undefined) {
    throw wrong(original, `${JSON.stringify(algorithm)} is no digest algorithm that is supported`, 'Use a digest of the form sha256:<64 hexadecimal digits>.');
  }
  if (hex.length !== length) throw wrong(original, `a ${algorithm} digest has ${length} hexadecimal digits, this one ${hex.length}`);
  if (hex !== hex.toLowerCase()) throw wrong(original, 'the digits of a digest are lower-case', `Write ${algorithm}:${hex.toLowerCase()}`);
  return text as Digest;
}

/** Says what is wrong with text that does not match the grammar. */
function explain(text: string, original: string): SiruError {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(original)) {
    return wrong(original, 'it is a URL', `Leave out the scheme: ${original.replace(/^[^:]*:\/\//, '')}`);
  }
  if (/\s/.test(original)) return wrong(original, 'it contains white space');
  const name = /^(?:[^/]*\/)?([^:@]*)/.exec(text)?.[1] ?? '';
  if (name !== name.toLowerCase()) {
    const lower = original.replace(/^[^@]*/, (head) => {
      const colon = head.indexOf(':', head.lastIndexOf('/') + 1);
      return colon < 0 ? head.toLowerCase() : head.slice(0, colon).toLowerCase() + head.slice(colon);
    });
    return wrong(original, 'repository names are lower-case', `Did you mean ${lower}?`);
  }
  const at = original.indexOf('@');
  if (at >= 0 && !new RegExp(`^${digest}$`).test(original.slice(at + 1))) {
    return wrong(original, 'what follows the @ is no digest', 'A digest has the form sha256:<64 hexadecimal digits>.');
  }
  if (original.includes('//')) return wrong(original, 'a part of its path is empty');
  if (original.endsWith('/')) return wrong(original, 'it ends with a slash');
  const last = (at >= 0 ? original.slice(0, at) : original).slice(original.slice(0, at >= 0 ? at : undefined).lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  if (colon >= 0 && !isTag(last.slice(colon + 1))) {
    return wrong(original, `${JSON.stringify(last.slice(colon + 1))} is no tag`, 'A tag has up to 128 letters, digits, _, . and -, and does not begin with . or -.');
  }
  return wrong(original, 'invalid reference format', 'A reference is [registry[:port]/]path[:tag][@digest]; the parts of the path are a-z, 0-9 with single . _ or - between them.');
}

function wrong(text: string, why: string, hint?: string): SiruError {
  return new SiruError('REFERENCE', `not an image reference: ${JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}...` : text)}: ${why}`, { hint });
}
