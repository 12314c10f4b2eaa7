/** What solving and assembling give, before anything is written anywhere: one image for one platform. */
import type { Platform } from '../oci/platform.ts';
import type { AssembledImage, ImageLayer } from './assemble.ts';
import type { LayerStack } from './layer-stack.ts';

export interface BuiltImage {
  platform: Platform;
  /** Its config and manifest; every time that the build made is `epoch` (seconds since 1970), if one is given. */
  at: (epoch: number | undefined) => AssembledImage;
  /** All layers of the image, bottom first. Their tars or compressed blobs are in the store. */
  layers: ImageLayer[];
  /** How many of them, from the bottom, are the base's. */
  baseLayers: number;
  /** The merged view of the layers; opened at the first call. */
  stack(): Promise<LayerStack>;
}
