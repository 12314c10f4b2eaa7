/** Makes an image of a root file system: `docker import`. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { readLayer } from '../layer/read-layer.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { hostPlatform } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { openArchive } from './archive-read.ts';
import type { ArchiveSource } from './archive-read.ts';
import { applyChanges } from './change.ts';
import { parseTagName } from './tag.ts';
import { startTransfer } from './transfer.ts';

export interface ImportOptions {
  store: Store;
  /** A tar of the root file system, also compressed by gzip or zstd. */
  source: ArchiveSource;
  /** Name for the image. */
  name?: string;
  /** Dockerfile instructions for the configuration. */
  changes?: readonly string[];
  /** Comment in the history. */
  message?: string;
  /** The host's when not given. */
  platform?: Platform;
  /** Time of the image; that of the newest file when not given, so that equal tars give equal images. */
  created?: Date;
}

/**
 * An image with the tar as its one layer, byte for byte. Throws LAYER when the tar is malformed or an entry would leave the
 * root, DOCKERFILE and USAGE for the changes, REFERENCE for the name.
 */
export async function importImage(options: ImportOptions, context: Context): Promise<StoredImage> {
  const { store, source, message } = options;
  const name = options.name === undefined ? undefined : parseTagName(options.name);
  const config = applyChanges({}, options.changes ?? []);
  if (typeof source === 'string' && source === '') throw new SiruError('USAGE', 'no file to import');

  const transfer = startTransfer(context, 'unpack', 'archive');
  using ingest = store.blobs.ingest();
  const { summary, toc } = await readLayer(transfer.count(await openArchive(source, context)), { tee: ingest, signal: context.signal });
  const { digest, size } = ingest.commit({ digest: summary.diffId });
  store.layers.put(summary, toc);
  transfer.state('done');

  const created = (options.created ?? new Date((summary.newest ?? 0) * 1000)).toISOString();
  const document: ImageConfig = {
    created,
    ...(options.platform ?? hostPlatform()),
    config,
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [{ created, comment: message ?? 'Imported from -' }],
  };
  const configBlob = store.blobs.put(Buffer.from(JSON.stringify(document)));
  const manifest = store.blobs.put(Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...configBlob },
    layers: [{ mediaType: mediaTypes.layer, digest, size }],
  })));
  store.images.put({ descriptor: { mediaType: mediaTypes.manifest, ...manifest }, imageId: configBlob.digest, manifest: manifest.digest });
  if (name !== undefined) store.images.tag(name, manifest.digest);
  return store.images.list().find(({ descriptor }) => descriptor.digest === manifest.digest)!;
}
