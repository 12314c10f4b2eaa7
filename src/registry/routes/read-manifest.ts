/** What a manifest that is pushed is, and what it names. */
import { createHash } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import { parseManifestOrIndex } from '../../oci/manifest.ts';
import { isIndex, isManifest, mediaTypes } from '../../oci/media-types.ts';
import { isTag } from '../../oci/reference.ts';
import type { Exchange } from '../exchange.ts';
import { algorithmOf, parseKnownDigest } from '../names.ts';
import { Refusal } from '../refusal.ts';
import type { ManifestFacts } from '../storage.ts';
import type { ManifestRoute } from './manifests.ts';

/** Tags of one push. */
export const mostTags = 100;
/** Bytes of annotations that a list of referrers repeats. */
const largestAnnotations = 64 * 1024;

/** The tag of the path, or the `tag` parameters beside a digest. Throws TAG_INVALID. */
export function tagsOf({ query }: Exchange, { tag }: ManifestRoute): string[] {
  const tags = [...new Set([...(tag === undefined ? [] : [tag]), ...query.getAll('tag')])];
  const wrong = tags.find((one) => !isTag(one));
  if (wrong !== undefined) throw new Refusal('TAG_INVALID', `not a tag: ${JSON.stringify(wrong.slice(0, 200))}`);
  if (tags.length > mostTags) throw new Refusal('TAG_INVALID', `at most ${mostTags} tags can be pushed at once`, { status: 414 });
  return tags;
}

/** Throws MANIFEST_INVALID, DIGEST_INVALID. */
export function readManifest(exchange: Exchange, route: ManifestRoute, bytes: Buffer): { digest: Digest; mediaType: string; facts: ManifestFacts } {
  const sent = exchange.request.headers['content-type']?.split(';')[0]!.trim().toLowerCase();
  if (sent !== undefined && !isManifest(sent) && !isIndex(sent)) {
    throw new Refusal('MANIFEST_INVALID', `the registry takes no manifests of the type ${JSON.stringify(sent.slice(0, 200))}`, { detail: { mediaType: sent.slice(0, 200) } });
  }
  const digest = digestOf(bytes, route.digest ?? parseKnownDigest(exchange.query.get('digest') ?? ''));
  return { digest, ...describeManifest(bytes, sent) };
}

/** What a manifest names, and its media type: the one that was sent with it, else its own. Throws MANIFEST_INVALID, DOCUMENT. */
export function describeManifest(bytes: Buffer, sent: string | undefined): { mediaType: string; facts: ManifestFacts } {
  const document = parseManifestOrIndex(bytes, sent);
  const content = document.type === 'index' ? document.index : document.manifest;
  if (sent !== undefined && content.mediaType !== undefined && content.mediaType !== sent) {
    throw new Refusal('MANIFEST_INVALID', `the manifest says that it is ${content.mediaType}, the request ${sent}`);
  }
  const facts: ManifestFacts = document.type === 'index'
    ? { blobs: [], manifests: document.index.manifests.map((item) => item.digest) }
    : { blobs: [document.manifest.config, ...document.manifest.layers.filter(isKeptHere)].map((item) => item.digest), manifests: [] };
  const artifactType = content.artifactType ?? (document.type === 'manifest' ? document.manifest.config.mediaType : undefined);
  if (content.subject) facts.subject = content.subject.digest;
  if (artifactType !== undefined) facts.artifactType = artifactType;
  if (content.annotations && JSON.stringify(content.annotations).length <= largestAnnotations) facts.annotations = content.annotations;
  return { mediaType: sent ?? content.mediaType ?? (document.type === 'index' ? mediaTypes.index : mediaTypes.manifest), facts };
}

/** Layers with URLs of their own need not be in the registry. */
function isKeptHere({ mediaType, urls }: { mediaType: string; urls?: string[] }): boolean {
  return !mediaType.includes('.foreign.') && !mediaType.includes('.nondistributable.') && (urls === undefined || urls.length === 0);
}

function digestOf(bytes: Buffer, expected: Digest | undefined): Digest {
  const algorithm = expected === undefined ? 'sha256' : algorithmOf(expected);
  const digest: Digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (expected !== undefined && digest !== expected) {
    throw new Refusal('DIGEST_INVALID', `the manifest has the digest ${digest}, not ${expected}`, { detail: { digest: expected, actual: digest } });
  }
  return digest;
}
