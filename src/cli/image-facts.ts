/** What lists and `inspect` tell of an image. */
import { readImage } from '../images/read.ts';
import type { Image } from '../images/read.ts';
import { layerSizes } from '../images/sizes.ts';
import type { Store, StoredImage } from '../store/store.ts';

export interface ImageFacts {
  stored: StoredImage;
  /** Absent when its documents are damaged or gone. */
  image?: Image;
  /** Milliseconds since 1970. */
  created?: number;
  /** Bytes of the uncompressed layers, as far as they were ever opened; of the compressed ones else. */
  size: number;
  labels: Record<string, string>;
}

export function imageFacts(store: Store, stored: StoredImage): ImageFacts {
  let image: Image;
  try {
    image = readImage(store, stored);
  } catch {
    return { stored, size: 0, labels: {} };
  }
  const created = Date.parse(image.config.created ?? '');
  const facts: ImageFacts = { stored, image, size: layerSizes(store, image).reduce((sum, size) => sum + size, 0), labels: image.config.config?.Labels ?? {} };
  if (!Number.isNaN(created)) facts.created = created;
  return facts;
}
