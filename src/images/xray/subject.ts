/** What `siru diff` compares: an image, or one layer of it. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Entry } from '../../layer/entry.ts';
import { createView } from '../../layer/view.ts';
import { isSha256, shortId } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Store } from '../../store/store.ts';
import { readImage } from '../read.ts';
import type { Image, ImageLayer } from '../read.ts';
import { findImage, resolveImage } from '../resolve.ts';
import { entriesOf } from './compare-trees.ts';
import { openTables } from './xray-image.ts';

export interface Subject {
  name: string;
  /** Absent for a layer. */
  image?: Image;
  /** Sorted: what a container sees of an image; what a layer says, deletions included. */
  entries(): Iterable<Entry>;
}

/**
 * Finds what a person means: an image as resolveImage reads it, `IMAGE@LAYER` with the layer's number (0 is the bottom) or its
 * diff ID or the beginning of it, or the diff ID of a layer of the store. Throws NOT_FOUND, AMBIGUOUS, PLATFORM and what
 * ensureToc throws.
 */
export async function findSubject(store: Store, text: string, platform: Platform | undefined, context: Context): Promise<Subject> {
  const at = text.lastIndexOf('@');
  const ofLayer = async (): Promise<Subject> => {
    const name = text.slice(0, at);
    const image = readImage(store, resolveImage(store, name), platform);
    const [toc] = await openTables(store, [layerOf(image, name, text.slice(at + 1))], context);
    return { name: text, entries: () => toc! };
  };
  // What stands behind the @ of a reference is a whole digest.
  const which = text.slice(at + 1);
  if (at > 0 && !isSha256(which) && (which.startsWith('sha256:') || !which.includes(':'))) return ofLayer();
  const stored = findImage(store, text);
  if (!stored) {
    if (isSha256(text) && store.layers.get(text)) return { name: `layer ${shortId(text)}`, entries: () => store.layers.toc(text) };
    if (at > 0) return ofLayer();
  }
  const image = readImage(store, stored ?? resolveImage(store, text), platform);
  const view = createView(await openTables(store, image.layers, context));
  return { name: text, image, entries: () => entriesOf(view) };
}

function layerOf({ layers }: Image, name: string, which: string): ImageLayer {
  const there = layers.map(({ diffId }, i) => `${i} (${shortId(diffId)})`);
  const hint = layers.length === 0 ? 'The image has no layers.' : `Its layers are ${there.slice(0, 10).join(', ')}${there.length > 10 ? ', ...' : ''}.`;
  if (/^\d{1,5}$/.test(which) && Number(which) < layers.length) return layers[Number(which)]!;
  const prefix = /^(?:sha256:)?([0-9a-f]{4,64})$/.exec(which)?.[1];
  const found = prefix === undefined ? [] : layers.filter(({ diffId, descriptor }) => [diffId, descriptor.digest].some((digest) => digest.slice('sha256:'.length).startsWith(prefix)));
  if (new Set(found.map(({ diffId }) => diffId)).size > 1) throw new SiruError('AMBIGUOUS', `${which} could be several layers of ${name}`, { hint });
  if (!found[0]) throw new SiruError('NOT_FOUND', `${name} has no layer ${which}`, { hint });
  return found[0];
}
