/** Images as one tar: docker's archive (`manifest.json`) and an OCI image layout at once, as `docker save` writes it. */
import { checkCancelled } from '../base/context.ts';
import type { Context } from '../base/context.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { writeArchive } from './archive-write.ts';
import { layoutFiles } from './layout-files.ts';
import type { LayoutOptions } from './layout-files.ts';
import { resolveImage } from './resolve.ts';
import { startTransfer } from './transfer.ts';
import { writeWhole } from './write-whole.ts';
import type { ByteTarget } from './write-whole.ts';

export interface SaveItem {
  image: StoredImage;
  /** Normalised names that the archive gives it. */
  names: string[];
}

export interface SaveOptions {
  store: Store;
  items: readonly SaveItem[];
  /** One child of an index; all that are here when not given. */
  platform?: Platform;
}

/**
 * What is meant by the arguments of `save`: images by name, digest or ID; a repository without a tag means all its tags.
 * Throws NOT_FOUND, AMBIGUOUS, REFERENCE.
 */
export function itemsToSave(store: Store, texts: readonly string[]): SaveItem[] {
  const items = new Map<Digest, SaveItem>();
  const add = (image: StoredImage, names: string[]): void => {
    const item = items.get(image.descriptor.digest) ?? { image, names: [] };
    for (const name of names) if (!item.names.includes(name)) item.names.push(name);
    items.set(image.descriptor.digest, item);
  };
  for (const text of texts) {
    const repository = repositoryMeant(text);
    const tagged = repository === undefined ? [] : store.images.list().flatMap((image) => {
      const names = image.names.filter((name) => name.startsWith(`${repository}:`));
      return names.length > 0 ? [{ image, names }] : [];
    });
    if (tagged.length > 0) for (const { image, names } of tagged) add(image, names);
    else {
      const image = resolveImage(store, text);
      const name = nameMeant(text);
      add(image, name !== undefined && image.names.includes(name) ? [name] : []);
    }
  }
  return [...items.values()];
}

/**
 * Writes the archive to a file, which is there only when it is whole, or to a function that takes its bytes in order. What is
 * no regular file (a pipe, a device) is written to as it is.
 */
export async function saveImages(options: SaveOptions, output: string | ByteTarget, context: Context): Promise<void> {
  await writeWhole(archiveChunks(options, context), output);
}

/** The bytes of the archive. Equal images give equal bytes. */
export async function* archiveChunks(options: LayoutOptions, context: Context): AsyncGenerator<Uint8Array> {
  const { blobs, documents } = layoutFiles(options);
  const files = [...blobs, ...documents];
  const transfer = startTransfer(context, 'write', 'archive', files.reduce((sum, { size }) => sum + size, 0));
  for await (const chunk of writeArchive(['blobs', 'blobs/sha256'], files)) {
    checkCancelled(context);
    transfer.add(chunk.length);
    yield chunk;
  }
  transfer.state('done');
}

/** The repository, when the text names one and nothing more. */
function repositoryMeant(text: string): string | undefined {
  try {
    const { domain, path, tag, digest } = parseReference(text);
    return tag === undefined && digest === undefined ? `${domain}/${path}` : undefined;
  } catch {
    return undefined;
  }
}

function nameMeant(text: string): string | undefined {
  try {
    const reference = parseReference(text);
    return reference.digest === undefined ? formatReference({ ...reference, tag: reference.tag ?? 'latest' }) : undefined;
  } catch {
    return undefined;
  }
}
