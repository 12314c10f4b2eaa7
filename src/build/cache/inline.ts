/**
 * A cache beside an image that was pushed: the records of its steps, in one artifact whose subject is the image. The layers
 * are the image's own; of steps that only other stages have, the tables of contents go along.
 */
import type { Context } from '../../base/context.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { hexOf, type Digest } from '../../oci/digest.ts';
import { compressionOf, layerMediaType } from '../../oci/media-types.ts';
import type { Store } from '../../store/store.ts';
import { mostPacked, oneChunk, packArtifact, putArtifact } from './artifact.ts';
import type { DoneStep } from './export.ts';
import type { Medium } from './medium.ts';
import { digestsOf } from './parts.ts';
import { sealRecord, type CacheRecord } from './record.ts';
import { packToc } from './remote-layers.ts';
import type { Envelope, SigningKey } from './signature.ts';

/** The name under which the cache of an image lies. One image, one name: whoever pushes the image again writes what was there. */
export function inlineTag(image: string): string {
  return `sha256-${hexOf(image as Digest)}.siru-cache`;
}

/** Gives how many records it wrote. `image` was pushed to the repository of `medium`. */
export async function attachCache(store: Store, medium: Medium, image: Descriptor, steps: ReadonlyMap<Digest, DoneStep>, key: SigningKey | undefined, context: Context): Promise<number> {
  const wanted = new Set<Digest>();
  for (const { record, needs, final } of steps.values()) if (final) for (const one of [...needs, record.key]) wanted.add(one);
  const envelopes: Envelope[] = [];
  for (const one of wanted) {
    const step = steps.get(one);
    if (!step || !store.layers.get(step.record.layer.diffId) || envelopes.length >= mostPacked) continue;
    const { layer, parts, created, took, executed } = step.record;
    const { descriptor: toc, bytes } = packToc(store, layer.diffId);
    const blob = step.final ? await pushedForm(store, medium, layer.diffId, context) : undefined;
    const record: CacheRecord = { key: one, layer, took, executed, ...(created === undefined ? {} : { created }), ...(blob && { blob }), toc, places: step.places, parts: digestsOf(parts) };
    if (!(await medium.hasBlob(toc, context))) await medium.putBlob(toc, () => oneChunk(bytes), context);
    envelopes.push(sealRecord(record, key));
  }
  const { mediaType, digest, size } = image;
  await putArtifact(medium, inlineTag(digest), packArtifact(envelopes, { subject: { mediaType, digest, size } }), context);
  return envelopes.length;
}

/** The blob that was pushed as this layer. */
async function pushedForm(store: Store, medium: Medium, diffId: Digest, context: Context): Promise<Descriptor | undefined> {
  for (const { descriptor: { mediaType, digest, size } } of store.layers.variants(diffId)) {
    if (await medium.hasBlob({ mediaType, digest, size }, context)) return { mediaType: layerMediaType(compressionOf(mediaType)!), digest, size };
  }
  return undefined;
}
