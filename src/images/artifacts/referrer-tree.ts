/** What refers to an image, and what refers to that. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isIndex, mediaTypes } from '../../oci/media-types.ts';
import { readDocuments } from '../read.ts';
import { referrerFacts } from '../places/layout-source.ts';
import type { Source } from '../places/place.ts';
import { together } from '../together.ts';
import { titleKey } from './attach.ts';

export interface ArtifactFile {
  /** As whoever made the artifact says; not a path that may be trusted. */
  name?: string;
  descriptor: Descriptor;
}

export interface Referrer {
  mediaType: string;
  digest: Digest;
  /** Bytes of the manifest. */
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
  files: ArtifactFile[];
  referrers: Referrer[];
}

const parallel = 4;
const mostNodes = 1000;
const deepest = 8;

/** Only those of a type when it is given, and what refers to them. What is listed but does not refer to the subject is left out with a warning. */
export async function readReferrers(source: Source, subject: Digest, artifactType: string | undefined, context: Context): Promise<Referrer[]> {
  const seen = new Set<Digest>([subject]);
  const below = async (of: Digest, type: string | undefined, depth: number, inner: Context): Promise<Referrer[]> => {
    if (depth > deepest) return [];
    const listed = (await source.referrers(of, inner)).filter((one) => (type === undefined || one.artifactType === undefined || one.artifactType === type) && !seen.has(one.digest));
    for (const { digest } of listed) seen.add(digest);
    if (seen.size > mostNodes) throw new SiruError('DOCUMENT', `more than ${mostNodes} artifacts refer to ${subject}`, { hint: 'narrow them with --artifact-type' });
    const read = await together(listed, parallel, inner, async (entry, at): Promise<Referrer[]> => {
      const document = await source.manifest(entry, at);
      const { subject: own, ...facts } = document ? referrerFacts(document) : {};
      if (!document || own?.digest !== of) {
        context.emit({ type: 'warning', text: `${source.name}: ${entry.digest} is listed as referring to ${of}, but ${document ? 'does not' : 'is not there'}` });
        return [];
      }
      if (type !== undefined && facts.artifactType !== type) return [];
      const { mediaType, digest, bytes } = document;
      return [{ mediaType, digest, size: bytes.length, ...facts, files: filesIn(document), referrers: await below(digest, undefined, depth + 1, at) }];
    });
    return read.flat();
  };
  return await below(subject, artifactType, 1, context);
}

function filesIn({ bytes, mediaType, digest }: { bytes: Buffer; mediaType: string; digest: Digest }): ArtifactFile[] {
  if (isIndex(mediaType)) return [];
  const read = readDocuments(bytes, mediaType, digest);
  if (read.type === 'index') return [];
  return read.manifest.layers.filter((layer) => layer.mediaType !== mediaTypes.empty).map((descriptor) => {
    const name = descriptor.annotations?.[titleKey];
    return { descriptor, ...(name !== undefined && { name }) };
  });
}
