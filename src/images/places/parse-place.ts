/** Places as people name them. The words before the colon are skopeo's where it has them. */
import { SiruError } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Reference } from '../../oci/reference.ts';

export type PlaceName =
  | { kind: 'registry'; reference: Reference }
  | { kind: 'store'; name: string }
  /** A folder with an OCI image layout, or a tar of one. `tag` is what its `index.json` calls the image. */
  | { kind: 'oci' | 'oci-archive'; path: string; tag?: string; digest?: Digest }
  /** What `docker save` writes. */
  | { kind: 'docker-archive'; path: string; tag?: string };

const known = /^(docker|store|oci|oci-archive|docker-archive):(.*)$/s;
const foreign = /^(dir|containers-storage|docker-daemon|ostree|tarball|sif|atomic):/;

/**
 * `NAME[:TAG][@DIGEST]` or `docker://NAME` in a registry, `store:IMAGE`, `oci:FOLDER[:TAG]`, `oci-archive:FILE[:TAG]`,
 * `docker-archive:FILE[:NAME]`; layouts also with `@DIGEST`. Throws USAGE, REFERENCE, UNSUPPORTED.
 */
export function parsePlace(text: string): PlaceName {
  const [, kind, rest = ''] = known.exec(text) ?? [];
  if (kind === undefined) {
    const word = foreign.exec(text)?.[1];
    if (word !== undefined && /^[^:]*:[./]/.test(text)) {
      throw new SiruError('UNSUPPORTED', `${text}: ${word}: is a kind of place that Siru does not know`, { hint: 'it knows registries, store:, oci:, oci-archive: and docker-archive:' });
    }
    return { kind: 'registry', reference: parseReference(text) };
  }
  if (kind === 'docker') {
    if (!rest.startsWith('//')) throw new SiruError('USAGE', `${text}: it is written docker://NAME`, { hint: `for an image of the name docker: docker://${text}` });
    return { kind: 'registry', reference: parseReference(rest.slice(2)) };
  }
  if (rest === '') throw new SiruError('USAGE', `${text}: nothing follows the colon`, { hint: `for an image of the name ${kind}: docker://${kind}` });
  if (kind === 'store') return { kind, name: rest };
  const [before, digest] = splitDigest(rest);
  const colon = before.indexOf(':');
  const path = colon < 0 ? before : before.slice(0, colon);
  const tag = colon < 0 ? undefined : before.slice(colon + 1);
  if (path === '' || tag === '') throw new SiruError('USAGE', `${text}: it is written ${kind}:PATH or ${kind}:PATH:TAG`);
  if (kind === 'docker-archive') {
    if (digest !== undefined) throw new SiruError('USAGE', `${text}: an archive of docker names no digests`);
    return { kind, path, ...(tag === undefined ? {} : { tag }) };
  }
  return { kind: kind as 'oci' | 'oci-archive', path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

function splitDigest(text: string): [string, Digest | undefined] {
  const found = /^(.+)@((?:sha256:[0-9a-f]{64})|(?:sha512:[0-9a-f]{128}))$/s.exec(text);
  return found ? [found[1]!, found[2] as Digest] : [text, undefined];
}
