/** Stored names as people write them. */
import { familiarName, familiarReference, parseReference } from '../oci/reference.ts';

/** `docker.io/library/app:1` is `app:1`. */
export function shortName(name: string): string {
  return familiarReference(parseReference(name));
}

/** Repository, tag and digest of a stored name, `<none>` for what is not there. */
export function nameParts(name: string): { repository: string; tag: string; digest: string } {
  const reference = parseReference(name);
  return { repository: familiarName(reference), tag: reference.tag ?? '<none>', digest: reference.digest ?? '<none>' };
}
