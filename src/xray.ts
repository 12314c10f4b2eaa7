/** The X-ray as a single call of the library. */
import { contextOf } from './base/context.ts';
import type { Event } from './base/events.ts';
import type { Xray } from './images/xray/xray-image.ts';
import { parsePlatform } from './oci/platform.ts';
import type { Store } from './store/store.ts';

export interface XrayOptions {
  store: Store;
  /** Reference or ID. */
  image: string;
  /** Of an image for several platforms: `linux/arm64`. */
  platform?: string;
  signal?: AbortSignal;
  onEvent?: (event: Event) => void;
}

/** What each layer of an image did to the files, and which bytes nobody needs. Throws NOT_FOUND, AMBIGUOUS, PLATFORM, LAYER, DIGEST, CANCELLED. */
export async function xray(options: XrayOptions): Promise<Xray> {
  const { store, image, platform } = options;
  const [{ xrayImage }, { readImage }, { resolveImage }] = await Promise.all([import('./images/xray/xray-image.ts'), import('./images/read.ts'), import('./images/resolve.ts')]);
  return xrayImage(store, readImage(store, resolveImage(store, image), platform === undefined ? undefined : parsePlatform(platform)), contextOf(options));
}
