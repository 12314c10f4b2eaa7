/** Images as one tar: docker's archive (`manifest.json`) and an OCI image layout at once, as `docker save` writes it. */
import { realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { checkCancelled } from '../base/context.ts';
import type { Context } from '../base/context.ts';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { readChunks } from '../layer/compress.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { hexOf } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { isIndex, mediaTypes } from '../oci/media-types.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, formatReference, parseReference } from '../oci/reference.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { writeArchive } from './archive-write.ts';
import type { ArchiveFile } from './archive-write.ts';
import { readDocuments, readImage } from './read.ts';
import type { Image } from './read.ts';
import { resolveImage } from './resolve.ts';
import { startTransfer } from './transfer.ts';

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
export async function saveImages(options: SaveOptions, output: string | ((bytes: Uint8Array) => void | Promise<void>), context: Context): Promise<void> {
  const chunks = archiveChunks(options, context);
  if (typeof output !== 'string') {
    for await (const chunk of chunks) await output(chunk);
    return;
  }
  const there = statSync(output, { throwIfNoEntry: false });
  // A link stays one: the file that it leads to is replaced.
  const target = there?.isFile() ? realpathSync(output) : output;
  const partial = there && !there.isFile() ? undefined : `${target}.${process.pid}.partial`;
  try {
    const file = await open(partial ?? target, 'w', 0o666);
    try {
      for await (const chunk of chunks) await file.writev([chunk]);
    } finally {
      await file.close();
    }
    if (partial !== undefined) renameSync(partial, target);
  } catch (error) {
    if (partial !== undefined) rmSync(partial, { force: true });
    if (errnoOf(error) === undefined) throw error;
    throw new SiruError('USAGE', `cannot write ${output}: ${messageOf(error)}`, { cause: error });
  }
}

/** The bytes of the archive. Equal images give equal bytes. */
export async function* archiveChunks({ store, items, platform }: SaveOptions, context: Context): AsyncGenerator<Uint8Array> {
  const blobs = new Map<Digest, number>();
  const need = (digest: Digest): void => {
    blobs.set(digest, store.blobs.size(digest));
  };
  const needImage = (image: Image): void => {
    for (const digest of [image.manifestDigest, image.configDigest, ...image.layers.map(({ descriptor }) => descriptor.digest)]) need(digest);
  };
  const dockerItems: object[] = [];
  const manifests: Descriptor[] = [];
  for (const { image: stored, names } of items) {
    const image = readImage(store, stored, platform);
    needImage(image);
    let { descriptor } = image;
    if (platform === undefined && isIndex(stored.descriptor.mediaType) && needAll(store, stored.descriptor, need)) ({ descriptor } = stored);
    const { mediaType, digest, size } = descriptor;
    for (const name of names.length > 0 ? names : [undefined]) {
      const annotations = name === undefined ? undefined : { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': parseReference(name).tag ?? 'latest' };
      manifests.push({ mediaType, digest, size, ...(annotations && { annotations }) });
    }
    dockerItems.push({
      Config: blobPath(image.configDigest),
      RepoTags: names.length > 0 ? names.map((name) => familiarReference(parseReference(name))) : null,
      Layers: image.layers.map((layer) => blobPath(layer.descriptor.digest)),
    });
  }

  const text = (path: string, value: object): ArchiveFile => {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    return { path, size: bytes.length, open: () => [bytes] };
  };
  const files: ArchiveFile[] = [...blobs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([digest, size]) => ({
    path: blobPath(digest), size, open: () => readChunks(store.blobs.path(digest)),
  }));
  files.push(
    text('index.json', { schemaVersion: 2, mediaType: mediaTypes.index, manifests }),
    text('manifest.json', dockerItems),
    text('oci-layout', { imageLayoutVersion: '1.0.0' }),
  );
  const transfer = startTransfer(context, 'push', 'archive', files.reduce((sum, { size }) => sum + size, 0));
  for await (const chunk of writeArchive(['blobs', 'blobs/sha256'], files)) {
    checkCancelled(context);
    transfer.add(chunk.length);
    yield chunk;
  }
  transfer.state('done');
}

/** Takes an index with all that it names, if all of it is here. */
function needAll(store: Store, index: Descriptor, need: (digest: Digest) => void): boolean {
  const digests: Digest[] = [];
  const visit = ({ digest, mediaType }: Descriptor): boolean => {
    if (!store.blobs.has(digest)) return false;
    digests.push(digest);
    const document = readDocuments(store.blobs.read(digest), mediaType, digest);
    if (document.type === 'index') return document.index.manifests.every(visit);
    const parts = [document.manifest.config, ...document.manifest.layers].map((part) => part.digest);
    digests.push(...parts);
    return parts.every((part) => store.blobs.has(part));
  };
  if (!visit(index)) return false;
  digests.forEach(need);
  return true;
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
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
