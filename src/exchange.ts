/** Pull and push as single calls of the library: each makes its registry client and closes it. */
import { contextOf } from './base/context.ts';
import type { Event } from './base/events.ts';
import type { PushResult } from './images/push.ts';
import type { Compression } from './oci/media-types.ts';
import { parsePlatform } from './oci/platform.ts';
import { parseReferenceWithTag } from './oci/reference.ts';
import type { RegistryOptions } from './remote/configuration.ts';
import type { Store, StoredImage } from './store/store.ts';

interface ExchangeOptions {
  store: Store;
  /** `domain/group/repository:tag`, with docker's defaults. */
  reference: string;
  registries?: RegistryOptions;
  signal?: AbortSignal;
  onEvent?: (event: Event) => void;
}

export interface PullOptions extends ExchangeOptions {
  /** `linux/arm64`; the host's when not given. */
  platform?: string;
  /** `missing` asks no registry when the image is here. `always` when not given. */
  policy?: 'always' | 'missing' | 'never';
}

/** Brings an image from its registry. Throws NOT_FOUND, PLATFORM, AUTH, NETWORK, REGISTRY, DIGEST, STORE, CANCELLED. */
export async function pull(options: PullOptions): Promise<StoredImage> {
  const { createRemote } = await import('./remote/client.ts');
  const { pullImage } = await import('./images/pull.ts');
  await using remote = createRemote({ registries: options.registries });
  const { store, policy } = options;
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  return await pullImage({ store, remote, reference: parseReferenceWithTag(options.reference), platform, policy }, contextOf(options));
}

export interface PushOptions extends ExchangeOptions {
  /** The image, by reference or ID; that of the reference when not given. */
  image?: string;
  /** For layers that are not compressed yet; gzip when not given. */
  compression?: Compression;
  level?: number;
}

/** Brings an image to a registry; sends only what the registry lacks. Throws NOT_FOUND, AUTH, NETWORK, REGISTRY, CANCELLED. */
export async function push(options: PushOptions): Promise<PushResult> {
  const { createRemote } = await import('./remote/client.ts');
  const { pushImage } = await import('./images/push.ts');
  const { resolveImage } = await import('./images/resolve.ts');
  await using remote = createRemote({ registries: options.registries });
  const { store, compression, level } = options;
  const image = resolveImage(store, options.image ?? options.reference);
  return await pushImage({ store, remote, image, reference: parseReferenceWithTag(options.reference), compression, level }, contextOf(options));
}
