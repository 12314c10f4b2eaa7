/** What sources are called in a lock file: as people write them, and without anything secret. Pure. */
import { familiarReference, type Reference } from '../../oci/reference.ts';
import type { GitSource } from '../contexts/git-url.ts';

/** Hides the secrets of the build in a text. */
export type Mask = (text: string) => string;

/** With its tag. */
export function imageName(reference: Reference): string {
  return familiarReference({ ...reference, tag: reference.tag ?? 'latest' });
}

/** Without user and password; the query is a part of what is asked for. */
export function urlName(address: string, mask: Mask): string {
  const url = new URL(address);
  url.username = url.password = url.hash = '';
  return oneWord(mask(url.href));
}

/** The repository and what is asked of it; which directory of it is taken does not matter. */
export function gitName({ shown, ref }: GitSource, mask: Mask): string {
  return oneWord(mask(`${shown}${ref === undefined ? '' : `#${ref}`}`));
}

function oneWord(text: string): string {
  return text.replace(/[\s\p{Cc}]/gu, encodeURIComponent);
}
