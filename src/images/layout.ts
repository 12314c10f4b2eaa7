/** One image of an OCI layout directory, for use where it is named: its documents and layers come into the store, and no name. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { parseIndex } from '../oci/manifest.ts';
import type { Platform } from '../oci/platform.ts';
import type { Store } from '../store/store.ts';
import { layoutPath, readArchive, type ArchiveFiles } from './archive-read.ts';
import { chooseChild } from './platform.ts';
import { checkImage, readDocuments, readImage, type Image } from './read.ts';

export interface LayoutImage {
  path: string;
  /** What index.json calls it: a tag, or a whole name. */
  tag?: string;
  /** Of a manifest or index in the layout. */
  digest?: string;
}

const nameKeys = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'];
const deepest = 4;

/** Throws NOT_FOUND, PLATFORM, DOCUMENT, DIGEST. */
export async function openLayoutImage(store: Store, { path, tag, digest }: LayoutImage, platform: Platform, context: Context): Promise<Image> {
  const files = await readArchive(store, path, context);
  const index = await files.get('index.json');
  if (!index) throw new SiruError('NOT_FOUND', `${path} is no OCI layout: it has no index.json`, { hint: 'skopeo copy ... oci:PATH:TAG and siru save -o write such directories.' });
  let descriptor = digest === undefined ? choose(parseIndex(store.blobs.read(index.digest)).manifests, tag, path) : await byDigest(files, digest, path);
  for (let depth = 0; ; depth++) {
    const what = `image ${descriptor.digest} of ${path}`;
    await take(files, descriptor, path);
    const document = readDocuments(store.blobs.read(descriptor.digest), descriptor.mediaType === '' ? undefined : descriptor.mediaType, what);
    if (document.type === 'manifest') {
      checkImage(document.manifest, what);
      await take(files, document.manifest.config, path);
      for (const layer of document.manifest.layers) await take(files, layer, path);
      return readImage(store, descriptor.digest, platform);
    }
    if (depth >= deepest) throw new SiruError('DOCUMENT', `${what}: indexes lie more than ${deepest} deep`);
    descriptor = chooseChild(document.index, platform, what);
  }
}

function choose(manifests: Descriptor[], tag: string | undefined, path: string): Descriptor {
  const wanted = tag ?? 'latest';
  const names = ({ annotations }: Descriptor): string[] => nameKeys.flatMap((key) => annotations?.[key] ?? []);
  const named = manifests.find((descriptor) => names(descriptor).some((name) => name === wanted || name.endsWith(`:${wanted}`)));
  if (named) return named;
  if (tag === undefined && manifests.length === 1) return manifests[0]!;
  const there = manifests.flatMap(names);
  throw new SiruError('NOT_FOUND', `the OCI layout ${path} has no image ${JSON.stringify(wanted)}`, {
    hint: there.length > 0 ? `It has ${there.slice(0, 10).join(', ')}.` : 'Name one by its digest: oci-layout://PATH@sha256:...',
  });
}

async function byDigest(files: ArchiveFiles, digest: string, path: string): Promise<Descriptor> {
  const blob = await files.get(layoutPath(digest as Descriptor['digest']));
  if (!blob) throw new SiruError('NOT_FOUND', `the OCI layout ${path} has no ${digest}`);
  return { mediaType: '', digest: blob.digest, size: blob.size };
}

async function take(files: ArchiveFiles, { digest, size }: Descriptor, path: string): Promise<void> {
  const file = await files.get(layoutPath(digest));
  if (!file) throw new SiruError('NOT_FOUND', `the OCI layout ${path} lacks the blob ${digest}`, { hint: 'It was made for one platform only, or was not copied whole.' });
  if (file.size !== size) throw new SiruError('DIGEST', `the blob ${digest} of ${path} has ${file.size} bytes, not ${size}`);
}
