/** What belongs to an image beside it: signatures, bills of materials, attestations; by the referrers API and by cosign's tags. */
import type { Digest } from '../../oci/digest.ts';
import type { Storage } from '../storage.ts';

export interface Companion {
  digest: Digest;
  kind: 'signature' | 'SBOM' | 'attestation' | 'other';
  artifactType: string;
  /** Bytes of its manifest, when known. */
  size?: number;
  annotations: Record<string, string>;
  /** The tag that it was found by. */
  tag?: string;
}

/** Of one page. */
export const mostReferrers = 100;

const cosignTags = [['sig', 'signature'], ['att', 'attestation'], ['sbom', 'SBOM']] as const;

export async function companionsOf(storage: Storage, repository: string, digest: Digest, last?: string): Promise<{ items: Companion[]; more: boolean }> {
  const { items, more } = await storage.manifests.referrers(repository, digest, { limit: mostReferrers, ...(last !== undefined && { last }) });
  const found = items.map((item): Companion => ({
    digest: item.digest, kind: kindOf(item.artifactType ?? ''), artifactType: item.artifactType ?? '', size: item.size, annotations: item.annotations ?? {},
  }));
  if (last !== undefined) return { items: found, more };
  for (const [suffix, kind] of cosignTags) {
    const tag = `${digest.replace(':', '-')}.${suffix}`;
    // Digests of sha512 are too long for a tag.
    const tagged = tag.length <= 128 ? await storage.manifests.get(repository, { tag }) : undefined;
    if (tagged) found.push({ digest: tagged.digest, kind, artifactType: tagged.mediaType, size: tagged.bytes.length, annotations: {}, tag });
  }
  return { items: found, more };
}

export function kindOf(artifactType: string): Companion['kind'] {
  const type = artifactType.toLowerCase();
  if (/spdx|cyclonedx|syft|sbom/.test(type)) return 'SBOM';
  if (/signature|cosign|sigstore|simplesigning|notary/.test(type)) return 'signature';
  if (/in-toto|attestation|provenance|slsa|vex/.test(type)) return 'attestation';
  return 'other';
}
