/** How large images are. */
import type { Store } from '../store/store.ts';
import type { Image, ImageLayer } from './read.ts';

/** Bytes of a layer's uncompressed tar as far as it was ever opened; of the compressed blob else. */
export function layerSize(store: Store, { diffId, descriptor }: ImageLayer): number {
  return store.layers.get(diffId)?.size ?? descriptor.size;
}

/** Bytes of each layer, bottom first. */
export function layerSizes(store: Store, { layers }: Pick<Image, 'layers'>): number[] {
  return layers.map((layer) => layerSize(store, layer));
}
