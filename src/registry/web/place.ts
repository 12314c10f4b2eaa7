/** Addresses of the pages. What follows `/r/` is a reference, as commands take it without the host: `team/app:1.0`. */
import { isTag } from '../../oci/reference.ts';
import type { Digest } from '../../oci/digest.ts';
import { isRepositoryName, parseKnownDigest } from '../names.ts';

export interface Place {
  repository: string;
  tag?: string;
  digest?: Digest;
}

/** The path of a page below `/r/` or `/delete/`. Undefined when it is none. */
export function parsePlace(path: string): Place | undefined {
  let text: string;
  try {
    text = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const at = text.indexOf('@');
  const colon = text.indexOf(':');
  if (at >= 0) {
    const digest = parseKnownDigest(text.slice(at + 1));
    const repository = text.slice(0, at);
    return digest !== undefined && isRepositoryName(repository) ? { repository, digest } : undefined;
  }
  const repository = colon < 0 ? text : text.slice(0, colon);
  if (!isRepositoryName(repository)) return undefined;
  if (colon < 0) return { repository };
  const tag = text.slice(colon + 1);
  return isTag(tag) ? { repository, tag } : undefined;
}

/** `team/app:1.0`, `team/app@sha256:...` */
export function referenceOf({ repository, tag, digest }: Place): string {
  return `${repository}${digest !== undefined ? `@${digest}` : tag !== undefined ? `:${tag}` : ''}`;
}

/** Names, tags and digests have no character that a path cannot have. */
export function pagePath(place: Place, page: 'r' | 'delete' = 'r'): string {
  return `/${page}/${referenceOf(place)}`;
}
