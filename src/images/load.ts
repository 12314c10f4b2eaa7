/** Takes images from an archive or a layout: what `docker save` writes and wrote, OCI archives, OCI layout directories. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { sniffCompression } from '../layer/sniff.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { parseImageConfig } from '../oci/image-config.ts';
import { parseIndex } from '../oci/manifest.ts';
import { layerMediaType, mediaTypes } from '../oci/media-types.ts';
import { hostPlatform } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, parseReferenceWithTag } from '../oci/reference.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { layoutPath, readArchive } from './archive-read.ts';
import type { ArchiveFiles, ArchiveSource } from './archive-read.ts';
import { checkPlatform, chooseChild } from './platform.ts';
import { checkImage, joinConfig, readDocuments } from './read.ts';

export interface LoadOptions {
  store: Store;
  source: ArchiveSource;
  /** Which child of an index is the image; the host's, or the only one that is there, when not given. */
  platform?: Platform;
}

export interface Loaded {
  image: StoredImage;
  /** Names that it was given; none for an image that the archive does not name. */
  names: string[];
}

/** Throws LAYER, DOCUMENT, DIGEST, NOT_FOUND, PLATFORM, UNSUPPORTED, STORE. Names are given when all images are here. */
export async function loadImages(options: LoadOptions, context: Context): Promise<Loaded[]> {
  const { store } = options;
  const read = await readImages(options, context);
  for (const { image } of read) store.images.put(image);
  return read.map(({ image, names }) => {
    for (const name of names) store.images.tag(name, image.descriptor.digest);
    return { image: store.images.list().find(({ descriptor }) => descriptor.digest === image.descriptor.digest)!, names };
  });
}

/** The same, with the blobs of the images in the store, which does not keep the images themselves. */
export async function readImages(options: LoadOptions, context: Context): Promise<Found[]> {
  const { store, source } = options;
  const files = await readArchive(store, source, context);
  const named = typeof source === 'string' ? source : 'the archive';
  const index = await files.get('index.json');
  const docker = await files.get('manifest.json');
  if (!index && !docker) {
    throw new SiruError('DOCUMENT', `${named} holds no image: it has neither manifest.json nor index.json`, {
      hint: 'the files of a root file system, as docker export writes them, are taken by: siru import',
    });
  }
  const items = docker ? parseDockerItems(store.blobs.read(docker.digest)) : [];
  const found = index ? await fromLayout(options, files, index.digest, items, context) : await inOrder(items, (item) => fromDockerItem(options, files, item));
  if (found.length === 0) throw new SiruError('DOCUMENT', `${named} lists no images`);
  return found;
}

export interface Found {
  image: Pick<StoredImage, 'descriptor' | 'imageId' | 'manifest'>;
  names: string[];
}

/** One after the other: each may read large files. */
async function inOrder<T, U>(list: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> {
  const done: U[] = [];
  for (const item of list) done.push(await work(item));
  return done;
}

async function fromLayout(options: LoadOptions, files: ArchiveFiles, index: Digest, items: DockerItem[], context: Context): Promise<Found[]> {
  const { store } = options;
  const found = new Map<Digest, Found>();
  for (const descriptor of parseIndex(store.blobs.read(index)).manifests) {
    const known = found.get(descriptor.digest);
    const names = namesIn(descriptor);
    if (known) {
      known.names.push(...names.filter((name) => !known.names.includes(name)));
      continue;
    }
    const taken = await takeManifest(options, files, descriptor, 0);
    if (taken === undefined) {
      context.emit({ type: 'warning', text: `passed over ${descriptor.digest}: it is no container image` });
      continue;
    }
    const { mediaType, digest, size } = descriptor;
    // Other tools write a bare tag here; the whole name is then in docker's list.
    if (names.length === 0) for (const item of items) if ((await files.get(item.Config))?.digest === taken.imageId) names.push(...item.names);
    found.set(digest, { image: { descriptor: { mediaType, digest, size }, ...taken }, names });
  }
  return [...found.values()];
}

/** Takes a manifest, or what is there of an index, with all that it names. Undefined for what is no image. */
async function takeManifest(options: LoadOptions, files: ArchiveFiles, descriptor: Descriptor, depth: number): Promise<{ imageId: Digest; manifest: Digest } | undefined> {
  const { store, platform } = options;
  const what = `image ${descriptor.digest}`;
  await need(files, descriptor);
  const document = readDocuments(store.blobs.read(descriptor.digest), descriptor.mediaType, what);
  if (document.type === 'manifest') {
    const { manifest } = document;
    if (manifest.config.mediaType !== mediaTypes.config && manifest.config.mediaType !== mediaTypes.dockerConfig) return undefined;
    checkImage(manifest, what);
    await need(files, manifest.config);
    for (const layer of manifest.layers) await need(files, layer);
    const { config } = joinConfig(manifest, what, store.blobs.read(manifest.config.digest));
    if (platform && depth === 0) checkPlatform(config, platform, what);
    return { imageId: manifest.config.digest, manifest: descriptor.digest };
  }
  if (depth > 4) throw new SiruError('DOCUMENT', `${what}: indexes lie more than 4 deep`);
  const found = await inOrder(document.index.manifests, async (child) => ((await files.get(layoutPath(child.digest))) === undefined ? [] : [child]));
  const here = found.flat();
  const taken = new Map(await inOrder(here, async (child) => [child, await takeManifest(options, files, child, depth + 1)] as const));
  const images = here.filter((child) => taken.get(child) !== undefined);
  if (images.length === 0) throw new SiruError('NOT_FOUND', `the archive has none of the images that ${descriptor.digest} lists`);
  const narrowed = { ...document.index, manifests: images };
  const chosen = platform === undefined && images.length === 1 ? images[0]! : chooseChild(narrowed, platform ?? hostPlatform(), what);
  return taken.get(chosen);
}

async function need(files: ArchiveFiles, { digest, size }: Descriptor): Promise<void> {
  const file = await files.get(layoutPath(digest));
  if (!file) throw new SiruError('NOT_FOUND', `the archive lacks the blob ${digest}`, { hint: 'it was cut off, or made for one platform only' });
  if (file.size !== size) throw new SiruError('DIGEST', `the blob ${digest} of the archive has ${file.size} bytes, not ${size}`);
}

function namesIn({ annotations }: Descriptor): string[] {
  const full = annotations?.['io.containerd.image.name'];
  const name = full ?? annotations?.['org.opencontainers.image.ref.name'];
  if (name === undefined || (full === undefined && !/[/:]/.test(name))) return [];
  return [normalised(name)].filter((text) => text !== undefined);
}

interface DockerItem {
  Config: string;
  Layers: string[];
  /** Normalised. */
  names: string[];
}

function parseDockerItems(bytes: Buffer): DockerItem[] {
  const fail = (path: string, problem: string, cause?: unknown): never => {
    throw new SiruError('DOCUMENT', `manifest.json of the archive: ${path}: ${problem}`, { cause });
  };
  let items: unknown;
  try {
    items = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    return fail('$', 'no JSON', cause);
  }
  if (!Array.isArray(items)) return fail('$', 'not an array');
  return items.map((item: { Config?: unknown; Layers?: unknown; RepoTags?: unknown } | null, index) => {
    const strings = (value: unknown, path: string): string[] => {
      if (value === null || value === undefined) return [];
      return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : fail(path, 'not an array of strings');
    };
    const { Config: config } = item ?? {};
    if (typeof config !== 'string') return fail(`$[${index}].Config`, 'not a path');
    const names = strings(item!.RepoTags, `$[${index}].RepoTags`).map((text) => normalised(text) ?? fail(`$[${index}].RepoTags`, `not a name: ${JSON.stringify(text.slice(0, 200))}`));
    return { Config: config, Layers: strings(item!.Layers, `$[${index}].Layers`), names };
  });
}

/** Makes a manifest for an image of docker's archive, which has none. */
async function fromDockerItem({ store, platform }: LoadOptions, files: ArchiveFiles, item: DockerItem): Promise<Found> {
  const file = async (path: string): Promise<{ digest: Digest; size: number }> => {
    const found = await files.get(path);
    if (!found) throw new SiruError('NOT_FOUND', `the archive lacks ${path}, which its manifest.json names`, { hint: 'it was cut off' });
    return found;
  };
  const config = await file(item.Config);
  const parsed = parseImageConfig(store.blobs.read(config.digest));
  if (platform) checkPlatform(parsed, platform, item.names[0] ?? config.digest);
  const layers = await inOrder(item.Layers, async (path) => {
    const blob = await file(path);
    const kind = sniffBlob(store.blobs.path(blob.digest));
    if (kind === 'bzip2' || kind === 'xz') throw new SiruError('UNSUPPORTED', `${path} of the archive is compressed with ${kind}`);
    return { mediaType: layerMediaType(kind === 'gzip' || kind === 'zstd' ? kind : 'none'), digest: blob.digest, size: blob.size };
  });
  const manifest = {
    schemaVersion: 2 as const, mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: config.digest, size: config.size },
    layers,
  };
  joinConfig(manifest, item.names[0] ?? config.digest, store.blobs.read(config.digest));
  const { digest, size } = store.blobs.put(Buffer.from(JSON.stringify(manifest)));
  return { image: { descriptor: { mediaType: mediaTypes.manifest, digest, size }, imageId: config.digest, manifest: digest }, names: item.names };
}

function sniffBlob(path: string): ReturnType<typeof sniffCompression> {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(512);
    return sniffCompression(head.subarray(0, readSync(fd, head)));
  } finally {
    closeSync(fd);
  }
}

function normalised(text: string): string | undefined {
  try {
    return formatReference(parseReferenceWithTag(text));
  } catch {
    return undefined;
  }
}
