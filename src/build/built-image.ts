/** What solving and assembling give, before anything is written anywhere: one image for one platform. */
import type { Platform } from '../oci/platform.ts';
import type { AssembledImage, ImageLayer } from './assemble.ts';
import type { LayerStack } from './layer-stack.ts';

export interface BuiltImage {
  platform: Platform;
  image: AssembledImage;
  /** All layers of the image, bottom first. Their tars or compressed blobs are in the store. */
  layers: ImageLayer[];
  /** The merged view of the layers; opened at the first call. */
  stack(): Promise<LayerStack>;
}
