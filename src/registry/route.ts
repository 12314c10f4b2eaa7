/** From a path below /v2/ to what it means. Names of repositories have slashes, so it is read from its end. */
import type { Digest } from '../oci/digest.ts';
import { isTag } from '../oci/reference.ts';
import { isRepositoryName, parseKnownDigest } from './names.ts';
import { Refusal } from './refusal.ts';

export type Route =
  | { route: 'base' }
  | { route: 'catalog' }
  | { route: 'manifest'; repository: string; tag?: string; digest?: Digest }
  | { route: 'blob'; repository: string; digest: Digest }
  | { route: 'uploads'; repository: string }
  | { route: 'upload'; repository: string; id: string }
  | { route: 'tags'; repository: string }
  | { route: 'referrers'; repository: string; digest: Digest };

/** Undefined for a path that the specification does not know. Throws NAME_INVALID, DIGEST_INVALID, TAG_INVALID. */
export function parseRoute(path: string): Route | undefined {
  if (path === '/v2/' || path === '/v2') return { route: 'base' };
  if (!path.startsWith('/v2/')) return undefined;
  const parts = decode(path.slice(4)).split('/');
  if (parts.length === 1 && parts[0] === '_catalog') return { route: 'catalog' };
  const last = parts.at(-1)!;
  const before = parts.at(-2);
  const nameBefore = (count: number): string => nameOf(parts.slice(0, -count).join('/'));
  if (before === 'manifests') return { route: 'manifest', repository: nameBefore(2), ...referenceOf(last) };
  if (before === 'tags' && last === 'list') return { route: 'tags', repository: nameBefore(2) };
  if (before === 'referrers') return { route: 'referrers', repository: nameBefore(2), digest: digestOf(last) };
  if (parts.at(-3) === 'blobs' && before === 'uploads') {
    return last === '' ? { route: 'uploads', repository: nameBefore(3) } : { route: 'upload', repository: nameBefore(3), id: last };
  }
  if (before === 'blobs') return last === 'uploads' ? { route: 'uploads', repository: nameBefore(2) } : { route: 'blob', repository: nameBefore(2), digest: digestOf(last) };
  return undefined;
}

function decode(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    throw new Refusal('NAME_INVALID', 'the path is not percent-encoded UTF-8');
  }
}

function nameOf(text: string): string {
  if (isRepositoryName(text)) return text;
  throw new Refusal('NAME_INVALID', `not a name of a repository: ${JSON.stringify(text.slice(0, 300))}`);
}

function digestOf(text: string): Digest {
  const digest = parseKnownDigest(text);
  if (digest === undefined) throw new Refusal('DIGEST_INVALID', `not a sha256 or sha512 digest: ${JSON.stringify(text.slice(0, 200))}`);
  return digest;
}

function referenceOf(text: string): { tag: string } | { digest: Digest } {
  if (text.includes(':')) return { digest: digestOf(text) };
  if (isTag(text)) return { tag: text };
  throw new Refusal('TAG_INVALID', `not a tag: ${JSON.stringify(text.slice(0, 200))}`);
}
